"""What a lab asks of a student about a run: how an answer is read, marked, and what is said of it.

A lab's questions.py has `questions(params, figures, chance)`: the run's params, the figures of its
Result, and a `random.Random` that is the same for the same try; what is drawn from it makes a
question fresh. No torch and no Django: the site reads this. The answer stays on the server.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from labs import readings
from labs.words import number, short


@dataclass(frozen=True)
class Grid:
    """A small table of numbers that a question shows, coloured by what they mean."""

    title: str
    values: tuple[tuple[float, ...], ...]
    meaning: Literal["input", "kernel", "map"] = "input"

    @property
    def event(self) -> dict[str, Any]:
        whole = all(float(value).is_integer() for row in self.values for value in row)
        return {"values": self.values, "meaning": self.meaning, "digits": 0 if whole else 2}


@dataclass(frozen=True)
class Mark:
    """`right` is None where nothing is right or wrong, and where the answer could not be read."""

    right: bool | None
    says: str
    was_read: bool = True


@dataclass(frozen=True, kw_only=True)
class Question(ABC):
    """Base of all kinds. `hints` come one at a time, then the `solution` with its arithmetic.

    `fresh`: another try may have other numbers.
    """

    kind: ClassVar[str] = ""
    name: str
    ask: str
    hints: tuple[str, ...] = ()
    solution: str = ""
    fresh: bool = False
    grids: tuple[Grid, ...] = ()

    @abstractmethod
    def mark(self, given: str) -> Mark:
        """What is said of an answer, as it was typed."""


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """One number, right within `tolerance` of `answer`. `traps` say why a likely other is wrong."""

    kind: ClassVar[str] = "number"
    answer: float
    tolerance: float = 1e-6
    unit: str = ""
    traps: Mapping[float, str] | None = None

    def mark(self, given: str) -> Mark:
        """Of two readings the one that fits counts; where none does, both are named."""
        values = readings.numbers(given)
        if not values:
            says = "That is no number. Write one, such as 12, −0.5 or 1/3."
            return Mark(None, says, was_read=False)
        if any(self._is_near(value, self.answer) for value in values):
            return Mark(True, self.solution)
        for trap, why in (self.traps or {}).items():
            if any(self._is_near(value, trap) for value in values):
                return Mark(False, why)
        if len(values) == 1:
            return Mark(False, f"{_shown(values[0])} is not it.")
        # Without commas for the thousands: they are what has two meanings here.
        read = " and as ".join(_shown(value).replace(",", "") for value in values)
        return Mark(False, f"It was read as {read}: neither is it.")

    def _is_near(self, value: float, other: float) -> bool:
        return abs(value - other) <= self.tolerance


def _shown(value: float) -> str:
    return number(value, 6) if 1e-6 <= abs(value) < 1e15 or not value else short(value)


@dataclass(frozen=True, kw_only=True)
class Shape(Question):
    """A shape, such as 16×28×28."""

    kind: ClassVar[str] = "shape"
    answer: tuple[int, ...]
    traps: Mapping[tuple[int, ...], str] | None = None

    def mark(self, given: str) -> Mark:
        value = readings.shape(given)
        if value is None:
            sides = "×".join("number" for _ in self.answer)
            return Mark(None, f"Write a shape as {sides}, such as 16×28×28.", was_read=False)
        if value == self.answer:
            return Mark(True, self.solution)
        if len(value) != len(self.answer):
            return Mark(False, f"The shape has {len(self.answer)} numbers, yours {len(value)}.")
        why = (self.traps or {}).get(value, f"{'×'.join(map(str, value))} is not it.")
        return Mark(False, why)


@dataclass(frozen=True)
class Option:
    """One answer to choose; `says` is what follows from it: why it is wrong, or what to see."""

    text: str
    says: str
    right: bool | None = False


@dataclass(frozen=True, kw_only=True)
class Choice(Question):
    """One of a few. With options whose `right` is None it asks for a view, and marks nothing."""

    kind: ClassVar[str] = "choice"
    options: tuple[Option, ...]

    def mark(self, given: str) -> Mark:
        if not re.fullmatch(r"[0-9]{1,3}", given) or int(given) >= len(self.options):
            return Mark(None, "Choose one of the answers.", was_read=False)
        chosen = self.options[int(given)]
        return Mark(chosen.right, chosen.says)


@dataclass(frozen=True, kw_only=True)
class Goal(Question):
    """Something to reach with a run; whether this one did is told, and nothing is typed."""

    kind: ClassVar[str] = "goal"
    met: bool
    says: str

    def mark(self, given: str) -> Mark:  # noqa: ARG002 (nothing is given)
        return Mark(self.met, self.says)


def shuffled(options: Sequence[Option], order: Sequence[int]) -> tuple[Option, ...]:
    return tuple(options[n] for n in order)
