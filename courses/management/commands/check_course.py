"""`manage.py check_course [FILE …]`: what is wrong in the lectures, by file and line."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from courses.check import problems_in
from courses.content import (
    CONTENT,
    BadFolder,
    LectureFile,
    SectionFolder,
    sections_in,
    seen_in,
)


class Command(BaseCommand):
    help = (
        "Check the lectures of a folder (or these of it): front matter, links, labs, "
        "questions, formulas, pictures; and run their Python blocks."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, help="only these files and folders")
        parser.add_argument("--content", type=Path, default=CONTENT, help="the course's folder")
        parser.add_argument("--no-code", action="store_true", help="do not run the Python blocks")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            sections = list(sections_in(options["content"]))
        except (BadFolder, OSError) as fault:
            raise CommandError(str(fault)) from None
        places = {f"/course/{s.slug}/" for s in sections}
        places |= {f"/course/{s.slug}/{file.slug}/" for s in sections for file in s.lectures}
        files = list(_named(options["files"] or [options["content"]], sections))
        count = 0
        for file in files:
            pictures = {path.name for path in seen_in(file.path.parent / "pictures", "*.png")}
            for problem in problems_in(file.source, places, pictures, not options["no_code"]):
                self.stdout.write(f"{file.path}:{problem.line}: {problem}")
                count += 1
        if count:
            raise CommandError(f"Problems: {count}. Lectures looked at: {len(files)}.")
        self.stdout.write(f"{len(files)} lectures, and nothing is wrong.")


def _named(paths: list[Path], sections: list[SectionFolder]) -> Iterator[LectureFile]:
    """The lectures of these files and folders. Raises CommandError where one of them has none."""
    for path in paths:
        at = path.resolve()
        lectures = [file for section in sections for file in section.lectures]
        found = [f for f in lectures if at in (f.path.resolve(), *f.path.resolve().parents)]
        if not found:
            raise CommandError(
                f"{path} is no lecture of the course: lectures are NN-section/NN-lecture.md in "
                "the folder of --content."
            )
        yield from found
