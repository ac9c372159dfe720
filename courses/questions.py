"""A question of a lecture, as its author writes it (YAML), and as it is asked with fresh numbers.

A template draws the numbers under `let` from a seed, so that one try always has the same; what
`{{…}}` holds is put into the text, and answers are computed by courses.expressions. The text is
Markdown. What comes out is one of the questions of labs.questions, which marks it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from courses import typed
from courses.expressions import BadExpression, Value, bounded, evaluate, one_budget, spend
from labs.questions import Choice, Grid, Number, Option, Question, Shape
from labs.words import number

KINDS = ("choice", "numeric", "shape")
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
HOLE = re.compile(r"\{\{([^{}]+?)(?:\|\s*([0-9]))?\}\}")
RANGE = re.compile(r"(-?[0-9]{1,15})\.\.(-?[0-9]{1,15})(?: step ([1-9][0-9]{0,14}))?")
GRID = re.compile(rf"grid ([1-9])x([1-9]) of +(\[.+\]|{RANGE.pattern})")
LONGEST = 10_000
"""Characters of a text with its numbers in it."""
DRAWS = 500
"""How often numbers are drawn until `where` holds."""

Drawn = dict[str, Value]
Say = Callable[[str], str]
"""Markdown to HTML."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answered(Part):
    """One option of a choice: `right` or `wrong`, and what is said of it."""

    right: str = ""
    wrong: str = ""
    says: str = Field(min_length=1)

    @model_validator(mode="after")
    def is_one_of_two(self) -> Answered:
        if bool(self.right) == bool(self.wrong):
            raise ValueError("an option is `right: …` or `wrong: …`, and `says: …`")
        return self


class Trap(Part):
    """A likely wrong answer, and why it is wrong."""

    answer: str | int | float | tuple[str | int | float, ...]
    says: str = Field(min_length=1)


class Shown(Part):
    """A grid of numbers beside the question."""

    title: str
    values: str
    meaning: Literal["input", "kernel", "map"] = "input"


class Template(Part):
    """What an author writes of a question."""

    kind: Literal["choice", "numeric", "shape"]
    name: str = Field(pattern=NAME.pattern)
    ask: str = Field(min_length=1)
    let: dict[str, Any] = Field(default_factory=dict, max_length=30)
    where: str = ""
    options: tuple[Answered, ...] = ()
    answer: str | int | float | tuple[str | int | float, ...] = ""
    tolerance: float = Field(default=1e-6, ge=0, allow_inf_nan=False)
    unit: str = ""
    traps: tuple[Trap, ...] = ()
    grids: tuple[Shown, ...] = ()
    hints: tuple[str, ...] = Field(min_length=1, max_length=5)
    solution: str = Field(min_length=1)

    @field_validator("let", mode="before")
    @classmethod
    def has_numbers(cls, let: Any) -> Any:
        """Either can stand here; quotation marks make a text of a number."""
        return typed.with_numbers(let)

    @model_validator(mode="after")
    def is_whole(self) -> Template:
        if self.kind == "choice":
            rights = sum(bool(option.right) for option in self.options)
            if rights != 1 or len(self.options) < 2:
                raise ValueError("a choice has at least two options, and one of them is right")
        elif self.answer == "" or self.options:
            raise ValueError(f"a {self.kind} question has an `answer`, and no options")
        return self

    def drawn(self, chance: Random) -> Drawn:
        """The numbers of one try. Raises BadExpression."""
        for _ in range(DRAWS):
            names: Drawn = {}
            for name, said in self.let.items():
                names[name] = _draw(said, chance, names)
            if not self.where or evaluate(self.where, names):
                return names
        raise BadExpression(f"in {DRAWS} draws `where: {self.where}` never held", self.where)

    @one_budget()
    def made(self, seed: str, say: Say) -> Question:
        """The question with the numbers of this seed. Raises BadExpression."""
        chance = Random(seed)  # noqa: S311 (no secret)
        names = self.drawn(chance)
        if self.kind != "choice":
            names = {**names, "answer": self._answer(names)}
        common: dict[str, Any] = {
            "name": self.name,
            "ask": say(fill(self.ask, names)),
            "hints": tuple(say(fill(hint, names)) for hint in self.hints),
            "solution": say(fill(self.solution, names)),
            "fresh": bool(self.let),
            "grids": tuple(_grid(shown, names) for shown in self.grids),
        }
        if self.kind == "choice":
            order = list(self.options)
            chance.shuffle(order)
            return Choice(**common, options=tuple(_option(o, names, say) for o in order))
        traps = self._traps(names, say)
        if self.kind == "shape":
            return Shape(**common, answer=names["answer"], traps=traps)
        return Number(
            **common,
            answer=names["answer"],
            tolerance=self.tolerance,
            unit=fill(self.unit, names),
            traps=traps,
        )

    def _answer(self, names: Drawn) -> Value:
        return self._computed(self.answer, names)

    def _traps(self, names: Drawn, say: Say) -> dict[Any, str]:
        """What is said of likely wrong answers; one that happens to be right is left out."""
        found: dict[Any, str] = {}
        for trap in self.traps:
            value = self._computed(trap.answer, names)
            near = self.kind == "numeric" and abs(value - names["answer"]) <= self.tolerance
            if value != names["answer"] and not near and value not in found:
                found[value] = say(fill(trap.says, names))
        return found

    def _computed(self, said: Any, names: Drawn) -> Value:
        if self.kind == "shape":
            parts = said if isinstance(said, tuple) else evaluate(str(said), names)
            parts = parts if isinstance(parts, tuple) else (parts,)
            sides = tuple(evaluate(str(part), names) for part in parts)
            if not sides or not all(isinstance(side, int) and side > 0 for side in sides):
                raise BadExpression(f"a shape is of whole numbers above 0, not {sides}")
            return sides
        value = evaluate(str(said), names)
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise BadExpression(f"“{said}” is no finite number")
        return value


def _draw(said: Any, chance: Random, names: Drawn) -> Value:
    """One value under `let`: `3..9`, `[3, 5]`, `grid 3x3 of 0..9`, `= n + 1`, or a number."""
    spend()
    if isinstance(said, list | tuple) and said:
        return bounded(_frozen(chance.choice(said)))
    if isinstance(said, int | float):
        return bounded(said)
    text = str(said).strip()
    if text.startswith("="):
        return evaluate(text[1:], names)
    if found := RANGE.fullmatch(text):
        low, high, step = int(found[1]), int(found[2]), int(found[3] or 1)
        if low <= high:
            return chance.randrange(low, high + 1, step)
    elif found := GRID.fullmatch(text):
        rows, columns = int(found[1]), int(found[2])
        cells = evaluate(found[3], names) if found[3].startswith("[") else found[3]
        return bounded(
            tuple(tuple(_draw(cells, chance, names) for _ in range(columns)) for _ in range(rows))
        )
    raise BadExpression(
        f"“{said}” draws nothing; write 3..9, 0..20 step 5, [3, 5, 7], grid 3x3 of 0..9, "
        "grid 3x3 of [0.5, 1], or = n + 1"
    )


def _frozen(value: Any) -> Value:
    spend()
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if isinstance(value, int | float | str):
        return value
    raise BadExpression(f"“{value}” under `let` is neither a number nor a text")


def fill(text: str, names: Mapping[str, Value]) -> str:
    """The text with what its {{…}} come to: `{{n}}`, `{{2*n}}`, `{{mean(x)|2}}` (two decimals).

    Raises BadExpression.
    """
    inside = False
    parts: list[str] = []
    end = length = 0
    for hole in HOLE.finditer(text):
        before = text[end : hole.start()]
        inside ^= before.count("$") % 2 == 1
        shown = _shown(evaluate(hole[1], names), int(hole[2] or 6))
        parts += [before, shown.replace(",", "{,}") if inside else shown]
        length += len(before) + len(shown)
        if length > LONGEST:
            raise BadExpression(f"a text with its numbers may have {LONGEST:,} characters")
        end = hole.end()
    return "".join([*parts, text[end:]])


def _shown(value: Value, digits: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return "×".join(_shown(part, digits) for part in value)
    return number(value, digits)


def _grid(shown: Shown, names: Drawn) -> Grid:
    values = evaluate(shown.values, names)
    rows = values if isinstance(values, tuple) else ()
    widths = {len(row) if isinstance(row, tuple) else 0 for row in rows}
    cells = () if widths == {0} or len(widths) != 1 else [cell for row in rows for cell in row]
    if not cells or not all(isinstance(cell, int | float) for cell in cells):
        raise BadExpression(f"“{shown.values}” is no grid of numbers with rows of one length")
    return Grid(shown.title, tuple(tuple(map(float, row)) for row in rows), shown.meaning)


def _option(option: Answered, names: Drawn, say: Say) -> Option:
    text, says = (say(fill(t, names)) for t in (option.right or option.wrong, option.says))
    return Option(text, says, bool(option.right))
