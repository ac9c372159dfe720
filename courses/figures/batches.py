"""How a set of pictures is parted, and dealt out step by step while a network learns (7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from courses.figures import svg
from courses.figures.digits import digits
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import slider, switch

SIDE, GAP, LINE = 38, 4, 62
MOST_ROWS = 5


class Dealt(params.Params):
    shuffled: bool = switch(True, label="Shuffle before each epoch")
    epoch: int = slider(1, low=1, high=3, label="Epoch")
    batch: int = slider(6, low=4, high=8, label="Batch size", unit="pictures")


def order(dealt: Dealt) -> list[int]:
    """The places of the twenty digits, as this epoch takes them."""
    places = list(range(len(digits())))
    if dealt.shuffled:
        Random(dealt.epoch).shuffle(places)  # noqa: S311 (no secret)
    return places


def dealt_out(dealt: Dealt) -> list[list[int]]:
    """The batches of an epoch; the last holds what is left."""
    places = order(dealt)
    return [places[at : at + dealt.batch] for at in range(0, len(places), dealt.batch)]


@figure(Dealt, wide=True)
def shuffled_batches(dealt: Dealt) -> Drawing:
    """Twenty digits with their labels, a row for every batch."""
    batches = dealt_out(dealt)
    labels = [[digits()[place].label for place in batch] for batch in batches]
    how = "shuffled" if dealt.shuffled else "sorted by class"
    listed = "; ".join(" ".join(map(str, row)) for row in labels)
    alt = f"Twenty digits, {how}, in batches with these labels: {listed}."
    height = MOST_ROWS * LINE + 18
    parts = (part for step, batch in enumerate(batches) for part in _batch(step, batch))
    heads = (
        svg.text(66, 12, "pictures, and below them their labels", "soft", "start"),
        svg.text(496, 12, "classes", "soft", "end"),
    )
    drawn = svg.svg(500, height, *heads, *parts, alt=alt)
    fewest = min(len(set(row)) for row in labels)
    says = (
        f"Epoch {dealt.epoch}, {how}: {len(batches)} steps, the last with {len(batches[-1])} "
        f"pictures. The poorest batch has {fewest} {'class' if fewest == 1 else 'classes'}."
    )
    return Drawing(drawn, alt, says)


def _batch(step: int, batch: list[int]) -> Iterator[str]:
    y = 20 + step * LINE
    yield svg.text(0, y + 24, f"step {step + 1}", "", "start")
    for column, place in enumerate(batch):
        x = 66 + column * (SIDE + GAP)
        yield digits()[place].drawn(x, y, SIDE)
        yield svg.text(x + SIDE / 2, y + SIDE + 15, str(digits()[place].label))
    yield svg.text(480, y + 24, str(len({digits()[place].label for place in batch})), "", "end")


class Plan(params.Params):
    pictures: int = slider(5000, low=1000, high=60000, step=1000, label="Pictures in all")
    test: int = slider(20, low=10, high=30, step=5, label="Kept for the test", unit="%")
    validation: int = slider(
        10, low=5, high=30, step=5, label="Of the rest, for validation", unit="%"
    )
    batch: int = slider(64, low=32, high=512, step=32, label="Batch size", unit="pictures")
    epochs: int = slider(12, low=1, high=20, label="Epochs")
    keep: bool = switch(True, label="Use a last batch that is not full")


@dataclass(frozen=True)
class Counts:
    """Pictures of the three parts; full batches and steps of an epoch; pictures left over."""

    train: int
    validation: int
    test: int
    full: int
    left: int
    each: int


def counts(plan: Plan) -> Counts:
    test = plan.pictures * plan.test // 100
    validation = (plan.pictures - test) * plan.validation // 100
    train = plan.pictures - test - validation
    full, left = divmod(train, plan.batch)
    return Counts(train, validation, test, full, left, full + int(plan.keep and left > 0))


WIDTH, THICK = 500, 26
MOST_CELLS = 100


@figure(Plan, wide=True)
def splits_and_steps(plan: Plan) -> Drawing:
    """All pictures in three parts; the training part in batches; the epochs in a row."""
    found = counts(plan)
    steps = found.each * plan.epochs
    alt = (
        f"Of {plan.pictures:,} pictures {found.train:,} are for training, {found.validation:,} for "
        f"validation and {found.test:,} for the test. An epoch has {found.each:,} steps, and "
        f"{plan.epochs} epochs have {steps:,}."
    )
    drawn = svg.svg(
        WIDTH + 4, 272, '<g transform="translate(2 0)">', *_parts(plan, found),
        *_cut(plan, found), *_epochs(plan, found), "</g>", alt=alt,
    )  # fmt: skip
    left, right = "⌈⌉" if plan.keep else "⌊⌋"
    each = f"{left}{found.train:,} / {plan.batch}{right} = {found.each:,} steps an epoch"
    return Drawing(drawn, alt, f"{each}, and {plan.epochs} · {found.each:,} = {steps:,} in all.")


def _parts(plan: Plan, found: Counts) -> Iterator[str]:
    yield svg.text(0, 16, f"all pictures: {plan.pictures:,}", "label", "start")
    x = 0.0
    parts = (
        ("training", found.train, "var(--train)"),
        ("validation", found.validation, "var(--validation)"),
        ("test", found.test, "var(--other)"),
    )
    for place, (name, count, colour) in enumerate(parts):
        width = WIDTH * count / plan.pictures
        yield svg.rect(x, 26, width, THICK, "cell", colour)
        x += width
        at = 190 * place
        yield svg.rect(at, 63, 11, 11, "cell", colour)
        yield svg.text(at + 17, 73, f"{name} {count:,}", "", "start")


def _cut(plan: Plan, found: Counts) -> Iterator[str]:
    """The training part, as wide as all was before: a cell for each batch, or for several."""
    together = max(1, -(-found.full // MOST_CELLS))
    batches = "batch" if together == 1 else f"{together} batches"
    yield svg.text(0, 112, f"one epoch: a cell for every {batches}", "label", "start")
    scale = WIDTH / found.train
    for first in range(0, found.full, together):
        many = min(together, found.full - first)
        x, width = first * plan.batch * scale, many * plan.batch * scale
        yield svg.rect(x, 122, width, THICK, "cell", "var(--train)")
    if found.left:
        x = found.full * plan.batch * scale
        yield svg.rect(x, 122, WIDTH - x, THICK, "window dashed")
    full = f"{found.full:,} full batches of {plan.batch}"
    rest = "none left" if not found.left else f"{found.left} left: {_fate(plan)}"
    yield svg.text(0, 168, full, "", "start")
    yield svg.text(WIDTH, 168, rest, "", "end")


def _fate(plan: Plan) -> str:
    return "one more step" if plan.keep else "not used this time"


def _epochs(plan: Plan, found: Counts) -> Iterator[str]:
    yield svg.text(0, 208, "training: a cell for every epoch", "label", "start")
    width = WIDTH / plan.epochs
    for epoch in range(plan.epochs):
        yield svg.rect(epoch * width, 218, width, THICK, "cell plain")
        yield svg.text((epoch + 0.5) * width, 236, str(epoch + 1))
    words = f"{plan.epochs} × {found.each:,} = {plan.epochs * found.each:,} steps"
    yield svg.text(WIDTH, 264, words, "", "end")
