"""The same kernel as it is written and turned by 180°, and the maps of both (section 5)."""

from __future__ import annotations

from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import choice
from labs.words import number

Grid = tuple[tuple[float, ...], ...]

KERNELS: dict[str, tuple[str, Grid]] = {
    "count": ("1 to 9", ((1, 2, 3), (4, 5, 6), (7, 8, 9))),
    "sobel": ("Sobel x", ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))),
    "emboss": ("Emboss", ((-2, -1, 0), (-1, 1, 1), (0, 1, 2))),
    "laplacian": ("Laplacian", ((0, 1, 0), (1, -4, 1), (0, 1, 0))),
}
PICTURES: dict[str, tuple[str, Grid]] = {
    "point": (
        "One bright pixel",
        ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 0, 1, 0, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
    ),
    "edge": ("An edge", ((0, 0, 0, 1, 1),) * 5),
    "hook": (
        "A hook",
        ((0, 0, 0, 0, 0), (0, 1, 1, 1, 0), (0, 0, 0, 1, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 0)),
    ),
}


class Turn(params.Params):
    kernel: Literal["count", "sobel", "emboss", "laplacian"] = choice(
        "count", {name: title for name, (title, _) in KERNELS.items()}, label="Kernel"
    )
    picture: Literal["point", "edge", "hook"] = choice(
        "point", {name: title for name, (title, _) in PICTURES.items()}, label="Picture"
    )


def turned(grid: Grid) -> Grid:
    """Turned by 180°: upside down and left to right."""
    return tuple(tuple(reversed(row)) for row in reversed(grid))


def correlated(picture: Grid, kernel: Grid) -> Grid:
    """The kernel as it is slid over the picture, without a border: what networks do."""
    k = len(kernel)
    return tuple(
        tuple(
            sum(kernel[u][v] * picture[i + u][j + v] for u in range(k) for v in range(k))
            for j in range(len(picture[0]) - k + 1)
        )
        for i in range(len(picture) - k + 1)
    )


def grey(x: float, y: float, rows: Grid, white: float, cell: float = svg.CELL) -> str:
    """Small numbers as pixels: 0 is black, `white` is white; the number in each cell."""
    parts = []
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            level = round(255 * value / white)
            kind = "on-dark" if level < 128 else "on-light"
            cx, cy = x + c * cell, y + r * cell
            parts.append(
                svg.rect(cx, cy, cell, cell, "cell", f"#{level:02x}{level:02x}{level:02x}")
            )
            parts.append(svg.text(cx + cell / 2, cy + cell / 2 + 4, number(value), kind))
    return "".join(parts)


@figure(Turn, wide=True)
def flipped_and_not(turn: Turn) -> Drawing:
    """A 5×5 picture, and two rows: the kernel as it is with its map, the turned one with its."""
    (title, kernel), (what, picture) = KERNELS[turn.kernel], PICTURES[turn.picture]
    plain, true = correlated(picture, kernel), correlated(picture, turned(kernel))
    both = [value for row in plain + true for value in row]
    ends = (min(both), max(both))  # one scale for both, so that they can be compared
    alt = f"{what}, kernel {title}: the map without a turn and the map of the turned kernel."
    drawn = svg.svg(
        560, 324,
        svg.text(0, 77, "picture, 5×5", "label", "start"), grey(0, 89, picture, 1),
        _row(16, "kernel as written", kernel, "cross-correlation, 1×3×3", plain, ends),
        _row(184, "turned by 180°", turned(kernel), "convolution, 1×3×3", true, ends),
        alt=alt,
    )  # fmt: skip
    return Drawing(drawn, alt, _compared(plain, true))


def _row(
    top: float, name: str, kernel: Grid, result: str, rows: Grid, ends: tuple[float, float]
) -> str:
    middle = top + 71
    return "".join((
        svg.text(226, top, name, "label", "start"), svg.kernel(226, top + 12, kernel),
        svg.text(208, middle, "→", "sign"), svg.text(362, middle, "→", "sign"),
        svg.text(380, top, result, "label", "start"),
        svg.feature_map(380, top + 12, rows, ends=ends),
    ))  # fmt: skip


def _compared(plain: Grid, true: Grid) -> str:
    if plain == true:
        return "Both maps are the same."
    if all(a == -b for one, other in zip(plain, true, strict=True)
           for a, b in zip(one, other, strict=True)):  # fmt: skip
        return "The maps differ in sign alone."
    if plain == turned(true):
        return "Each map is the other one, turned by 180°."
    return "The maps differ."
