"""Slices, filters, and how many numbers a layer learns (lecture 5.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from courses.figures.scales import scale
from labs import params
from labs.params import choice, slider, switch
from labs.words import number

Grid = tuple[tuple[float, ...], ...]
LEAF, BERRY = (60, 130, 40), (200, 60, 40)
"""Red, green, blue of two colours that are equally bright: 0.3, 0.6 and 0.1 of them are 100."""
SCENE = ("LLBB", "LLBB", "LBBB", "LBBB")
SOBEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
NAMES = ("red", "green", "blue")
SHARES = {"difference": (1, -1, 0), "brightness": (0.3, 0.6, 0.1)}
"""What the Sobel kernel is multiplied by to be the slice for red, for green and for blue."""
ENDS = (-840, 840)
"""Of the colour scale of all maps here: 840 is the most that this scene gives."""


class Reading(params.Params):
    slices: Literal["difference", "brightness"] = choice(
        "difference",
        {
            "difference": "Sobel for red, minus Sobel for green",
            "brightness": "Sobel times 0.3, 0.6 and 0.1: the brightness",
        },
        label="Slices of the kernel",
    )
    row: int = slider(0, low=0, high=1, label="Row of the window")
    column: int = slider(0, low=0, high=1, label="Column of the window")


def channel(n: int) -> Grid:
    """One channel of the scene: 4×4 pixels."""
    return tuple(tuple((LEAF if at == "L" else BERRY)[n] for at in line) for line in SCENE)


def kernel_slice(slices: str, n: int) -> Grid:
    """The 3×3 slice that looks at channel n."""
    return tuple(tuple(round(SHARES[slices][n] * w, 2) for w in row) for row in SOBEL)


def partial_map(slices: str, n: int) -> Grid:
    """What a slice makes of its channel: 2×2 cells, rounded where a share is not whole."""
    x, w = channel(n), kernel_slice(slices, n)
    return tuple(tuple(round(_window(x, w, r, c), 6) for c in range(2)) for r in range(2))


def summed(maps: Sequence[Grid]) -> Grid:
    """The one map: its cells are the sums of those of the slices."""
    return tuple(tuple(round(sum(m[r][c] for m in maps), 6) for c in range(2)) for r in range(2))


def _window(x: Grid, w: Grid, row: int, column: int) -> float:
    return sum(w[u][v] * x[row + u][column + v] for u in range(3) for v in range(3))


@figure(Reading, wide=True)
def channel_slices(reading: Reading) -> Drawing:
    """Three channels, three slices, three partial maps, and the one map that is their sum."""
    r, c = reading.row, reading.column
    maps = [partial_map(reading.slices, n) for n in range(3)]
    total = summed(maps)
    parts = [number(m[r][c]) for m in maps]
    alt = (
        f"A colour picture as three channels. At row {r}, column {c} the slices give "
        f"{', '.join(f'{name} {part}' for name, part in zip(NAMES, parts, strict=True))}; "
        f"added, the map's cell is {number(total[r][c])}."
    )
    drawn = svg.svg(
        596, 492,
        *_scene(0, 190),
        *(_row(104, 24 + 158 * n, n, reading, maps[n]) for n in range(3)),
        svg.text(440, 172, "+", "sign"), svg.text(440, 330, "+", "sign"),
        svg.text(496, 250, "=", "sign"),
        svg.text(512, 188, "map 1×2×2", "label", "start"),
        svg.feature_map(512, 202, total, 40, ENDS),
        svg.window(512 + 40 * c, 202 + 40 * r, 1, 1, 40),
        scale(400, 452, 192, *ENDS),
        alt=alt,
    )  # fmt: skip
    terms = " + ".join(f"({part})" if part.startswith("−") else part for part in parts)
    return Drawing(drawn, alt, f"red + green + blue: {terms} = {number(total[r][c])}")


def _scene(x: float, y: float) -> list[str]:
    """The picture as it is seen, in colour."""
    words = [svg.text(x, y - 28, "picture", "label", "start")]
    words.append(svg.text(x, y - 12, "3×4×4", "label", "start"))
    cells = []
    for r, line in enumerate(SCENE):
        for c, at in enumerate(line):
            colour = "#" + "".join(f"{v:02x}" for v in (LEAF if at == "L" else BERRY))
            cells.append(svg.rect(x + 20 * c, y + 20 * r, 20, 20, "cell", colour))
    return words + cells


def _row(x: float, y: float, n: int, reading: Reading, made: Grid) -> str:
    """One channel, its slice, and the map of this slice."""
    r, c = reading.row, reading.column
    return "".join(
        (
            svg.text(x, y - 6, f"channel {n}: {NAMES[n]}", "label", "start"),
            svg.pixels(x, y, channel(n), 30),
            svg.window(x + 30 * c, y + 30 * r, 3, 3, 30),
            svg.text(x + 137, y + 66, "∗", "sign"),
            svg.text(x + 154, y + 4, f"slice {n}", "label", "start"),
            svg.kernel(x + 154, y + 10, kernel_slice(reading.slices, n), 36),
            svg.text(x + 278, y + 66, "=", "sign"),
            svg.feature_map(x + 296, y + 20, made, 40, ENDS),
            svg.window(x + 296 + 40 * c, y + 20 + 40 * r, 1, 1, 40),
        )
    )


class Layer(params.Params):
    channels: int = slider(3, low=1, high=512, label="Channels in, C_in")
    filters: int = slider(8, low=1, high=512, label="Filters, C_out")
    k: Literal[1, 3, 5, 7] = choice(
        3, {"1": "1×1", "3": "3×3", "5": "5×5", "7": "7×7"}, label="Each slice, k×k"
    )
    bias: bool = switch(True, label="A bias for each filter")
    side: int = slider(28, low=1, high=224, label="Side of each map", unit="cells")


@dataclass(frozen=True)
class Count:
    """What a layer learns, and what it computes for one picture."""

    weights: int
    biases: int
    multiplications: int

    @property
    def parameters(self) -> int:
        return self.weights + self.biases


def count(layer: Layer) -> Count:
    """C_out filters of C_in slices of k×k, a bias each; used once for each cell of the map."""
    weights = layer.filters * layer.channels * layer.k**2
    return Count(weights, layer.filters if layer.bias else 0, weights * layer.side**2)


@figure(Layer, wide=True)
def counting_parameters(layer: Layer) -> Drawing:
    """The filters of a layer, slice by slice, and its parameters and multiplications."""
    found = count(layer)
    deep, many, k, side = layer.channels, layer.filters, layer.k, layer.side
    one = f"({number(deep)} × {k}² + 1)" if layer.bias else f"{number(deep)} × {k}²"
    says = (
        f"Parameters: {number(many)} × {one} = {number(found.parameters)}. Multiplications for "
        f"maps of {side}×{side}: {number(found.weights)} × {side}² = "
        f"{number(found.multiplications)}."
    )
    alt = (
        f"{_named(many, 'filter')} with {_named(deep, 'slice')} of {k}×{k} weights each"
        f"{', and a bias each,' if layer.bias else ''} for {_named(many, 'map')}."
    )
    shown = _shown(many)
    bottom = 30 + sum(24 if at is None else 60 for at in shown)
    drawn = svg.svg(
        560, bottom + 4,
        svg.text(0, 14, _named(many, "filter"), "label", "start"),
        svg.text(84, 14, f"a slice for each of C_in = {number(deep)}", "label", "start"),
        svg.text(560, 14, f"maps {number(many)}×{side}×{side}", "label", "end"),
        *_filters(layer, shown),
        alt=alt,
    )  # fmt: skip
    return Drawing(drawn, alt, says)


def _named(count: int, what: str) -> str:
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def _shown(many: int, most: int = 4) -> list[int | None]:
    """Which of `many` are drawn; None stands for those in between."""
    if many <= most:
        return list(range(many))
    return [*range(most - 1), None, many - 1]


def _filters(layer: Layer, shown: list[int | None]) -> list[str]:
    parts, y = [], 30.0
    for at in shown:
        if at is None:
            parts += [svg.text(x, y + 12, "⋮", "sign") for x in (22, 212, 488)]
            y += 24
            continue
        parts.append(_filter(layer, at, y))
        y += 60
    return parts


def _filter(layer: Layer, at: int, y: float) -> str:
    """One filter's slices and bias, and the map that it makes."""
    parts = [svg.text(0, y + 30, f"filter {at}", "label", "start")]
    x = 84.0
    for n in _shown(layer.channels):
        if n is None:
            parts.append(svg.text(x + 14, y + 30, "…", "sign"))
            x += 32
            continue
        parts.append(_slice(x, y, layer.k))
        x += 56
    if layer.bias:
        parts.append(svg.text(x + 8, y + 31, "+", "sign"))
        parts.append(svg.rect(x + 24, y + 14, 22, 22, "cell plus1"))
        parts.append(svg.text(x + 35, y + 29, "b"))
    parts.append(svg.arrow(400, y + 25, 440, y + 25))
    parts.append(svg.rect(464, y + 1, 48, 48, "cell", svg.VIRIDIS[(3 + 4 * at) % 11]))
    parts.append(svg.text(518, y + 30, f"{at}", "label", "start"))
    return "".join(parts)


def _slice(x: float, y: float, k: int) -> str:
    cell = 48 / k
    return "".join(
        svg.rect(x + c * cell, y + 1 + r * cell, cell, cell, "cell plus1")
        for r in range(k)
        for c in range(k)
    )
