"""A lecture's file: its front matter (YAML between two lines of ---), and the text below it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from courses import typed
from courses.typed import QUOTES, SURROGATE, BadYaml, Typed

DRAFT, PUBLISHED = "draft", "published"
PARTS = re.compile(r"(---[ \t]*\n)(.*?)^---[ \t]*(?:\n|\Z)", re.S | re.M)
LONGEST = 100_000
"""Characters of a lecture. The longest that ships has a fifth of it."""
LONGEST_HEAD = 10_000
"""Characters of its front matter, which is read on the way to the database, too."""


class Front(BaseModel):
    """What the front matter says: the author's schema, and what the pages show of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=120)
    summary: str = Field(min_length=1, max_length=300)
    minutes: int = Field(ge=1, le=90)
    status: Literal["draft", "published"]
    objectives: tuple[str, ...] = Field(default=(), max_length=6)
    prerequisites: tuple[str, ...] = ()
    labs: tuple[str, ...] = ()
    key_points: tuple[str, ...] = Field(default=(), max_length=8)
    sources: tuple[str, ...] = ()

    @field_validator("objectives")
    @classmethod
    def says_you_can(cls, said: tuple[str, ...]) -> tuple[str, ...]:
        for sentence in said:
            if not sentence.startswith("You can "):
                raise ValueError(f"an objective begins with “You can”: “{sentence}”")
        return said


@dataclass(frozen=True)
class Problem:
    """What is wrong in a lecture: the line (from 1), the fault, and what to do.

    A doubt can be meant as it stands: publishing asks about it, and does not refuse.
    """

    line: int
    message: str
    todo: str = ""
    is_doubt: bool = False

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.todo}".strip()


@dataclass(frozen=True)
class File:
    """A lecture's file taken apart. `first` is the line of the text's first line, from 1."""

    front: Front | None
    text: str
    first: int
    problems: tuple[Problem, ...] = ()
    head: str = ""
    typed: Typed | None = None

    def line_of(self, *path: str | int) -> int:
        """The line where a part of the front matter begins: a field, or one of its entries."""
        return 2 + (self.typed.line_of(path) if self.typed else 0)


def too_long(source: str) -> str:
    """Why a text is too long to be a lecture, as a sentence; or ""."""
    if len(source) <= LONGEST:
        return ""
    return f"The text has {len(source):,} characters, and a lecture takes {LONGEST:,} at most"


def length_of(source: str) -> tuple[Problem, ...]:
    says = too_long(source)
    return (Problem(1, says, "Make two lectures of it."),) if says else ()


def normalised(source: str) -> str:
    """Line ends as \\n, and no byte order mark; nothing else is touched."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def body_of(source: str) -> str:
    """The text below the front matter; all of it where there is none."""
    found = PARTS.match(source)
    return source[found.end() :] if found else source


def read(source: str) -> File:
    """Take a file apart. What is wrong with its front matter is told, and never raised."""
    if found := re.search(f"\0|{SURROGATE.pattern}", source):
        line = source.count("\n", 0, found.start()) + 1
        what = "Half a character (a surrogate)" if found[0] != "\0" else "A character NUL"
        return File(None, "", 1, (Problem(line, f"{what} stands here", "Take it out."),))
    parts = PARTS.match(source)
    if parts is None:
        todo = "Begin the file with a line of ---, title: …, summary: …, and another line of ---."
        return File(None, source, 1, (Problem(1, "The front matter is missing", todo),))
    text, first = source[parts.end() :], source.count("\n", 0, parts.end()) + 1
    head = parts[2].removesuffix("\n")
    if len(head) > LONGEST_HEAD:
        says = f"The front matter has more than {LONGEST_HEAD:,} characters"
        return File(None, text, first, (Problem(1, says, "Put the text below it."),))
    try:
        said = typed.load(head)
    except BadYaml as fault:
        told = Problem(fault.line + 2, f"The front matter: {fault}", fault.todo)
        return File(None, text, first, (told,))
    if not isinstance(said.value, dict):
        return File(None, text, first, (Problem(2, "The front matter has no `title: …`"),))
    front, errors = _front(said)
    problems = [Problem(at + 2, f"`{name}` stands here twice", TWICE) for name, at in said.twice]
    problems += [_problem(said, error) for error in errors]
    return File(front, text, first, tuple(problems), head, said)


TWICE = "Take one of them out: the last one counts."


def _front(said: Typed) -> tuple[Front | None, list[Any]]:
    try:
        return Front.model_validate(said.value), []
    except ValidationError as fault:
        return None, list(fault.errors())


def _problem(said: Typed, error: dict[str, Any]) -> Problem:
    name = str(error["loc"][0]) if error["loc"] else "front matter"
    known = ", ".join(Front.model_fields)
    says = {
        "missing": (f"`{name}` is missing", f"Add a line `{name}: …` to the front matter."),
        "extra_forbidden": (f"`{name}` is not known here", f"Known are {known}."),
        "literal_error": ("`status` is neither draft nor published", "Write one of the two."),
        "string_type": (f"`{name}`: a text is needed, not a list or a mapping", QUOTES),
    }
    message = str(error["msg"]).removeprefix("Value error, ")
    told = says.get(str(error["type"]), (f"`{name}`: {message}", ""))
    return Problem(said.line_of(error["loc"]) + 2, *told)


def with_status(source: str, status: str) -> str:
    """A file whose front matter can be read, with another status; nothing else changes."""
    parts = PARTS.match(source)
    assert parts is not None  # it can be read
    place = typed.load(parts[2]).places[("status",)]
    start, end = (parts.start(2) + index for index in (place.start, place.end))
    end = start + len(source[start:end].rstrip())
    return source[:start] + status + source[end:]
