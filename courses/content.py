"""The course as text: courses/content/NN-section/section.toml and NN-section/NN-lecture.md."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONTENT = Path(__file__).parent / "content"
NUMBERED = re.compile(r"([0-9]{2})-([a-z0-9]+(?:-[a-z0-9]+)*)")


class BadFolder(ValueError):
    """A sentence: what is wrong with the course's folder."""


@dataclass(frozen=True)
class LectureFile:
    """A lecture's file: its number in the section, its slug, and the text."""

    path: Path
    number: int
    slug: str
    source: str


@dataclass(frozen=True)
class SectionFolder:
    """A section's folder: what section.toml says, and its lectures in order."""

    number: int
    slug: str
    title: str
    summary: str
    lectures: tuple[LectureFile, ...]


def sections_in(folder: Path = CONTENT) -> Iterator[SectionFolder]:
    """Every section of a course's folder, in order. Raises BadFolder."""
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and NUMBERED.fullmatch(p.name)):
        number, slug = _numbered(path.name)
        about = _about(path / "section.toml")
        lectures = tuple(_lecture(file) for file in sorted(path.glob("*.md")))
        numbers = [lecture.number for lecture in lectures]
        if len(set(numbers)) < len(numbers):
            raise BadFolder(f"{path} has two lectures of one number: {sorted(numbers)}")
        yield SectionFolder(number, slug, about["title"], about["summary"], lectures)


def _numbered(name: str) -> tuple[int, str]:
    found = NUMBERED.fullmatch(name)
    if found is None:
        raise BadFolder(f"{name} has no number and slug, such as 05-convolution")
    return int(found[1]), found[2]


def _about(path: Path) -> dict[str, str]:
    try:
        about = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as fault:
        raise BadFolder(f"{path} cannot be read: {fault}") from None
    if set(about) != {"title", "summary"} or not all(isinstance(v, str) for v in about.values()):
        raise BadFolder(f"{path} must hold title = … and summary = …, and nothing else")
    return about


def _lecture(path: Path) -> LectureFile:
    number, slug = _numbered(path.stem)
    return LectureFile(path, number, slug, path.read_bytes().decode())


def section_toml(title: str, summary: str) -> str:
    """section.toml as dump_course writes it."""
    said = (
        f"{k} = {json.dumps(v, ensure_ascii=False)}"
        for k, v in (("title", title), ("summary", summary))
    )
    return "\n".join([*said, ""])
