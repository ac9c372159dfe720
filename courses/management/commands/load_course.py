"""`manage.py load_course`: bring the lectures of a folder into the site."""

from __future__ import annotations

import difflib
import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from courses.content import (
    CONTENT,
    BadFolder,
    LectureFile,
    SectionFolder,
    sections_in,
    seen_in,
)
from courses.front import PUBLISHED, Problem, length_of, read
from courses.markdown import render
from courses.models import Lecture, Picture, Section

FEW = 5


class Command(BaseCommand):
    help = (
        "Bring the lectures of a folder into the site. What is the same stays; what was edited in "
        "the site is never overwritten: it is named, and the difference is shown."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--content", type=Path, default=CONTENT, help="the course's folder")
        parser.add_argument(
            "--overwrite",
            action="append",
            default=[],
            metavar="SECTION[/LECTURE]",
            help="take this from its file, edited or not; a lecture's history keeps what it was",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            sections = list(sections_in(options["content"]))
        except (BadFolder, OSError) as fault:
            raise CommandError(str(fault)) from None
        _refuse_names_of_nothing(sections, options["overwrite"])
        _refuse_what_cannot_be_read(sections)
        self.counts = {"new": 0, "changed": 0, "the same": 0, "edited here, and kept": 0}
        with transaction.atomic():
            for folder in sections:
                section = self.section(folder, folder.slug in options["overwrite"])
                _pictures(folder)
                for file in folder.lectures:
                    name = f"{folder.slug}/{file.slug}"
                    self.counts[self.lecture(section, file, name in options["overwrite"])] += 1
        self.strangers(sections)
        said = ", ".join(f"{count} {what}" for what, count in self.counts.items() if count)
        if options["verbosity"]:
            self.stdout.write(f"{sum(self.counts.values())} lectures: {said or 'none'}.")

    def section(self, folder: SectionFolder, overwrite: bool) -> Section:
        row = Section.objects.filter(slug=folder.slug).first() or Section(slug=folder.slug)
        before = (row.number, row.title, row.summary)
        after = (folder.number, folder.title, folder.summary)
        if before != after and row.pk and row.is_edited and not overwrite:
            self.kept(f"The section {folder.slug}", folder.slug)
            return row
        row.number, row.title, row.summary = after
        if before != after or row.is_edited:
            row.loaded = row.digest
            row.save()
        return row

    def lecture(self, section: Section, file: LectureFile, overwrite: bool) -> str:
        """Bring one lecture in; says what became of it."""
        source = file.source
        row = Lecture.objects.filter(section=section, slug=file.slug).first()
        if row is None:
            row = Lecture(section=section, slug=file.slug)
            _bring(row, file.number, source)
            return "new"
        if (row.number, row.source) == (file.number, source):
            if row.is_edited:
                Lecture.objects.filter(pk=row.pk).update(loaded=row.digest)
            return "the same"
        if row.is_edited and not overwrite:
            self.show_difference(row, file, source)
            return "edited here, and kept"
        row.version += 1
        _bring(row, file.number, source)
        return "changed"

    def kept(self, what: str, name: str) -> None:
        self.stdout.write(
            f"{what} was edited here, and is kept. To take the file instead: "
            f"manage.py load_course --overwrite {name}"
        )

    def show_difference(self, row: Lecture, file: LectureFile, source: str) -> None:
        name = f"{row.section.slug}/{row.slug}"
        self.kept(name, name)
        if row.number != file.number:
            self.stdout.write(f"    Its number is {row.number} here, and {file.number} there.")
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


def _bring(row: Lecture, number: int, source: str) -> None:
    front = read(source).front
    assert front is not None
    row.number, row.source = number, source
    row.published = source if front.status == PUBLISHED else ""
    row.loaded = row.digest
    setattr(row, "_change_reason", "load_course")  # noqa: B010 (django-simple-history's word)
    row.save()


def _pictures(folder: SectionFolder) -> None:
    """The pictures of a section's lectures."""
    for path in seen_in(folder.path / "pictures", "*.png"):
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        row = Picture.objects.filter(name=path.name).first() or Picture(name=path.name)
        if row.sha256 != sha256 or not row.path.is_file():
            row.sha256 = sha256
            row.write(content)


def _refuse_names_of_nothing(sections: list[SectionFolder], names: list[str]) -> None:
    known = {folder.slug for folder in sections}
    known |= {f"{folder.slug}/{file.slug}" for folder in sections for file in folder.lectures}
    if unknown := [name for name in names if name not in known]:
        raise CommandError(f"Nothing was brought in. No file is there for {', '.join(unknown)}.")


def _refuse_what_cannot_be_read(sections: list[SectionFolder]) -> None:
    # What students are shown already may stay: the site starts also where the renderer is stricter.
    shown = set(Lecture.objects.published().values_list("published", flat=True))
    problems = [
        f"{file.path}:{problem.line}: {problem}"
        for folder in sections
        for file in folder.lectures
        if file.source not in shown
        for problem in _faults(file.source)
    ]
    if problems:
        raise CommandError("\n".join(["Nothing was brought in.", *problems]))


def _faults(source: str) -> tuple[Problem, ...]:
    """Why a file cannot be taken: what a draft has in its front matter, what students would see."""
    front = read(source).front
    if front is not None and front.status == PUBLISHED:
        return render(source).problems
    return (*length_of(source), *read(source).problems)
