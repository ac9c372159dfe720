"""Parameters, shapes and steps of the student's own network, and two goals."""

from __future__ import annotations

from random import Random
from typing import Any

from labs.catalog.first_cnn.lab import Params
from labs.catalog.first_cnn.preview import SHAPE
from labs.data.registry import REGISTRY
from labs.nets.blocks import Block, Convolution, Dense, Pooling
from labs.nets.shapes import Row, label, walk, written
from labs.questions import Goal, Number, Question, Shape

SMALL = 20_000


def questions(params: Params, figures: dict[str, Any], chance: Random) -> list[Question]:
    found: list[Question | None] = [parameters(params, chance), shape(params, chance)]
    asked = [question for question in found if question is not None]
    return [*asked, steps(params), small(figures), mnist(params, figures)]


def _changed(blocks: tuple[Block, ...], place: int, **to: Any) -> tuple[Block, Row | None]:
    """The block at `place` with some of its numbers changed, and its row; None where it misfits."""
    block = blocks[place].model_copy(update=to)
    found = walk((*blocks[:place], block, *blocks[place + 1 :]), SHAPE, 10)
    return block, found.rows[place] if place < len(found.rows) else None


def parameters(params: Params, chance: Random) -> Number | None:
    """How many numbers a layer learns if it were of another size."""
    places = [n for n, b in enumerate(params.blocks) if isinstance(b, Convolution | Dense)]
    if not places:
        return None
    place = chance.choice(places)
    was = params.blocks[place]
    if isinstance(was, Convolution):
        others = [n for n in (8, 12, 20, 24, 40, 48) if n != was.filters]
        block, row = _changed(params.blocks, place, filters=chance.choice(others))
    else:
        others = [n for n in (16, 24, 40, 80, 100) if n != was.units]  # type: ignore[union-attr]
        block, row = _changed(params.blocks, place, units=chance.choice(others))
    if row is None:
        return None
    made = block.filters if isinstance(block, Convolution) else block.units  # type: ignore[union-attr]
    comes = walk(params.blocks[:place], SHAPE, 10).rows
    before = comes[place - 1].shape if place else SHAPE
    one = "filter" if isinstance(block, Convolution) else "unit"
    return Number(
        name="parameters",
        fresh=True,
        ask=f"Block {place + 1} of your network gets {written(before)}. How many parameters would "
        f"it learn as {label(block)}?",
        answer=row.parameters,
        traps={row.parameters - made: f"Each {one} has a bias too."},
        hints=(
            f"Each {one} has a weight for every number that it sees, and a bias.",
            f"One {one} sees {row.parameters // made - 1} numbers.",
        ),
        solution=f"{row.parameters_how} = {row.parameters:,}.",
    )


def shape(params: Params, chance: Random) -> Shape | None:
    """What a layer makes if its window moved otherwise."""
    choices: list[tuple[Block, Row, int]] = []
    for n, block in enumerate(params.blocks):
        changes: list[dict[str, Any]] = []
        if isinstance(block, Convolution):
            changes = [{"stride": s, "padding": p} for s in (1, 2, 3) for p in ("none", "same")]
        elif isinstance(block, Pooling):
            changes = [{"size": size} for size in (2, 3, 4)]
        for to in changes:
            other, row = _changed(params.blocks, n, **to)
            if row is not None and other != block:
                choices.append((other, row, n))
    if not choices:
        return None
    block, row, n = chance.choice(choices)
    before = walk(params.blocks[:n], SHAPE, 10).rows[n - 1].shape if n else SHAPE
    how = ""
    if isinstance(block, Convolution):
        how = (
            f" with stride {block.stride} and {'no' if block.padding == 'none' else 'same'} padding"
        )
    return Shape(
        name="shape",
        fresh=True,
        ask=f"Block {n + 1} of your network gets {written(before)}. What shape would it make as "
        f"{label(block)}{how}?",
        answer=row.shape,
        hints=(
            "A convolution makes a map a filter; pooling keeps the number of maps.",
            f"Along one side: {row.how.rpartition(' = ')[0]}.",
        ),
        solution=f"{row.how}, so {written(row.shape)}.",
    )


def steps(params: Params) -> Number:
    pictures = REGISTRY[params.dataset].train
    each = pictures // params.batch
    total = each * params.epochs
    return Number(
        name="steps",
        ask=f"{pictures:,} pictures, {params.batch} in a batch, {params.epochs} epochs; what does "
        "not fill a batch waits for the next epoch. How many steps did this run take?",
        answer=total,
        hints=("Count the whole batches of an epoch first.", f"An epoch has {each:,} of them."),
        solution=f"⌊{pictures:,} / {params.batch}⌋ × {params.epochs} "
        f"= {each:,} × {params.epochs} = {total:,}.",
    )


def small(figures: dict[str, Any]) -> Goal:
    right, count = figures.get("test_accuracy", 0.0), int(figures.get("parameters", 0))
    return Goal(
        name="small",
        ask=f"97 % on the test with fewer than {SMALL:,} parameters.",
        met=right >= 0.97 and 0 < count < SMALL,
        says=f"This run: {100 * right:.1f} % with {count:,} parameters.",
    )


def mnist(params: Params, figures: dict[str, Any]) -> Goal:
    right = figures.get("test_accuracy", 0.0)
    there = params.dataset == "mnist"
    return Goal(
        name="mnist",
        ask="98 % on the test of the full MNIST.",
        met=there and right >= 0.98,
        says=f"This run: {100 * right:.1f} %, on {REGISTRY[params.dataset].title}.",
    )
