"""Sections and lectures. A lecture is its source; the other columns are parsed from it."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.db import models
from django.db.models import F
from django.urls import reverse
from simple_history.models import HistoricalRecords

from courses.front import DRAFT, PUBLISHED, normalised, read, with_status
from courses.markdown import Page, render


def digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


class Section(models.Model):
    """A section of the course: its lectures in order."""

    number = models.PositiveSmallIntegerField(help_text="Its place in the course.")
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    summary = models.TextField(max_length=400)
    loaded = models.CharField(max_length=64, blank=True, editable=False)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["number", "slug"]

    def __str__(self) -> str:
        return f"{self.number}. {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("courses:section", args=[self.slug])

    @property
    def digest(self) -> str:
        return digest(f"{self.number}\n{self.title}\n{self.summary}")

    @property
    def is_edited(self) -> bool:
        """Does it differ from what load_course brought?"""
        return self.digest != self.loaded


class LectureQuerySet(models.QuerySet["Lecture"]):
    def published(self) -> LectureQuerySet:
        return self.exclude(published="")


class Lecture(models.Model):
    """`source` is the whole file as its authors have it now, `published` as students see it.

    `version` grows with each change of the source, so that of two who edit at once the second
    is told. `loaded` is the digest of the source that load_course brought.
    """

    section = models.ForeignKey(Section, models.PROTECT, related_name="lectures")
    number = models.PositiveSmallIntegerField(help_text="Its place in the section.")
    slug = models.SlugField(max_length=60)
    source = models.TextField()
    published = models.TextField(blank=True, editable=False)
    title = models.CharField(max_length=120, editable=False)
    summary = models.CharField(max_length=300, editable=False)
    minutes = models.PositiveSmallIntegerField(default=0, editable=False)
    labs = models.JSONField(default=list, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    loaded = models.CharField(max_length=64, blank=True, editable=False)
    changed = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = LectureQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["published", "summary", "minutes", "labs", "loaded", "changed"]
    )

    class Meta:
        ordering = ["section__number", "number", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["section", "slug"], name="one_lecture_a_slug")
        ]

    def __str__(self) -> str:
        return self.title or self.slug

    def save(self, *args: Any, **more: Any) -> None:
        self.source = normalised(self.source)
        self._parse()
        super().save(*args, **more)

    def get_absolute_url(self) -> str:
        return reverse("courses:lecture", args=[self.section.slug, self.slug])

    def _parse(self) -> None:
        """The columns that lists need, of what students see, or else of the draft."""
        front = read(self.published or self.source).front
        if front is not None:
            self.title, self.summary = front.title, front.summary
            self.minutes, self.labs = front.minutes, list(front.labs)
        self.title = self.title or self.slug

    @property
    def is_published(self) -> bool:
        return bool(self.published)

    @property
    def is_changed(self) -> bool:
        """Has its source changed since it was published?"""
        return self.is_published and self.source != self.published

    @property
    def is_edited(self) -> bool:
        """Does its source differ from what load_course brought?"""
        return digest(self.source) != self.loaded

    @property
    def page(self) -> Page:
        """What students see."""
        return render(self.published)

    @property
    def draft(self) -> Page:
        """What its authors have now."""
        return render(self.source)

    def rewrite(self, source: str, version: int) -> bool:
        """Take a new source in. False where another has changed it since `version`."""
        mine = Lecture.objects.filter(pk=self.pk, version=version)
        if not mine.update(version=F("version") + 1):
            return False
        self.source, self.version = source, version + 1
        self.save()
        return True

    def publish(self) -> None:
        """Show the source to students."""
        self.source = with_status(normalised(self.source), PUBLISHED)
        self.published = self.source
        self.save()

    def withdraw(self) -> None:
        """Take it from the students' sight; the text stays."""
        self.source = with_status(normalised(self.source), DRAFT)
        self.published = ""
        self.save()
