"""`manage.py load_course`: bring the lectures of a folder into the site."""

from __future__ import annotations

import difflib
import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from courses.content import CONTENT, BadFolder, LectureFile, SectionFolder, sections_in
from courses.front import PUBLISHED, normalised, read
from courses.models import Lecture, Picture, Section
from courses.models.lecture import digest

FEW = 5


class Command(BaseCommand):
    help = (
        "Bring the lectures of a folder into the site. What is the same stays; a lecture that was "
        "edited in the site is never overwritten: it is named, and the difference is shown."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--content", type=Path, default=CONTENT, help="the course's folder")
        parser.add_argument(
            "--overwrite",
            action="append",
            default=[],
            metavar="SECTION/LECTURE",
            help="take this lecture from its file, edited or not; its history keeps what it was",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            sections = list(sections_in(options["content"]))
        except BadFolder as fault:
            raise CommandError(str(fault)) from None
        _refuse_what_cannot_be_read(sections)
        self.counts = {"new": 0, "changed": 0, "the same": 0, "edited here, and kept": 0}
        with transaction.atomic():
            for folder in sections:
                section = self.section(folder)
                for file in folder.lectures:
                    name = f"{folder.slug}/{file.slug}"
                    self.counts[self.lecture(section, file, name in options["overwrite"])] += 1
                    _pictures(file)
        self.strangers(sections)
        said = ", ".join(f"{count} {what}" for what, count in self.counts.items() if count)
        if options["verbosity"]:
            self.stdout.write(f"{sum(self.counts.values())} lectures: {said or 'none'}.")

    def section(self, folder: SectionFolder) -> Section:
        row = Section.objects.filter(slug=folder.slug).first() or Section(slug=folder.slug)
        before = (row.number, row.title, row.summary)
        after = (folder.number, folder.title, folder.summary)
        if before == after:
            return row
        if row.pk and row.is_edited:
            self.stdout.write(f"The section {folder.slug} was edited here, and is kept.")
            return row
        row.number, row.title, row.summary = after
        row.loaded = row.digest
        row.save()
        return row

    def lecture(self, section: Section, file: LectureFile, overwrite: bool) -> str:
        """Bring one lecture in; says what became of it."""
        source = normalised(file.source)
        row = Lecture.objects.filter(section=section, slug=file.slug).first()
        if row is None:
            return _bring(Lecture(section=section, slug=file.slug, number=file.number), source)
        if row.source == source:
            if row.loaded != digest(source):
                Lecture.objects.filter(pk=row.pk).update(loaded=digest(source))
            return "the same"
        if row.is_edited and not overwrite:
            self.show_difference(row, file, source)
            return "edited here, and kept"
        row.number = file.number
        row.version += 1
        _bring(row, source)
        return "changed"

    def show_difference(self, row: Lecture, file: LectureFile, source: str) -> None:
        name = f"{row.section.slug}/{row.slug}"
        self.stdout.write(
            f"{name} was edited here, and is kept. To take the file instead: "
            f"manage.py load_course --overwrite {name}"
        )
        lines = difflib.unified_diff(
            row.source.splitlines(),
            source.splitlines(),
            "as it is here",
            str(file.path),
            lineterm="",
        )
        self.stdout.writelines(f"    {line}" for line in lines)

    def strangers(self, sections: list[SectionFolder]) -> None:
        known = {(folder.slug, file.slug) for folder in sections for file in folder.lectures}
        rows = Lecture.objects.values_list("section__slug", "slug")
        found = [f"{section}/{slug}" for section, slug in rows if (section, slug) not in known]
        for name in found[:FEW]:
            self.stdout.write(f"{name} is here, and in no file of this folder.")
        if found[FEW:]:
            self.stdout.write(f"So are {len(found) - FEW} more.")


def _bring(row: Lecture, source: str) -> str:
    front = read(source).front
    assert front is not None
    row.source, row.loaded = source, digest(source)
    row.published = source if front.status == PUBLISHED else ""
    setattr(row, "_change_reason", "load_course")  # noqa: B010 (django-simple-history's word)
    row.save()
    return "new"


def _pictures(file: LectureFile) -> None:
    """The pictures that lie beside a lecture."""
    for path in sorted((file.path.parent / "pictures").glob("*.png")):
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        row = Picture.objects.filter(name=path.name).first() or Picture(name=path.name)
        if row.sha256 != sha256 or not row.path.is_file():
            row.sha256 = sha256
            row.write(content)


def _refuse_what_cannot_be_read(sections: list[SectionFolder]) -> None:
    problems = [
        f"{file.path}:{problem.line}: {problem}"
        for folder in sections
        for file in folder.lectures
        for problem in read(normalised(file.source)).problems
    ]
    if problems:
        raise CommandError("\n".join(["Nothing was brought in.", *problems]))
