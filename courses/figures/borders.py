"""What may stand in the border that padding adds, and what a mean makes of it (section 5)."""

from __future__ import annotations

from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import choice, slider
from labs.words import number

PICTURE = (
    (90, 99, 108, 117),
    (126, 135, 144, 153),
    (162, 171, 180, 189),
    (198, 207, 216, 225),
)
"""An even slope of multiples of 9: its means are whole, and inside each is the pixel itself."""
MODES = {
    "zeros": "Zeros",
    "reflect": "Reflect",
    "replicate": "Replicate",
    "circular": "Circular",
}
CELL, GAP = 30, 6
Rows = tuple[tuple[int, ...], ...]


class Border(params.Params):
    mode: Literal["zeros", "reflect", "replicate", "circular"] = choice(
        "zeros", MODES, label="What the frame holds"
    )
    p: int = slider(2, low=1, high=3, label="Padding, p", unit="pixels")


def source(i: int, n: int, mode: str) -> int | None:
    """The pixel, of n in a row, whose value stands at i; None where that is no pixel but zero."""
    if 0 <= i < n:
        return i
    if mode == "reflect":
        return -i if i < 0 else 2 * (n - 1) - i
    return {"zeros": None, "replicate": 0 if i < 0 else n - 1, "circular": i % n}[mode]


def bordered(rows: Rows, p: int, mode: str) -> Rows:
    """The picture with p pixels of border on each side."""
    ys = [source(i, len(rows), mode) for i in range(-p, len(rows) + p)]
    xs = [source(i, len(rows[0]), mode) for i in range(-p, len(rows[0]) + p)]
    return tuple(tuple(0 if y is None or x is None else rows[y][x] for x in xs) for y in ys)


def means(rows: Rows) -> Rows:
    """The mean of each 3×3 window, with one pixel of border there already."""
    inner = range(len(rows) - 2), range(len(rows[0]) - 2)
    return tuple(
        tuple(sum(rows[r + u][c + v] for u in range(3) for v in range(3)) // 9 for c in inner[1])
        for r in inner[0]
    )


@figure(Border)
def border_modes(border: Border) -> Drawing:
    """A picture of 4×4 with its border, and the map that a mean of 3×3 makes at padding 1."""
    p, mode = border.p, border.mode
    padded, mapped = bordered(PICTURE, p, mode), means(bordered(PICTURE, 1, mode))
    every = [v for name in MODES for row in means(bordered(PICTURE, 1, name)) for v in row]
    alt = f"A picture of 4×4 with a frame of {p}, {mode}. The mean in its upper left corner is "
    alt += f"{mapped[0][0]}, and the pixel there {PICTURE[0][0]}."
    side, start = 10 * CELL + 2 * GAP, (3 - p) * CELL
    right, top = side + 56, 28 + 3 * CELL + GAP
    corner = start + (p - 1) * CELL
    drawn = svg.svg(
        right + 4 * CELL + 12, 28 + side + 2,
        svg.text(0, 14, f"picture 4×4, padding {p}: {mode}", "label", "start"),
        _blocks(start, 28 + start, padded, p),
        svg.rect(corner, 28 + corner, 3 * CELL + GAP, 3 * CELL + GAP, "window dashed"),
        svg.arrow(side + 12, 28 + side / 2, side + 44, 28 + side / 2),
        svg.text(right, top - 28, "mean of 3×3", "label", "start"),
        svg.text(right, top - 10, "map 1×4×4", "label", "start"),
        svg.feature_map(right, top, mapped, CELL, (min(every), max(every))),
        svg.window(right, top, 1, 1, CELL),
        alt=alt,
    )  # fmt: skip
    return Drawing(drawn, alt, _says(padded, p, mode))


def _says(padded: Rows, p: int, mode: str) -> str:
    row, n = padded[p], len(PICTURE)
    parts = (row[:p], row[p : p + n], row[p + n :])
    written = " | ".join(" ".join(map(str, part)) for part in parts)
    near = [v for line in bordered(PICTURE, 1, mode)[:3] for v in line[:3]]
    return (
        f"Row 0 with its frame: {written}. Mean in the corner: ({' + '.join(map(str, near))}) / 9 "
        f"= {number(sum(near))} / 9 = {sum(near) // 9}; the pixel there is {PICTURE[0][0]}."
    )


def _blocks(x: float, y: float, padded: Rows, p: int) -> str:
    """The padded picture, with a gap between the border and the picture."""
    bands = ((0, p, 0), (p, len(padded) - p, GAP), (len(padded) - p, len(padded), 2 * GAP))
    return "".join(
        svg.pixels(
            x + left * CELL + dx, y + top * CELL + dy,
            [row[left:right] for row in padded[top:bottom]], CELL,
        )
        for top, bottom, dy in bands
        for left, right, dx in bands
    )  # fmt: skip
