"""YAML as its author typed it: every scalar is the text that stands there, and knows its line.

YAML 1.1 makes other things of plain words: `Yes` becomes true, `010` eight, `12:30` 750, and a tag
such as `!!timestamp` whatever Python makes of it. Here `9` is the text "9" until a schema asks for
a number. No tags, anchors or aliases: no lecture needs them, and 9×9 aliases fill a machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_DEEP = 20
"""So many lists and mappings may stand in one another."""
MOST_PARTS = 10_000
LARGEST = 1e15
QUOTES = "Text with a colon, or with {{…}}, *, & or ! first, needs quotes, or | and lines below."
TWICE = "In double quotation marks a backslash is written twice, \\\\frac; in single ones once."
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f].{0,8}|(?<=\$)\t.{0,8}")
SURROGATE = re.compile("[\ud800-\udfff]")
NUMBER = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*(?:_[0-9]+)*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
)

Path = tuple[str | int, ...]


class BadYaml(ValueError):
    """What is wrong with a piece of YAML, and at which of its lines, from 0."""

    def __init__(self, message: str, line: int = 0, todo: str = "") -> None:
        super().__init__(message)
        self.line, self.todo = line, todo


class Bare(str):
    """A scalar without quotation marks: what may be a number where either can stand."""


@dataclass(frozen=True)
class Place:
    """Where a value is: the line where it begins, or its name does, and its part of the text."""

    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Typed:
    """What a piece of YAML says: dicts, lists and texts; None where it says nothing.

    `twice`: a name that a mapping has twice, with its line. The second counts.
    """

    value: Any
    places: Mapping[Path, Place]
    twice: tuple[tuple[str, int], ...]

    def line_of(self, path: Path) -> int:
        """The line, from 0, of the value at this path; where there is none, of what is around."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path].line if path in self.places else 0


def load(text: str) -> Typed:
    """What a piece of YAML says. Raises BadYaml, and nothing else."""
    reading = _Reading(text)
    try:
        for event in yaml.parse(text, yaml.BaseLoader):
            reading.take(event)
    except yaml.reader.ReaderError as fault:
        line = text.count("\n", 0, int(fault.position))
        raise BadYaml("a control character stands here", line, "Take it out.") from None
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        line = text.count("\n", 0, mark.index) if mark else reading.line
        raise BadYaml(fault.problem or "it is no YAML", line, QUOTES) from None
    except (yaml.YAMLError, ValueError) as fault:
        if isinstance(fault, BadYaml):
            raise
        raise BadYaml("it is no YAML", reading.line, QUOTES) from None
    return Typed(reading.value, reading.places, tuple(reading.twice))


@dataclass
class _Open:
    """A list or a mapping that has begun, and not yet ended."""

    path: Path
    into: dict[str, Any] | list[Any]
    start: int
    line: int
    name: str | None = None
    name_line: int = 0


@dataclass
class _Reading:
    text: str
    value: Any = None
    line: int = 0
    places: dict[Path, Place] = field(default_factory=dict)
    twice: list[tuple[str, int]] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    last_index: int = 0
    documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Build from one event more. Raises BadYaml."""
        start, end = _index(event.start_mark), _index(event.end_mark)
        self.line += self.text.count("\n", self.last_index, start)
        self.last_index = max(self.last_index, start)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise BadYaml("a line of --- ends it, and more follows", self.line, QUOTES)
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self.open.pop()
            self.places[closed.path] = Place(closed.line, closed.start, end)
        elif isinstance(event, yaml.NodeEvent):
            self._refuse(event)
            self._node(event, start, end)

    def _refuse(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            says = "a lecture has no anchors (&) and aliases (*)"
            raise BadYaml(says, self.line, QUOTES)
        if getattr(event, "tag", None) is not None:
            raise BadYaml("a lecture has no tags (!)", self.line, QUOTES)
        if len(self.open) == MOST_DEEP and not isinstance(event, yaml.ScalarEvent):
            raise BadYaml(f"lists stand in one another too deep: {MOST_DEEP} may", self.line)
        if len(self.places) == MOST_PARTS:
            raise BadYaml(f"it has more than {MOST_PARTS:,} parts", self.line)

    def _node(self, event: yaml.NodeEvent, start: int, end: int) -> None:
        around = self.open[-1] if self.open else None
        if around and isinstance(around.into, dict) and around.name is None:
            self._name(around, event)
            return
        path, line = self._path(around)
        if isinstance(event, yaml.ScalarEvent):
            value: Any = self._scalar(event)
            self.places[path] = Place(line, start, end)
        else:
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
            self.open.append(_Open(path, value, start, line))
        if around is None:
            self.value = value
        elif isinstance(around.into, list):
            around.into.append(value)
        else:
            assert around.name is not None
            around.into[around.name], around.name = value, None

    def _path(self, around: _Open | None) -> tuple[Path, int]:
        if around is None:
            return (), self.line
        if isinstance(around.into, list):
            return (*around.path, len(around.into)), self.line
        assert around.name is not None
        return (*around.path, around.name), around.name_line

    def _name(self, around: _Open, event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise BadYaml("a list or a mapping stands where a name does", self.line, QUOTES)
        name = self._scalar(event)
        if name in around.into:
            self.twice.append((name, self.line))
        around.name, around.name_line = str(name), self.line

    def _scalar(self, event: yaml.ScalarEvent) -> str:
        text = str(event.value)
        if flaw := flaw_of(text):
            raise BadYaml(flaw, self.line, TWICE if "backslash" in flaw else "")
        return Bare(text) if event.implicit[0] else text


def _index(mark: Any) -> int:
    return int(mark.index)


def with_numbers(said: Any) -> Any:
    """The same, with numbers for what is one and has no quotation marks. Raises ValueError."""
    if isinstance(said, dict):
        return {name: with_numbers(part) for name, part in said.items()}
    if isinstance(said, list):
        return [with_numbers(part) for part in said]
    if not isinstance(said, Bare) or not NUMBER.fullmatch(said):
        return said
    value = float(said)
    if abs(value) > LARGEST:
        raise ValueError("a number is too large")
    return value if re.search("[.eE]", said) else int(said)


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
    if found := CONTROL.search(said or ""):
        return f"a backslash is lost before “{found[0][1:]}”"
    return "half a character (a surrogate) cannot be shown" if SURROGATE.search(said or "") else ""
