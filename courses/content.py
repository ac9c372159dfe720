"""The course as text: courses/content/NN-section/section.toml and NN-section/NN-lecture.md."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from courses.front import normalised

CONTENT = Path(__file__).parent / "content"
SLUG = "[a-z0-9]+(?:-[a-z0-9]+)*"
NUMBERS = range(1, 100)
NUMBERED = re.compile(rf"((?!00)[0-9]{{2}})-({SLUG})")


class BadFolder(ValueError):
    """A sentence: what is wrong with the course's folder."""


@dataclass(frozen=True)
class LectureFile:
    """A lecture's file: its number in the section, its slug, and the text, normalised."""

    path: Path
    number: int
    slug: str
    source: str


@dataclass(frozen=True)
class SectionFolder:
    """A section's folder: what section.toml says, and its lectures in order."""

    path: Path
    number: int
    slug: str
    title: str
    summary: str
    lectures: tuple[LectureFile, ...]


def sections_in(folder: Path = CONTENT) -> Iterator[SectionFolder]:
    """Every section of a course's folder, in order. Raises BadFolder, and OSError without one."""
    paths = sorted(p for p in folder.iterdir() if not _is_hidden(p, folder) and _is_section(p))
    _refuse_alike(folder, "sections", [path.name for path in paths])
    for path in paths:
        number, slug = _numbered(path.name)
        about = _about(path / "section.toml")
        files = seen_in(path, "*.md")
        _refuse_alike(path, "lectures", [file.stem for file in files])
        lectures = tuple(_lecture(file) for file in files)
        yield SectionFolder(path, number, slug, about["title"], about["summary"], lectures)


def seen_in(folder: Path, pattern: str) -> list[Path]:
    """What matches in a folder, in order, without what systems and editors hide in it.

    `._x.md` is what macOS writes beside x.md, `.#x.md` the mark of Emacs that x.md is open.
    """
    return sorted(path for path in folder.glob(pattern) if not _is_hidden(path, folder))


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _is_section(path: Path) -> bool:
    is_named = path.is_dir() and NUMBERED.fullmatch(path.name)
    return bool(is_named) or (path / "section.toml").is_file()


def _refuse_alike(folder: Path, kind: str, names: Sequence[str]) -> None:
    places = [_numbered(name) for name in names]
    for n, what in enumerate(("number", "slug")):
        count = Counter(place[n] for place in places)
        alike = [name for name, place in zip(names, places, strict=True) if count[place[n]] > 1]
        if alike:
            raise BadFolder(f"{folder} has two {kind} of one {what}: {', '.join(alike)}")


def _numbered(name: str) -> tuple[int, str]:
    found = NUMBERED.fullmatch(name)
    if found is None:
        raise BadFolder(f"{name} has no number and slug, such as 05-convolution")
    return int(found[1]), found[2]


def _about(path: Path) -> dict[str, str]:
    try:
        about = tomllib.loads(_text(path))
    except (OSError, tomllib.TOMLDecodeError) as fault:
        raise BadFolder(f"{path} cannot be read: {fault}") from None
    if set(about) != {"title", "summary"} or not all(isinstance(v, str) for v in about.values()):
        raise BadFolder(f"{path} must hold title = … and summary = …, and nothing else")
    return about


def _lecture(path: Path) -> LectureFile:
    number, slug = _numbered(path.stem)
    return LectureFile(path, number, slug, _text(path))


def _text(path: Path) -> str:
    """A file as the site keeps it. Raises BadFolder where it is no UTF-8, and OSError."""
    content = path.read_bytes()
    try:
        return normalised(content.decode())
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise BadFolder(
            f"{path}:{line} is no UTF-8 text. Save the file again as UTF-8 (editors have it under "
            "Save as, or Encoding), then look whether its accents and quotation marks are right."
        ) from None


def section_toml(title: str, summary: str) -> str:
    """section.toml as dump_course writes it."""
    said = (
        f"{k} = {json.dumps(v, ensure_ascii=False)}"
        for k, v in (("title", title), ("summary", summary))
    )
    # JSON lets this one character stand as it is, and TOML does not.
    return "\n".join([*said, ""]).replace("\x7f", "\\u007f")
