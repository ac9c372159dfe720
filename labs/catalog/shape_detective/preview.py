"""The case as it lies on the table before a run: the model, and what its author believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.catalog.shape_detective.cases import CASES, Case
from labs.catalog.shape_detective.changes import (
    OPTIONS,
    Change,
    as_written,
    described,
    misplaced,
    unfit,
)
from labs.events import Event, Note, Table


def preview(values: Mapping[str, Any]) -> tuple[Event, ...]:
    number = _whole(values.get("case"), 1)
    number = number if number in CASES else 1
    case = CASES[number]
    story = Note(
        name="story",
        title=f"Case {number}: {case.title}",
        text=f"Case {number}, {case.title}. {case.story}",
        lines=(_plan(case, values),),
    )
    table = Table(
        name="model",
        title=f"The author's model, for {case.pictures}",
        sentence=f"What comes in: {case.pictures}. Shapes are those of one picture.",
        columns=("Layer", "Settings", "The author believed"),
        rows=tuple((p.name, p.layer.words, p.believed) for p in as_written(case)),
    )
    return story, table


def _plan(case: Case, values: Mapping[str, Any]) -> str:
    """What the form would change, or why it cannot."""
    layer, what = _whole(values.get("layer"), 0), values.get("change", "nothing")
    if not 0 <= layer <= len(case.layers):
        return too_high(case)
    if not isinstance(what, str) or what not in OPTIONS:
        return "Choose what you change."
    change = Change(layer, what, _whole(values.get("value"), 0))
    if wrong := misplaced(case, layer, what) or unfit(case, change):
        return wrong
    if what == "nothing" and layer:
        return f"You suspect layer {layer}, {case.layers[layer - 1].kind}, and change nothing yet."
    return described(case, change)


def too_high(case: Case) -> str:
    return f"This model has the layers 1 to {len(case.layers)}. Choose one of them."


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default
