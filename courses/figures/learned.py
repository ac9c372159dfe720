"""Two kernels that nobody wrote: a small network's, while it learns to tell stripes (lecture 5.7).

STATES is what the lecture's own training loop passes through: the kernels and biases of its first
layer after so many steps, and the share of 400 new pictures that the network then gets right.
tests/courses/test_figures_learned.py trains it again and compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from courses.figures.scales import scale
from labs import params
from labs.params import choice
from labs.words import number

SIDE, PERIOD = 12, 8
Grid = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class State:
    """The two kernels after some steps, their biases, and the share of right answers."""

    kernels: tuple[Grid, Grid]
    biases: tuple[float, float]
    right: float


STATES: dict[str, State] = {
    "0": State(
        (
            ((0.02, -0.2, 0.11), (0.1, -0.18, -0.05), (-0.2, 0.09, -0.09)),
            ((0.23, 0.24, 0.03), (-0.14, -0.2, -0.04), (-0.09, 0.15, -0.28)),
        ),
        (0.31, -0.26),
        0.5,
    ),
    "10": State(
        (
            ((0.05, -0.5, -0.13), (0.39, -0.4, 0.22), (0.0, -0.21, -0.35)),
            ((0.52, 0.54, 0.34), (-0.36, -0.26, 0.01), (-0.39, -0.15, -0.58)),
        ),
        (0.14, 0.02),
        0.965,
    ),
    "20": State(
        (
            ((0.36, -0.73, -0.44), (0.71, -0.14, 0.07), (0.31, -0.44, -0.66)),
            ((0.84, 0.85, 0.66), (-0.25, -0.14, -0.09), (-0.69, -0.47, -0.91)),
        ),
        (-0.11, 0.04),
        1.0,
    ),
    "40": State(
        (
            ((1.04, -0.58, -1.19), (1.35, 0.29, -0.68), (0.97, -0.18, -1.4)),
            ((1.5, 1.5, 1.32), (-0.02, -0.24, -0.07), (-1.31, -1.13, -1.58)),
        ),
        (-0.14, 0.05),
        1.0,
    ),
    "150": State(
        (
            ((2.07, -0.32, -2.44), (2.23, 0.53, -1.89), (1.83, 0.05, -2.53)),
            ((2.55, 2.46, 2.33), (0.49, -0.56, -0.19), (-2.17, -2.15, -2.65)),
        ),
        (-0.72, 0.05),
        1.0,
    ),
}


class Moment(params.Params):
    steps: Literal["0", "10", "20", "40", "150"] = choice(
        "150", list(STATES), label="Steps learned"
    )
    stripes: Literal["vertical", "horizontal"] = choice(
        "vertical",
        {"vertical": "Vertical", "horizontal": "Horizontal"},
        label="Stripes in the picture",
    )


def picture(stripes: str) -> Grid:
    """12×12 pixels from −1 to 1: stripes of the lecture's kind, without its noise."""
    wave = tuple(sin(2 * pi * at / PERIOD) for at in range(SIDE))
    if stripes == "vertical":
        return (wave,) * SIDE
    return tuple((height,) * SIDE for height in wave)


def rectified(x: Grid, kernel: Grid, bias: float) -> Grid:
    """The 10×10 map of a kernel after its bias and ReLU."""
    weights = [(u, v, kernel[u][v]) for u in range(3) for v in range(3)]
    places = range(len(x) - 2)
    return tuple(
        tuple(max(0.0, bias + sum(w * x[r + u][c + v] for u, v, w in weights)) for c in places)
        for r in places
    )


def mean(y: Grid) -> float:
    return sum(map(sum, y)) / sum(map(len, y))


@figure(Moment, wide=True)
def learned_kernels(moment: Moment) -> Drawing:
    """A picture of stripes, the network's two kernels, their maps, and the mean of each map."""
    state, x = STATES[moment.steps], picture(moment.stripes)
    both = list(zip(state.kernels, state.biases, strict=True))
    maps = [rectified(x, kernel, bias) for kernel, bias in both]
    means = [mean(y) for y in maps]
    most = max(1.0, *(max(map(max, y)) for y in maps))
    says = (
        f"After {moment.steps} steps {moment.stripes} stripes give mean {number(means[0])} in map "
        f"0 and {number(means[1])} in map 1. Right on new pictures: {number(100 * state.right)} %."
    )
    grey = tuple(tuple(255 * (v + 1) / 2 for v in row) for row in x)
    drawn = svg.svg(
        580, 350,
        svg.text(0, 16, "picture 1×12×12", "label", "start"),
        svg.pixels(0, 98, grey, 12, numbers=False), svg.rect(0, 98, 144, 144, "stroke"),
        *(_row(158 * n, n, both[n], maps[n], most) for n in range(2)),
        scale(372, 314, 120, 0, most),
        alt=says,
    )  # fmt: skip
    return Drawing(drawn, says, says)


def _row(y: float, n: int, made: tuple[Grid, float], shown: Grid, most: float) -> str:
    """One kernel with its bias, its map after ReLU, and what the map comes to."""
    kernel, bias = made
    short = tuple(tuple(round(w, 1) for w in row) for row in kernel)
    return "".join(
        (
            svg.text(164, y + 90, "∗", "sign"),
            svg.text(190, y + 16, f"kernel {n}, bias {number(bias, 1)}", "label", "start"),
            svg.kernel(190, y + 26, short, 40),
            svg.text(342, y + 90, "=", "sign"),
            svg.text(372, y + 16, f"map {n}, after ReLU", "label", "start"),
            svg.feature_map(372, y + 26, shown, 12, (0, most), numbers=False),
            svg.text(508, y + 80, "mean", "soft", "start"),
            svg.text(508, y + 100, number(mean(shown)), "", "start"),
        )
    )
