"""From one digit to ten scores: what each stage of a first CNN makes, and what it costs (7.1).

Shapes and parameters come from labs.nets.shapes, which tells them in the lab first-cnn too. The map
on top of each stack is computed on a real digit, with kernels chosen by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

from courses.figures import svg
from courses.figures.digits import digits
from courses.figures.figure import Drawing, figure
from courses.figures.png import image, png
from labs import params
from labs.nets.blocks import Activation, Block, Convolution, Dense, Flatten, Pooling
from labs.nets.shapes import Row, Walk, walk, written
from labs.params import choice, slider, switch

Map = Sequence[Sequence[float]]

INPUT, CLASSES, UNITS = (1, 28, 28), 10, 128
COLUMN, ROW, TOP, UNIT = 176, 176, 24, 2.8
DEEP = (100, 100, 28)
"""Room for the drawing, in each row of stages."""
SHEET = 8
"""Maps that one sheet of a stack stands for."""
DIGIT = 15
SOBEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
ONES = ((1, 1, 1),) * 3
MANY = 26
"""What the edges of a plain stroke hardly add up to, and those of a crossing do."""


class Pipeline(params.Params):
    padding: Literal["none", "same"] = choice(
        "none", {"none": "None", "same": "Same"}, label="Padding of both convolutions"
    )
    first: int = slider(32, low=8, high=64, step=8, label="Filters of the first convolution")
    second: int = slider(64, low=8, high=64, step=8, label="Filters of the second convolution")
    first_pooling: bool = switch(True, label="Pooling after the first")
    second_pooling: bool = switch(True, label="Pooling after the second")


def network(chosen: Pipeline) -> Walk:
    """The whole network's layers, with the last dense one."""
    blocks: list[Block] = []
    layers = ((chosen.first, chosen.first_pooling), (chosen.second, chosen.second_pooling))
    for filters, pools in layers:
        blocks += [Convolution(filters=filters, size=3, padding=chosen.padding), Activation()]
        blocks += [Pooling()] if pools else []
    return walk((*blocks, Flatten(), Dense(units=UNITS), Activation()), INPUT, CLASSES)


@figure(Pipeline, wide=True)
def pipeline_shapes(chosen: Pipeline) -> Drawing:
    """Eight stages, read like text: picture, twice convolution and pooling, row, dense, scores."""
    found = network(chosen)
    stages = list(_stages(found, chosen))
    last, flat, dense, scores = stages[-1], *found.rows[-4:-2], found.rows[-1]
    sides = [INPUT[1], *(stage.shape[1] for stage in stages)]
    path = " → ".join(str(side) for side in sides)
    count = f"{'·'.join(map(str, last.shape))} = {flat.shape[0]:,}"
    alt = (
        f"A picture of {written(INPUT)} becomes "
        f"{', '.join(written(stage.shape) for stage in stages)}, "
        f"a row of {flat.shape[0]:,} numbers, {UNITS} units and {CLASSES} scores."
    )
    tops = _tops(chosen.padding, chosen.first_pooling, chosen.second_pooling)
    stacks = [_stack(n, *both) for n, both in enumerate(zip(stages, tops, strict=True), start=1)]
    ends = (_flat(5, flat, count, tops[-1]), _dense(6, dense), _scores(7, scores), _scale(8))
    arrows = map(_onward, range(7))
    drawn = svg.svg(
        3 * COLUMN, 2 * ROW + TOP + DEEP[2] + 38, _picture(0), *stacks, *ends, *arrows, alt=alt
    )
    return Drawing(drawn, alt, f"{path}, and {count}. Together {found.parameters:,} parameters.")


def _stages(found: Walk, chosen: Pipeline) -> Iterator[Row]:
    """Convolution, pooling, convolution, pooling; a pooling that is left out changes nothing."""
    rows = iter(found.rows)
    for pools in (chosen.first_pooling, chosen.second_pooling):
        convolution = next(rows)
        next(rows)  # its ReLU
        yield convolution
        yield next(rows) if pools else Row("left out", convolution.shape, "as before")


@cache
def _tops(padding: str, first: bool, second: bool) -> tuple[Map, Map, Map, Map]:
    """The maps on top of the four stacks.

    First the edges that the Sobel kernel finds. Then the sum over four maps, of the edges in four
    directions, less a bias: a second convolution that answers where many edges meet.
    """
    x: Map = [[value / 255 for value in row] for row in digits()[DIGIT].rows]
    border = int(padding == "same")
    maps = [_relu(_convolved(x, kernel, border)) for kernel in _turned(SOBEL)]
    small = [_pooled(y) if first else y for y in maps]
    slices = [_convolved(y, ONES, border) for y in small]
    summed = [
        [sum(values) for values in zip(*rows, strict=True)] for rows in zip(*slices, strict=True)
    ]
    meet = _relu([[value - MANY for value in row] for row in summed])
    return maps[0], small[0], meet, _pooled(meet) if second else meet


def _turned(kernel: Map) -> list[Map]:
    """A kernel in four directions."""
    across = tuple(zip(*kernel, strict=True))
    return [kernel, across, *([[-w for w in row] for row in one] for one in (kernel, across))]


def _convolved(x: Map, kernel: Map, border: int) -> Map:
    wide = [0.0] * (len(x[0]) + 2 * border)
    edge = [0.0] * border
    padded = [*[wide] * border, *([*edge, *row, *edge] for row in x), *[wide] * border]
    places = range(len(wide) - 2)
    return [
        [
            sum(w * padded[r + u][c + v] for u, row in enumerate(kernel) for v, w in enumerate(row))
            for c in places
        ]
        for r in range(len(padded) - 2)
    ]


def _relu(y: Map) -> Map:
    return [[max(0.0, value) for value in row] for row in y]


def _pooled(y: Map) -> Map:
    return [
        [
            max(*y[2 * r][2 * c : 2 * c + 2], *y[2 * r + 1][2 * c : 2 * c + 2])
            for c in range(len(y[0]) // 2)
        ]
        for r in range(len(y) // 2)
    ]


def _corner(place: int) -> tuple[float, float]:
    """Where the field of a stage begins; three stand in a row."""
    return COLUMN * (place % 3), ROW * (place // 3)


def _base(place: int) -> float:
    """The lower edge of the drawing of a stage."""
    return _corner(place)[1] + TOP + DEEP[place // 3]


def _words(place: int, title: str, made: str, cost: str) -> str:
    x, y = _corner(place)
    base = _base(place)
    return (
        svg.text(x, y + 14, title, "label", "start")
        + svg.text(x, base + 17, made, "", "start")
        + svg.text(x, base + 33, cost, "soft", "start")
    )


def _onward(place: int) -> str:
    """An arrow to the next stage in the same row."""
    x, y = _corner(place)[0], _base(place) - DEEP[place // 3] / 2
    return svg.arrow(x + 122, y, x + 156, y) if place % 3 < 2 else ""


def _picture(place: int) -> str:
    side = INPUT[1] * UNIT
    drawn = digits()[DIGIT].drawn(_corner(place)[0], _base(place) - side, side)
    return drawn + _words(place, "picture", written(INPUT), "784 numbers")


def _stack(place: int, stage: Row, top: Map) -> str:
    """A sheet for every eight maps; the map in front is computed."""
    x = _corner(place)[0]
    maps, side = stage.shape[0], stage.shape[1] * UNIT
    sheets = -(-maps // SHEET)
    top_edge = _base(place) - side
    behind = (
        svg.rect(x + 3 * n, top_edge - 3 * n, side, side, "cell", svg.VIRIDIS[3])
        for n in range(sheets - 1, 0, -1)
    )
    front = svg.rect(x, top_edge, side, side, "cell") + _coloured(x, top_edge, side, top)
    if stage.name == "left out":
        return (
            _words(place, "no pooling", written(stage.shape), "as before") + "".join(behind) + front
        )
    title = "convolution, ReLU" if stage.parameters else "max pooling 2×2"
    cost = f"{stage.parameters:,} parameters" if stage.parameters else "no parameters"
    return "".join(behind) + front + _words(place, title, written(stage.shape), cost)


def _coloured(x: float, y: float, side: float, top: Map) -> str:
    """A map in viridis, from 0 to its largest value."""
    largest = max(map(max, top)) or 1.0
    rows = [bytes(round(10 * value / largest) for value in row) for row in top]
    return image(x, y, side, side, png(rows, svg.VIRIDIS))


def _flat(place: int, flat: Row, count: str, top: Map) -> str:
    """The maps in one row: the first numbers of the front map, and so on."""
    x, y = _corner(place)[0], _base(place) - 58
    largest = max(map(max, top)) or 1.0
    first = [value for row in top for value in row][:20]
    levels = bytes(round(10 * value / largest) for value in first)
    row = image(x, y, 120, 16, png([levels], svg.VIRIDIS))
    rest = svg.text(x + 126, y + 12, "…", "", "start")
    return row + rest + _words(place, "flatten", f"{flat.shape[0]:,}", count)


def _dense(place: int, dense: Row) -> str:
    x, y = _corner(place)[0], _base(place) - 22
    units = "".join(svg.rect(x + 12 * n, y, 12, 16, "cell plain") for n in range(8))
    words = _words(place, "dense, ReLU", f"{UNITS}", f"{dense.parameters:,} parameters")
    return units + svg.text(x + 102, y + 12, "…", "", "start") + words


def _scores(place: int, scores: Row) -> str:
    x, y = _corner(place)[0], _base(place) - 23
    cells = "".join(
        svg.rect(x + 15 * n, y, 15, 18, "cell plain") + svg.text(x + 15 * n + 7.5, y + 14, str(n))
        for n in range(CLASSES)
    )
    return cells + _words(place, "dense", "10 scores", f"{scores.parameters:,} parameters")


def _scale(place: int) -> str:
    """How a map's colours are read."""
    x, y = _corner(place)[0] + 12, _base(place) - 22
    words = (("0", x, "start"), ("the map’s largest", x + 132, "end"))
    ends = "".join(svg.text(at, y + 32, said, "soft", anchor) for said, at, anchor in words)
    title = svg.text(x, _corner(place)[1] + 14, "colours of a map", "soft", "start")
    return image(x, y, 132, 16, png([bytes(range(11))], svg.VIRIDIS)) + ends + title
