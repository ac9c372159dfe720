"""Kernels with gaps, and kernels that look at one channel each (lecture 5.7).

Dilation follows Yu & Koltun (2016), "Multi-scale context aggregation by dilated convolutions";
the separable layer is that of Howard et al. (2017), "MobileNets".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import choice, slider
from labs.words import number

SIDE, CELL = 15, 18
RATES = ("1", "2", "3", "4", "2, 2", "1, 2", "1, 2, 4")


class Dilated(params.Params):
    rates: Literal["1", "2", "3", "4", "2, 2", "1, 2", "1, 2, 4"] = choice(
        "2", {rates: rates for rates in RATES}, label="Dilation d, layer by layer"
    )


def seen(rates: tuple[int, ...]) -> frozenset[int]:
    """The pixels of a row that a cell depends on, counted from the one below it: k = 3."""
    found = {0}
    for d in rates:
        found = {at + step for at in found for step in (-d, 0, d)}
    return frozenset(found)


@figure(Dilated)
def dilated_kernel(dilated: Dilated) -> Drawing:
    """The pixels that one cell of the last map depends on, through one to three 3×3 kernels."""
    rates = tuple(int(d) for d in dilated.rates.split(", "))
    offsets, middle = seen(rates), SIDE // 2
    span = 2 * max(offsets) + 1
    layers = f"Dilation {rates[0]}" if len(rates) == 1 else f"Dilations {dilated.rates} in turn"
    says = (
        f"{layers}: {9 * len(rates)} weights. The cell depends on {len(offsets) ** 2} of the "
        f"{span}×{span} = {span**2} pixels that it spans."
    )
    edge = (middle - span // 2) * CELL
    cells = (
        svg.rect(c * CELL, r * CELL, CELL, CELL, "cell " + _kind(r - middle, c - middle, offsets))
        for r in range(SIDE)
        for c in range(SIDE)
    )
    drawn = svg.svg(
        SIDE * CELL + 4, SIDE * CELL + 4,
        f'<g transform="translate(2 2)">{"".join(cells)}'
        f"{svg.window(edge, edge, span, span, CELL)}</g>",
        alt=says,
    )  # fmt: skip
    return Drawing(drawn, says, says)


def _kind(row: int, column: int, offsets: frozenset[int]) -> str:
    if row == column == 0:
        return "plus2"
    return "plus1" if row in offsets and column in offsets else "plain"


class Separable(params.Params):
    channels: int = slider(3, low=1, high=512, label="Channels in, C_in")
    filters: int = slider(4, low=1, high=512, label="Maps out, C_out")
    k: Literal[3, 5, 7] = choice(3, {"3": "3×3", "5": "5×5", "7": "7×7"}, label="Kernel, k×k")


@dataclass(frozen=True)
class Counts:
    """Weights and biases of an ordinary layer, and of the two that replace it."""

    ordinary: int
    depthwise: int
    pointwise: int

    @property
    def separable(self) -> int:
        return self.depthwise + self.pointwise


def counts(layer: Separable) -> Counts:
    """Depthwise, each slice has a channel of its own; C_out filters of 1×1 then mix the maps."""
    deep, many, k = layer.channels, layer.filters, layer.k
    return Counts(many * (deep * k**2 + 1), deep * (k**2 + 1), many * (deep + 1))


@figure(Separable, wide=True)
def separable_kernels(layer: Separable) -> Drawing:
    """An ordinary layer's slices beside those of depthwise and 1×1, and their parameters."""
    found = counts(layer)
    deep, many, k = number(layer.channels), number(layer.filters), layer.k
    alt = (
        f"Slices of {k}×{k} in an ordinary layer: {many} × {deep}. In a depthwise layer: {deep}. "
        f"Single weights in the 1×1 layer behind it: {many} × {deep}."
    )
    rows, columns = _shown(layer.filters), _shown(layer.channels)
    top = 124 + 36 * len(rows)
    drawn = svg.svg(
        580, top + 98,
        svg.text(0, 16, "ordinary", "label", "start"),
        svg.text(0, 34, f"slices of {k}×{k}: {many} × {deep}", "soft", "start"),
        _slices(0, 44, rows, columns, k),
        svg.text(310, 16, "depthwise", "label", "start"),
        svg.text(310, 34, f"slices of {k}×{k}: {deep}", "soft", "start"),
        _slices(310, 44, _shown(1), columns, k),
        svg.text(310, 100, "then 1×1", "label", "start"),
        svg.text(310, 118, f"single weights: {many} × {deep}", "soft", "start"),
        _slices(310, 124, rows, columns, 1),
        *_bars(top, found),
        alt=alt,
    )  # fmt: skip
    says = (
        f"Parameters with biases: ordinary {number(found.ordinary)}; depthwise "
        f"{number(found.depthwise)} + 1×1 {number(found.pointwise)} = {number(found.separable)}. "
        f"Ordinary ÷ separable: {number(found.ordinary / found.separable)}."
    )
    return Drawing(drawn, alt, says)


def _shown(many: int) -> list[bool]:
    """A place for each of `many`, or for four of them; False is the … among these."""
    return [True] * many if many <= 4 else [True, True, True, False, True]


def _slices(x: float, y: float, rows: list[bool], columns: list[bool], k: int) -> str:
    """Slices of k×k; those of 1×1 are drawn small."""
    side = 12 if k == 1 else 30
    parts = []
    for r, row in enumerate(rows):
        for c, column in enumerate(columns):
            left, up = x + 36 * c + (30 - side) / 2, y + 36 * r + (30 - side) / 2
            if not row or not column:
                dots = "⋱" if not row and not column else "…" if row else "⋮"
                parts.append(svg.text(x + 36 * c + 15, y + 36 * r + 21, dots, "sign"))
                continue
            cell = side / k
            parts += [
                svg.rect(left + v * cell, up + u * cell, cell, cell, "cell plus1")
                for u in range(k)
                for v in range(k)
            ]
    return "".join(parts)


def _bars(y: float, found: Counts) -> list[str]:
    """Three bars, as long as the layers have parameters."""
    widest = max(found.ordinary, found.depthwise, found.pointwise)
    named = (("ordinary", found.ordinary), ("depthwise", found.depthwise), ("1×1", found.pointwise))
    parts = []
    for n, (name, many) in enumerate(named):
        width = max(1.0, 380 * many / widest)
        at = y + 10 + 28 * n
        parts.append(svg.text(0, at + 15, name, "label", "start"))
        parts.append(svg.rect(84, at, width, 20, "cell plus2"))
        parts.append(svg.text(92 + width, at + 15, number(many), "", "start"))
    return parts
