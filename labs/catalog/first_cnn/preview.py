"""What can be told of a network before it runs: each layer's shape, parameters and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from labs.data import registry
from labs.events import Event, Note, Table
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

_BLOCK: TypeAdapter[Block] = TypeAdapter(Block)


def preview(values: Mapping[str, Any]) -> tuple[Event, ...]:
    """A table of the layers up to the first fault, and a note: what is wrong, or what it costs."""
    chosen, problem = _readable(values.get("blocks", DEFAULT))
    found = walk(chosen, SHAPE, classes=10)
    plan = _plan(values)
    problem = problem or found.fault or excess(found, plan)
    return (_table(found, complete=not problem), _note(found, plan, problem))


def _readable(values: Any) -> tuple[list[Block], str]:
    """The blocks up to the first that cannot be read, and a sentence about that one."""
    if not isinstance(values, list | tuple) or not 1 <= len(values) <= MOST_BLOCKS:
        return [], f"A network has from 1 to {MOST_BLOCKS} blocks. Reset puts the default back."
    chosen: list[Block] = []
    for place, value in enumerate(values, start=1):
        try:
            chosen.append(_BLOCK.validate_python(value))
        except ValidationError as refused:
            error = refused.errors(include_url=False)[0]
            where = " ".join(str(part) for part in error["loc"])[:60] or "kind"
            return (
                chosen,
                f"Block {place} cannot be read yet ({where}): {error['msg'].rstrip('.')}.",
            )
    return chosen, ""


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
        columns=("Layer", "Makes", "How", "Parameters", "How many", "Memory"),
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
