"""`manage.py dump_course`: write the lectures of the site as files."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from courses.content import CONTENT, section_toml, seen_in
from courses.models import Lecture, Picture, Section
from courses.rules import PICTURE


class Command(BaseCommand):
    help = (
        "Write sections, lectures and pictures into a folder, as load_course reads them: of each "
        "lecture what students see, or the draft where nothing is published."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--content", type=Path, default=CONTENT, help="the folder to write to")
        parser.add_argument(
            "--drafts", action="store_true", help="of every lecture the text as its authors have it"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        written: set[Path] = set()
        for section in Section.objects.all():
            folder = options["content"] / f"{section.number:02}-{section.slug}"
            folder.mkdir(parents=True, exist_ok=True)
            written.add(
                _write(folder / "section.toml", section_toml(section.title, section.summary))
            )
            for lecture in section.lectures.all():
                text = lecture.source if options["drafts"] else lecture.published or lecture.source
                written.add(_write(folder / f"{lecture.number:02}-{lecture.slug}.md", text))
                _pictures(folder, text)
        for path in seen_in(options["content"], "*/*.md"):
            if path not in written:
                self.stdout.write(f"{path} is no lecture of the site. It was left alone.")
        self.stdout.write(f"{Lecture.objects.count()} lectures written to {options['content']}.")


def _write(path: Path, text: str) -> Path:
    """Byte for byte: no line end is changed. A file that is the same is left alone."""
    content = text.encode()
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)
    return path


def _pictures(folder: Path, text: str) -> None:
    names = {found[1] for found in re.finditer(PICTURE, text)}
    for picture in Picture.objects.filter(name__in=names):
        target = folder / "pictures" / picture.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(picture.path.read_bytes())
