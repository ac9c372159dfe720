"""A lecture's file: its front matter (YAML between two lines of ---), and the text below it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

DRAFT, PUBLISHED = "draft", "published"
FENCE = "---\n"


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
    """What is wrong in a lecture: the line (from 1), the fault, and what to do."""

    line: int
    message: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.todo}".strip()


TWICE = "In double quotation marks a backslash is written twice, \\\\frac; in single ones once."


def lost_backslash(said: Any) -> str:
    """Where YAML has made a control character of `\\f` or `\\t` in a formula: a sentence, or ""."""
    if isinstance(said, dict):
        return next((lost for part in said.values() if (lost := lost_backslash(part))), "")
    if isinstance(said, list):
        return next((lost for part in said if (lost := lost_backslash(part))), "")
    found = re.search(r"[\x00-\x08\x0b-\x1f\x7f].{0,8}|(?<=\$)\t.{0,8}", str(said))
    return f"a backslash is lost before “{found[0][1:]}”" if found else ""


@dataclass(frozen=True)
class File:
    """A lecture's file taken apart. `first` is the line of the text's first line, from 1."""

    front: Front | None
    text: str
    first: int
    problems: tuple[Problem, ...] = ()


def normalised(source: str) -> str:
    """Line ends as \\n; nothing else is touched."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def read(source: str) -> File:
    """Take a file apart. What is wrong with its front matter is told, and never raised."""
    head, fence, text = source.removeprefix(FENCE).partition("\n" + FENCE)
    if not (source.startswith(FENCE) and (fence or source.endswith("\n---"))):
        todo = "Begin the file with a line of ---, title: …, summary: …, and another line of ---."
        return File(None, source, 1, (Problem(1, "The front matter is missing", todo),))
    first = head.count("\n") + 4
    try:
        said = yaml.safe_load(head)
    except (yaml.YAMLError, ValueError, RecursionError) as fault:  # a date of a 45th, say
        mark = getattr(fault, "problem_mark", None)
        line = (mark.line if mark else 0) + 2
        what = getattr(fault, "problem", "") or "it is no YAML"
        todo = "Text with a colon in it needs quotation marks around it."
        return File(None, text, first, (Problem(line, f"The front matter: {what}", todo),))
    if not isinstance(said, dict):
        return File(None, text, first, (Problem(2, "The front matter has no `title: …`"),))
    if lost := lost_backslash(said):
        return File(None, text, first, (Problem(2, f"The front matter: {lost}", TWICE),))
    try:
        return File(Front.model_validate(said), text, first)
    except ValidationError as fault:
        found = tuple(_problem(head, error) for error in fault.errors())
        return File(None, text, first, found)


def _problem(head: str, error: object) -> Problem:
    assert isinstance(error, dict)
    name = str(error["loc"][0]) if error["loc"] else "front matter"
    lines = head.split("\n")
    line = next((n for n, text in enumerate(lines, 2) if text.startswith(f"{name}:")), 2)
    known = ", ".join(Front.model_fields)
    says = {
        "missing": (f"`{name}` is missing", f"Add a line `{name}: …` to the front matter."),
        "extra_forbidden": (f"`{name}` is not known here", f"Known are {known}."),
        "literal_error": ("`status` is neither draft nor published", "Write one of the two."),
    }
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(line, *says.get(str(error["type"]), (f"`{name}`: {message}", "")))


def with_status(source: str, status: str) -> str:
    """The same file with another status; nothing else changes."""
    lines = source.split("\n")
    end = lines.index("---", 1)
    for n in range(1, end):
        if lines[n].startswith("status:"):
            lines[n] = f"status: {status}"
            return "\n".join(lines)
    return "\n".join([*lines[:end], f"status: {status}", *lines[end:]])
