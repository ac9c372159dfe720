"""A whole network with numbers that a reader can check: 36 pixels in, two scores out (7.1)."""

from __future__ import annotations

from math import exp
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import choice, slider
from labs.words import fixed, number

Grid = tuple[tuple[int, ...], ...]

SIDE, CELL = 6, 28
KERNEL = ((-1, -1, -1), (2, 2, 2), (-1, -1, -1))
"""Answers to a horizontal line; inside a vertical one it gives 0."""
WEIGHTS = {"seven": ((0.5, 0.5, 0, 0), -3), "one": ((-0.5, -0.5, 0, 0), 3)}
"""Of each class: a weight for each number of the row, and the bias."""
INK = {
    "seven": {(0, 1), (0, 2), (0, 3), *((row, 4) for row in range(5))},
    "one": {(row, 3) for row in range(5)},
}
TOP = 1


class Shown(params.Params):
    digit: Literal["seven", "one"] = choice(
        "seven", {"seven": "A seven", "one": "A one"}, label="Picture"
    )
    down: int = slider(0, low=0, high=2, label="Moved down by", unit="pixels")


def picture(digit: str, down: int) -> Grid:
    """6×6 pixels, 1 where there is ink."""
    inked = {(row + TOP + down, column) for row, column in INK[digit]}
    return tuple(tuple(int((r, c) in inked) for c in range(SIDE)) for r in range(SIDE))


def convolved(x: Grid) -> Grid:
    """The 4×4 map: no padding, stride 1."""
    places = range(SIDE - 2)
    return tuple(
        tuple(
            sum(KERNEL[u][v] * x[r + u][c + v] for u in range(3) for v in range(3)) for c in places
        )
        for r in places
    )


def rectified(y: Grid) -> Grid:
    return tuple(tuple(max(0, value) for value in row) for row in y)


def pooled(y: Grid) -> Grid:
    """The largest of each 2×2 window."""
    return tuple(
        tuple(max(y[r + u][c + v] for u in (0, 1) for v in (0, 1)) for c in (0, 2)) for r in (0, 2)
    )


def scores(row: tuple[int, ...]) -> dict[str, float]:
    return {
        name: sum(w * x for w, x in zip(weights, row, strict=True)) + bias
        for name, (weights, bias) in WEIGHTS.items()
    }


def shares(found: dict[str, float]) -> dict[str, float]:
    """Softmax."""
    powers = {name: exp(score) for name, score in found.items()}
    return {name: power / sum(powers.values()) for name, power in powers.items()}


@figure(Shown)
def small_pipeline(shown: Shown) -> Drawing:
    """Picture, kernel, map, ReLU, pooling, flatten, two scores, two probabilities."""
    x = picture(shown.digit, shown.down)
    y = convolved(x)
    bent = rectified(y)
    small = pooled(bent)
    row = tuple(value for line in small for value in line)
    found = scores(row)
    sure = shares(found)
    said = max(sure, key=lambda name: sure[name])
    where = max(((r, c) for r in range(4) for c in range(4)), key=lambda at: bent[at[0]][at[1]])
    verdict = "right" if said == shown.digit else "wrong"
    alt = (
        f"A {shown.digit} of 6×6 pixels becomes a 4×4 map, after ReLU and pooling the four numbers "
        f"{_listed(row)}, and is read as {said}, which is {verdict}."
    )
    parts = (*_upper(x, y, where), *_middle(bent, small, row, where), *_scores(found, sure))
    # Moved by 2, so that the outlines at the left edge are not cut.
    drawn = svg.svg(440, 436, '<g transform="translate(2 0)">', *parts, "</g>", alt=alt)
    says = (
        f"The row is {_listed(row)}. seven: {_sum(row, 'seven')} = {number(found['seven'])}; "
        f"one: {_sum(row, 'one')} = {number(found['one'])}. It reads a {said}, and is {verdict}."
    )
    return Drawing(drawn, alt, says)


def _upper(x: Grid, y: Grid, where: tuple[int, int]) -> list[str]:
    r, c = where
    inked = tuple(tuple(255 * value for value in row) for row in x)
    written = [
        svg.text(
            (column + 0.5) * CELL, 24 + (row + 0.5) * CELL + 4, str(value),
            "on-light" if value else "on-dark",
        )
        for row, line in enumerate(x)
        for column, value in enumerate(line)
    ]  # fmt: skip
    return [
        svg.text(0, 16, "picture 1×6×6", "label", "start"),
        svg.pixels(0, 24, inked, CELL, numbers=False), *written,
        svg.text(187, 114, "∗", "sign"),
        svg.text(206, 58, "kernel", "label", "start"), svg.kernel(206, 66, KERNEL, CELL),
        svg.text(307, 114, "=", "sign"),
        svg.text(324, 44, "map 1×4×4", "label", "start"),
        svg.feature_map(324, 52, y, CELL, ends=(-6, 6)),
        svg.text(436, 182, "colours: −6 to 6", "soft", "end"),
        svg.window(c * CELL, 24 + r * CELL, 3, 3, CELL),
        svg.window(324 + c * CELL, 52 + r * CELL, 1, 1, CELL),
    ]  # fmt: skip


def _middle(bent: Grid, small: Grid, row: tuple[int, ...], where: tuple[int, int]) -> list[str]:
    y, r, c = 242, where[0] // 2, where[1] // 2
    return [
        svg.text(0, y - 8, "after ReLU", "label", "start"),
        svg.feature_map(0, y, bent, CELL, ends=(-6, 6)),
        svg.arrow(120, y + 56, 150, y + 56),
        svg.text(160, y + 20, "max pooling", "label", "start"),
        svg.feature_map(160, y + 28, small, CELL, ends=(-6, 6)),
        svg.arrow(224, y + 56, 254, y + 56),
        svg.text(264, y + 34, "flattened: 4", "label", "start"),
        svg.feature_map(264, y + 42, (row,), CELL, ends=(-6, 6)),
        svg.window(2 * c * CELL, y + 2 * r * CELL, 2, 2, CELL),
        svg.window(160 + c * CELL, y + 28 + r * CELL, 1, 1, CELL),
        svg.window(264 + (2 * r + c) * CELL, y + 42, 1, 1, CELL),
    ]  # fmt: skip


def _scores(found: dict[str, float], sure: dict[str, float]) -> list[str]:
    parts = []
    for place, name in enumerate(found):
        y = 384 + 28 * place
        parts += [
            svg.text(0, y + 14, name, "label", "start"),
            svg.text(112, y + 14, number(found[name]), "", "end"),
            svg.rect(128, y, 220, 18, "cell plain"),
            svg.rect(128, y, 220 * sure[name], 18, "cell", "var(--map)"),
            svg.text(428, y + 14, f"{fixed(100 * sure[name], 1)} %", "", "end"),
        ]
    return [
        svg.text(112, 376, "score", "soft", "end"),
        svg.text(128, 376, "softmax", "soft", "start"), *parts,
    ]  # fmt: skip


def _sum(row: tuple[int, ...], name: str) -> str:
    """ "0.5·6 + 0.5·5 − 3": the terms whose weight is not 0, and the bias."""
    weights, bias = WEIGHTS[name]
    terms = [(w, x) for w, x in zip(weights, row, strict=True) if w]
    first = f"{number(terms[0][0])}·{terms[0][1]}"
    rest = "".join(f" {'+' if w > 0 else '−'} {number(abs(w))}·{x}" for w, x in terms[1:])
    return f"{first}{rest} {'+' if bias > 0 else '−'} {abs(bias)}"


def _listed(row: tuple[int, ...]) -> str:
    return ", ".join(map(str, row))
