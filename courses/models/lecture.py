"""Sections and lectures. A lecture is its source; the other columns are parsed from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords

from accounts.models import User
from courses.content import NUMBERS, SLUG
from courses.front import DRAFT, PUBLISHED, body_of, normalised, read, with_status
from courses.markdown import questions_in
from courses.questions import Template

SET_ASIDE = "set aside"
"""The reason of an entry of the history whose text never was the lecture's."""


SLUGS = RegexValidator(
    rf"\A{SLUG}\Z", "Small letters a–z and digits, with single hyphens between: first-cnn."
)
PLACES = [MinValueValidator(NUMBERS[0]), MaxValueValidator(NUMBERS[-1])]
"""What a file's name can hold: what is made here can be dumped, and loaded again."""


def digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


class Section(models.Model):
    """A section of the course: its lectures in order."""

    number = models.PositiveSmallIntegerField(
        help_text="Its place in the course.", validators=PLACES
    )
    slug = models.SlugField(max_length=60, unique=True, validators=[SLUGS])
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


class State(models.TextChoices):
    COMING = "coming", "Coming"
    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    CHANGED = "changed", "Published, with changes"


class Lecture(models.Model):
    """`source` is the whole file as its authors have it now, `published` as students see it.

    `version` grows with each change of either, so that of two who edit at once the second is
    told. `loaded` is the digest of what load_course brought.
    """

    section = models.ForeignKey(Section, models.PROTECT, related_name="lectures")
    number = models.PositiveSmallIntegerField(
        help_text="Its place in the section.", validators=PLACES
    )
    slug = models.SlugField(max_length=60, validators=[SLUGS])
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
    def digest(self) -> str:
        return digest(f"{self.number}\n{self.source}")

    @property
    def is_edited(self) -> bool:
        """Does its place or its source differ from what load_course brought?"""
        return self.digest != self.loaded

    @property
    def questions(self) -> Mapping[str, Template]:
        """What students are asked."""
        return questions_in(self.published)

    @property
    def state(self) -> State:
        """Coming: nothing is written below the front matter yet."""
        if self.is_published:
            return State.CHANGED if self.is_changed else State.PUBLISHED
        return State.DRAFT if body_of(self.source).strip() else State.COMING

    def rewrite(self, source: str, version: int, reason: str = "") -> bool:
        """Take a new source in. False where another has changed it since `version`.

        Its `status:` says what the lecture is: publishing is another verb.
        """
        source = _stated(source, PUBLISHED if self.is_published else DRAFT)
        return self._take(source, self.published, version, reason)

    def publish(self, source: str | None = None, version: int | None = None) -> bool:
        """Show the source, or this new one, to students. False where another was faster."""
        shown = _stated(self.source if source is None else source, PUBLISHED)
        return self._take(shown, shown, version, "published")

    def withdraw(self, source: str | None = None, version: int | None = None) -> bool:
        """Take it from the students' sight; the text stays. False where another was faster."""
        kept = _stated(self.source if source is None else source, DRAFT)
        return self._take(kept, "", version, "withdrawn")

    @transaction.atomic
    def _take(self, source: str, published: str, version: int | None, reason: str) -> bool:
        version = self.version if version is None else version
        mine = Lecture.objects.filter(pk=self.pk, version=version)
        if not mine.update(version=F("version") + 1):
            return False
        self.source, self.published, self.version = source, published, version + 1
        self._change_reason = reason or None
        changed = ["source", "published", "title", "summary", "minutes", "labs", "changed"]
        self.save(update_fields=changed)
        return True

    def renumber(self, number: int) -> None:
        """Give it another place in its section, and touch nothing else."""
        self.refresh_from_db()
        self.number = number
        self.save(update_fields=["number", "changed"])

    def set_aside(self, source: str, user: User) -> None:
        """Keep a text in the history that does not become the lecture's."""
        Lecture.history.model.objects.create(
            **{name: getattr(self, name) for name in ("id", "section_id", "number", "slug")},
            source=normalised(source),
            title=self.title,
            version=self.version,
            history_date=timezone.now(),
            history_type="~",
            history_user=user,
            history_change_reason=SET_ASIDE,
        )

    @property
    def last_change(self) -> Any:
        """The newest entry of the history, of what has been the lecture's text."""
        return self.history.exclude(history_change_reason=SET_ASIDE).first()


def _stated(source: str, status: str) -> str:
    """The source with this status; one whose front matter cannot be read stays as it is."""
    source = normalised(source)
    return with_status(source, status) if read(source).front else source
