"""A lecture's file: its front matter (YAML between two lines of ---), and the text below it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

DRAFT, PUBLISHED = "draft", "published"
LONGEST = 100_000
"""Characters of a lecture. The longest that ships has a fifth of it."""
LONGEST_HEAD = 10_000
"""Characters of its front matter, which is read on the way to the database, too."""
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


class BadYaml(ValueError):
    """What is wrong with a piece of YAML, and at which of its lines, from 0."""

    def __init__(self, message: str, line: int = 0, todo: str = "") -> None:
        super().__init__(message)
        self.line, self.todo = line, todo


class Loader(yaml.SafeLoader):
    """YAML without anchors and aliases: no lecture needs them, and 9×9 of them fill a machine."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            says = "a lecture has no anchors (&) and aliases (*)"
            raise yaml.MarkedYAMLError(problem=says, problem_mark=event.start_mark)
        return super().compose_node(parent, index)


QUOTES = "Text with a colon, or with {{…}}, * or & first, needs quotes, or | and lines below."
TWICE = "In double quotation marks a backslash is written twice, \\\\frac; in single ones once."


def said_in(text: str) -> Any:
    """What a piece of YAML says. Raises BadYaml."""
    try:
        said = yaml.load(text, Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as fault:  # a date of a 45th, say
        mark = getattr(fault, "problem_mark", None)
        line = text.count("\n", 0, mark.index) if mark else 0
        raise BadYaml(getattr(fault, "problem", "") or "it is no YAML", line, QUOTES) from None
    if flaw := flaw_of(said):
        raise BadYaml(flaw, todo=TWICE if "backslash" in flaw else "")
    return said


LARGEST = 1e15
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f].{0,8}|(?<=\$)\t.{0,8}")
SURROGATE = re.compile("[\ud800-\udfff]")


def flaw_of(said: Any) -> str:
    """What no page could show of what YAML or JSON says: a sentence, or "".

    A control character is what YAML has made of `\\f` or `\\t` in a formula.
    """
    if isinstance(said, dict):
        said = [*said, *said.values()]
    if isinstance(said, list):
        return next((flaw for part in said if (flaw := flaw_of(part))), "")
    if isinstance(said, int | float):
        return "" if abs(said) <= LARGEST else "a number is too large"
    if said is not None and not isinstance(said, str):
        return f"“{said}” is neither a text nor a number: put it in quotation marks"
    if found := CONTROL.search(said or ""):
        return f"a backslash is lost before “{found[0][1:]}”"
    return "half a character (a surrogate) cannot be shown" if SURROGATE.search(said or "") else ""


@dataclass(frozen=True)
class File:
    """A lecture's file taken apart. `first` is the line of the text's first line, from 1."""

    front: Front | None
    text: str
    first: int
    problems: tuple[Problem, ...] = ()
    head: str = ""

    def line_of(self, name: str, text: str = "") -> int:
        """The line of the front matter where a field begins, or where it has this text."""
        lines = self.head.split("\n")
        at = next((n for n, line in enumerate(lines) if line.startswith(f"{name}:")), 0)
        return 2 + next((n for n in range(at, len(lines)) if text in lines[n]), at)


def too_long(source: str) -> str:
    """Why a text is too long to be a lecture, as a sentence; or ""."""
    if len(source) <= LONGEST:
        return ""
    return f"The text has {len(source):,} characters, and a lecture takes {LONGEST:,} at most"


def length_of(source: str) -> tuple[Problem, ...]:
    says = too_long(source)
    return (Problem(1, says, "Make two lectures of it."),) if says else ()


def normalised(source: str) -> str:
    """Line ends as \\n; nothing else is touched."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def read(source: str) -> File:
    """Take a file apart. What is wrong with its front matter is told, and never raised."""
    if found := SURROGATE.search(source):
        line = source.count("\n", 0, found.start()) + 1
        return File(None, "", 1, (Problem(line, "Half a character (a surrogate) stands here"),))
    head, fence, text = _parted(source)
    if not (source.startswith(FENCE) and fence):
        todo = "Begin the file with a line of ---, title: …, summary: …, and another line of ---."
        return File(None, source, 1, (Problem(1, "The front matter is missing", todo),))
    first = head.count("\n") + 4
    if len(head) > LONGEST_HEAD:
        says = f"The front matter has more than {LONGEST_HEAD:,} characters"
        return File(None, text, first, (Problem(1, says, "Put the text below it."),))
    try:
        said = said_in(head)
    except BadYaml as fault:
        told = Problem(fault.line + 2, f"The front matter: {fault}", fault.todo)
        return File(None, text, first, (told,))
    if not isinstance(said, dict):
        return File(None, text, first, (Problem(2, "The front matter has no `title: …`"),))
    try:
        return File(Front.model_validate(said), text, first, head=head)
    except ValidationError as fault:
        file = File(None, text, first, head=head)
        return replace(file, problems=tuple(_problem(file, error) for error in fault.errors()))


def _parted(source: str) -> tuple[str, str, str]:
    return f"{source}\n".removeprefix(FENCE).partition(f"\n{FENCE}")


def _problem(file: File, error: object) -> Problem:
    assert isinstance(error, dict)
    name = str(error["loc"][0]) if error["loc"] else "front matter"
    known = ", ".join(Front.model_fields)
    says = {
        "missing": (f"`{name}` is missing", f"Add a line `{name}: …` to the front matter."),
        "extra_forbidden": (f"`{name}` is not known here", f"Known are {known}."),
        "literal_error": ("`status` is neither draft nor published", "Write one of the two."),
    }
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(file.line_of(name), *says.get(str(error["type"]), (f"`{name}`: {message}", "")))


def with_status(source: str, status: str) -> str:
    """A file whose front matter can be read, with another status; nothing else changes."""
    head = _parted(source)[0]
    whole = yaml.compose(head, Loader)
    assert isinstance(whole, yaml.MappingNode)  # it can be read
    fields = {name.value: value for name, value in whole.value}
    said = fields.get("status")
    if said is None:  # merged in with <<
        return source
    start, end = (len(FENCE) + mark.index for mark in (said.start_mark, said.end_mark))
    end = start + len(source[start:end].rstrip())
    return source[:start] + status + source[end:]
