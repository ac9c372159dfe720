"""Where the parameters of a first CNN lie, and where its multiplications (7.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.nets.blocks import Activation, Block, Convolution, Dense, Flatten, Pooling
from labs.nets.shapes import Row, Walk, walk, written
from labs.params import choice, slider

INPUT, CLASSES = (1, 28, 28), 10
NAMES = ("convolution 1", "convolution 2", "dense 1", "dense 2")
LINE, BARS, WIDTH = 66, 20, 480


class Counted(params.Params):
    padding: Literal["none", "same"] = choice(
        "none", {"none": "None", "same": "Same"}, label="Padding of both convolutions"
    )
    first: int = slider(32, low=8, high=64, step=8, label="Filters of the first convolution")
    second: int = slider(64, low=8, high=64, step=8, label="Filters of the second convolution")
    units: int = slider(128, low=16, high=256, step=16, label="Units of the first dense layer")


def network(chosen: Counted) -> Walk:
    blocks: list[Block] = []
    for filters in (chosen.first, chosen.second):
        convolution = Convolution(filters=filters, size=3, padding=chosen.padding)
        blocks += [convolution, Activation(), Pooling()]
    return walk((*blocks, Flatten(), Dense(units=chosen.units), Activation()), INPUT, CLASSES)


@figure(Counted, wide=True)
def parameters_and_work(chosen: Counted) -> Drawing:
    """For each of the four layers that learn: its share of the parameters, and of the work."""
    found = network(chosen)
    learn = [row for row in found.rows if row.parameters]
    work = found.multiplications
    shares = [(row.parameters / found.parameters, row.multiplications / work) for row in learn]
    listed = "; ".join(
        f"{name}: {_percent(a)} and {_percent(b)}"
        for name, (a, b) in zip(NAMES, shares, strict=True)
    )
    alt = f"Shares of all parameters and of all multiplications: {listed}."
    rows = zip(NAMES, learn, shares, strict=True)
    parts = (part for n, row in enumerate(rows) for part in _layer(28 + n * LINE, *row))
    drawn = svg.svg(WIDTH, 28 + 4 * LINE, *_legend(), *parts, alt=alt)
    says = f"{found.parameters:,} parameters, and {work:,} multiplications for one picture."
    return Drawing(drawn, alt, says)


def _legend() -> Iterator[str]:
    yield svg.rect(130, 4, 12, 12, "cell", "var(--kernel)")
    yield svg.text(148, 14, "parameters", "", "start")
    yield svg.rect(250, 4, 12, 12, "cell", "var(--map)")
    yield svg.text(268, 14, "multiplications", "", "start")


def _layer(y: float, name: str, row: Row, shares: tuple[float, float]) -> Iterator[str]:
    yield svg.text(0, y + 15, name, "label", "start")
    yield svg.text(0, y + 35, written(row.shape), "", "start")
    told = (("var(--kernel)", row.parameters), ("var(--map)", row.multiplications))
    for n, ((colour, count), share) in enumerate(zip(told, shares, strict=True)):
        top = y + n * (BARS + 4)
        yield svg.rect(130, top, 160 * share, BARS, "cell", colour)
        yield svg.text(138 + 160 * share, top + 15, f"{count:,}", "", "start")
        yield svg.text(WIDTH, top + 15, _percent(share), "", "end")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "< 0.1 %"
