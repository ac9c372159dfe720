"""What a cell of a map says: likeness times contrast; then bias and ReLU (section 5)."""

from __future__ import annotations

from math import hypot
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import choice, slider, switch
from labs.words import fixed, number, signed

Grid = tuple[tuple[float, ...], ...]

DIAGONAL: Grid = ((2, -1, -1), (-1, 2, -1), (-1, -1, 2))
"""A kernel that looks for a light line from the upper left to the lower right. It sums to 0."""

PATCHES: dict[str, tuple[str, Grid]] = {
    "diagonal": ("The diagonal line", ((1, 0, 0), (0, 1, 0), (0, 0, 1))),
    "dot": ("One dot in the middle", ((0, 0, 0), (0, 1, 0), (0, 0, 0))),
    "corners": ("Two other corners", ((0, 0, 1), (0, 0, 0), (1, 0, 0))),
    "edge": ("A vertical edge", ((0, 0, 1), (0, 0, 1), (0, 0, 1))),
    "flat": ("Even grey", ((0, 0, 0), (0, 0, 0), (0, 0, 0))),
}
STRONGEST = 540  # of all states: the diagonal line, lighter by 90

ALONG = {0: 190, 4: 130, -4: 40}
"""Three lines on a ground of 100, by column less row: a clear one, a faint one, a dark one."""
LINES: Grid = tuple(tuple(ALONG.get(c - r, 100) for c in range(7)) for r in range(7))


class Patch(params.Params):
    patch: Literal["diagonal", "dot", "corners", "edge", "flat"] = choice(
        "diagonal", {name: title for name, (title, _) in PATCHES.items()}, label="What is there"
    )
    lighter: int = slider(
        90,
        low=-90,
        high=90,
        step=9,
        label="Lighter by",
        help="Than the pixels around it. Below zero it is darker.",
    )
    ground: int = slider(
        100, low=90, high=160, step=10, label="Brightness", help="Of the pixels around it."
    )


class Gate(params.Params):
    bias: int = slider(
        0, low=-300, high=300, step=30, label="Bias", help="Added to every cell of the map."
    )
    relu: bool = switch(True, label="ReLU", help="What is below zero becomes zero.")


def patch_of(name: str, lighter: float, ground: float) -> Grid:
    return tuple(tuple(ground + lighter * m for m in row) for row in PATCHES[name][1])


def less_mean(patch: Grid) -> Grid:
    mean = sum(map(sum, patch)) / 9
    return tuple(tuple(x - mean for x in row) for row in patch)


def times(one: Grid, other: Grid) -> Grid:
    """The products, cell by cell."""
    both = zip(one, other, strict=True)
    return tuple(tuple(x * w for x, w in zip(xs, ws, strict=True)) for xs, ws in both)


def length(grid: Grid) -> float:
    return hypot(*(x for row in grid for x in row))


def likeness(patch: Grid) -> float:
    """The cosine between a patch less its mean and the kernel; 0 for an even patch."""
    size = length(less_mean(patch)) * length(DIAGONAL)
    return total(patch) / size if size else 0.0


def total(patch: Grid) -> float:
    """The response of the kernel to a patch. The mean may go first, for the kernel sums to 0."""
    return sum(map(sum, times(less_mean(patch), DIAGONAL)))


def before() -> Grid:
    """The map (5×5) of the kernel on the picture of lines."""
    return tuple(
        tuple(total(tuple(row[j : j + 3] for row in LINES[i : i + 3])) for j in range(5))
        for i in range(5)
    )


def after(bias: float, relu: bool) -> Grid:
    return tuple(tuple(max(0.0, y + bias) if relu else y + bias for y in row) for row in before())


@figure(Patch, wide=True)
def agreements(chosen: Patch) -> Drawing:
    """A patch, the same less its mean, the kernel, the products, and their sum on a scale."""
    patch = patch_of(chosen.patch, chosen.lighter, chosen.ground)
    response, like, size = total(patch), likeness(patch), length(less_mean(patch))
    mean = sum(map(sum, patch)) / 9
    name = PATCHES[chosen.patch][0]
    alt = f"{name}, lighter by {number(chosen.lighter)}: the nine products add up to "
    alt += f"{number(response)}."
    drawn = svg.svg(
        590, 222,
        svg.text(0, 16, "patch, 3×3", "label", "start"), svg.pixels(0, 28, patch),
        svg.text(124, 87, "→", "sign"),
        svg.text(142, 16, f"minus mean {number(mean)}", "label", "start"),
        svg.kernel(142, 28, less_mean(patch)), svg.text(268, 87, "×", "sign"),
        svg.text(286, 16, "kernel, 3×3", "label", "start"), svg.kernel(286, 28, DIAGONAL),
        svg.text(412, 87, "=", "sign"),
        svg.text(430, 16, "products", "label", "start"),
        svg.kernel(430, 28, times(less_mean(patch), DIAGONAL)),
        _scale(response), alt=alt,
    )  # fmt: skip
    says = (
        f"Response {number(response)} = length of the kernel {fixed(length(DIAGONAL))} × contrast "
        f"of the patch {fixed(size)} × likeness {fixed(like)} (all three rounded)."
    )
    return Drawing(drawn, alt, says)


def _scale(response: float) -> str:
    """The response on a line from the least to the greatest that the figure can show."""
    left, right, y = 60, 520, 186
    middle = (left + right) / 2
    x = middle + response / STRONGEST * (right - left) / 2
    bar = svg.rect(min(x, middle), y - 6, abs(x - middle), 12, f"cell {_sign(response)}")
    ticks = ((left, -STRONGEST), (middle, 0), (right, STRONGEST))
    return "".join((
        svg.line(left, y, right, y), bar, svg.line(x, y - 12, x, y + 12),
        svg.text(x, y - 17, f"sum = {number(response)}", "title"),
        *(svg.text(at, y + 30, number(value), "soft") for at, value in ticks),
    ))  # fmt: skip


def _sign(value: float) -> str:
    return "paper" if value == 0 else "plus2" if value > 0 else "minus2"


@figure(Gate, wide=True)
def bias_and_relu(gate: Gate) -> Drawing:
    """A picture of three lines, its map, and what bias and ReLU leave of it."""
    y, z = before(), after(gate.bias, gate.relu)
    left = sum(v > 0 for row in z for v in row)
    rule = f"{'max(0, ' if gate.relu else ''}map {signed(gate.bias)}{')' if gate.relu else ''}"
    says = f"{rule}: {left} of 25 cells are above zero."
    alt = f"A picture of 7×7 pixels, its map of 5×5 cells, and the map after {says}"
    drawn = svg.svg(
        602, 226,
        svg.text(0, 16, "picture, 7×7", "label", "start"), svg.pixels(0, 28, LINES, 25, False),
        svg.text(195, 120, "→", "sign"),
        svg.text(216, 16, "map", "label", "start"), svg.feature_map(216, 28, y, 35),
        _ends(216, y), svg.text(408, 120, "→", "sign"),
        svg.text(426, 16, rule, "label", "start"), svg.feature_map(426, 28, z, 35),
        _ends(426, z), alt=alt,
    )  # fmt: skip
    return Drawing(drawn, alt, says)


def _ends(x: float, rows: Grid) -> str:
    low, high = min(map(min, rows)), max(map(max, rows))
    return svg.text(x, 222, f"1×5×5, from {number(low)} to {number(high)}", "soft", "start")
