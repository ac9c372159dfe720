"""What can be told of a network before it runs: each layer's shape, parameters and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from labs import params
from labs.data import registry
from labs.events import Event, Note, Table
from labs.fields import fields_of
from labs.nets.blocks import (
    MOST_BLOCKS,
    Activation,
    Block,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Pooling,
)
from labs.nets.limits import Plan, excess, memory_of
from labs.nets.shapes import Row, Walk, walk, written
from labs.refusals import sentence

SHAPE = (1, 28, 28)
DEFAULT: tuple[Block, ...] = (
    Convolution(filters=16, size=5),
    Activation(),
    Pooling(),
    Convolution(filters=32, size=3),
    Activation(),
    Pooling(),
    Flatten(),
    Dropout(rate=0.25),
    Dense(units=48),
    Activation(),
)


class Network(params.Params):
    """The one field that the preview reads; the lab's own Params check the same, and more."""

    blocks: tuple[Block, ...] = params.blocks(DEFAULT, high=MOST_BLOCKS, label="Network")


def preview(values: Mapping[str, Any]) -> tuple[Event, ...]:
    """A table of the layers up to the first fault, and a note: what is wrong, or what it costs."""
    chosen, problem = _readable(values.get("blocks", DEFAULT))
    found = walk(chosen, SHAPE, classes=10)
    plan = _plan(values)
    problem = problem or found.fault or excess(found, plan)
    return (_table(found, complete=not problem), _note(found, plan, problem))


def _readable(values: Any) -> tuple[tuple[Block, ...], str]:
    """The blocks up to the first that cannot be read, and a sentence about that one."""
    try:
        return Network(blocks=values).blocks, ""
    except ValidationError as refused:
        first = refused.errors(include_url=False)[0]
    known = first["loc"][1] if len(first["loc"]) > 1 else 0
    before = Network(blocks=values[:known]).blocks if known else ()
    return before, sentence("blocks", fields_of(Network)["blocks"], first)


def _plan(values: Mapping[str, Any]) -> Plan:
    """The plan of the form, with the default where a field is not a number yet."""
    name = values.get("dataset")
    known = name if isinstance(name, str) and name in registry.REGISTRY else "digits"
    epochs, batch = (_whole(values.get(key), default) for key, default in _DEFAULTS.items())
    return Plan(registry.REGISTRY[known].train, epochs, batch)


_DEFAULTS = {"epochs": 12, "batch": 64}


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and 1 <= value <= 512 else default


def _table(found: Walk, complete: bool) -> Table:
    rows = [_cells(place, row) for place, row in enumerate(found.rows, start=1)]
    if complete:
        rows.append(("Together", "", "", f"{found.parameters:,}", "", _size(found.numbers * 4)))
    return Table(
        name="layers",
        title="Layer by layer, for one picture of 1×28×28",
        columns=(
            "Layer",
            "Makes",
            "Size, worked out",
            "Parameters",
            "Parameters, worked out",
            "Memory",
        ),
        rows=tuple(rows),
    )


def _cells(place: int, row: Row) -> tuple[str, ...]:
    parameters = f"{row.parameters:,}" if row.parameters else "–"
    name = f"{place} {row.name}"
    return name, written(row.shape), row.how, parameters, row.parameters_how, _size(row.bytes)


def _size(count: int) -> str:
    return f"{count:,} B" if count < 1000 else f"{count / 1000:,.1f} kB"


def _note(found: Walk, plan: Plan, problem: str) -> Note:
    if problem:
        return Note(
            name="verdict", title="This network cannot be trained", text=problem, tone="wrong"
        )
    memory = memory_of(found, plan.batch) / 1e6
    text = (
        f"{found.parameters:,} parameters and {found.multiplications:,} multiplications a picture. "
        f"With {plan.batch} pictures at once, training holds about {memory:,.0f} MB."
    )
    return Note(name="verdict", title="This network can be trained", text=text, tone="right")
