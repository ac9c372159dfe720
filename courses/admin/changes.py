"""What differs between two texts, line by line, as a reader takes it in."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

AROUND = 3
"""Lines that are shown before and after each change."""
SIGNS = {"+": "added", "-": "removed", " ": "same", "@": "place"}


@dataclass(frozen=True)
class Line:
    """A line of a difference: its sign stands first, so that colour says nothing alone."""

    kind: str
    text: str

    @property
    def sign(self) -> str:
        return {"added": "+", "removed": "−"}.get(self.kind, "")


@dataclass(frozen=True)
class Changes:
    """From one text to another. No lines: they are the same."""

    lines: tuple[Line, ...]

    @property
    def added(self) -> int:
        return sum(line.kind == "added" for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.kind == "removed" for line in self.lines)

    def __str__(self) -> str:
        return f"+{self.added} −{self.removed}" if self.lines else "no line"


def changes(before: str, after: str) -> Changes:
    found = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=AROUND)
    return Changes(tuple(_line(text) for n, text in enumerate(found) if n > 1))


def _line(text: str) -> Line:
    kind = SIGNS[text[0]]
    return Line(kind, _place(text) if kind == "place" else text[1:])


def _place(text: str) -> str:
    """`@@ -12,7 +12,8 @@` in words: the line of the newer text where it begins."""
    return f"From line {text.split('+')[1].split(',')[0].split(' ')[0]}"
