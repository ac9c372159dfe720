"""The parts that the course's figures are drawn with: grids, windows, arrows, words.

Everything is in the units of the SVG's viewBox, about a pixel each. Colours are classes of
static/css/site.css, so that a figure follows the theme: one meaning, one colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from labs.words import number

CELL = 36
VIRIDIS = (
    "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c",
    "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725",
)  # fmt: skip
Rows = Sequence[Sequence[float]]


def svg(width: float, height: float, *parts: str, alt: str) -> str:
    """The whole picture. `alt` is read to those who do not see it."""
    inner = "".join(parts)
    return (
        f'<svg class="drawn-svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(alt)}">{inner}</svg>'
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    """Words at a point. `kind`: "" (a number), "label", "title" or "sign", "soft" beside one."""
    return (
        f'<text x="{x:g}" y="{y:g}" class="t {kind}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def rect(x: float, y: float, width: float, height: float, kind: str, fill: str = "") -> str:
    painted = f' fill="{fill}"' if fill else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" class="{kind}"{painted}/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "stroke") -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{kind}"/>'


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A horizontal or vertical arrow that ends at the second point."""
    dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    left = (x2 - 6 * dx - 4 * dy, y2 - 6 * dy - 4 * dx)
    right = (x2 - 6 * dx + 4 * dy, y2 - 6 * dy + 4 * dx)
    head = " ".join(f"{x:g},{y:g}" for x, y in ((x2, y2), left, right))
    return line(x1, y1, x2 - 5 * dx, y2 - 5 * dy) + f'<polygon points="{head}" class="solid"/>'


def window(
    x: float, y: float, rows: int, columns: int, cell: float = CELL, dashed: bool = False
) -> str:
    """The outline that says: these cells are looked at. Dashed where it is about padding."""
    kind = "window dashed" if dashed else "window"
    return rect(x, y, columns * cell, rows * cell, kind)


def pixels(x: float, y: float, rows: Rows, cell: float = CELL, numbers: bool = True) -> str:
    """A grid of grey values, 0 (black) to 255 (white)."""
    return "".join(
        rect(cx, cy, cell, cell, "cell", f"#{round(v):02x}{round(v):02x}{round(v):02x}")
        + (_written(cx, cy, cell, v, "on-dark" if v < 128 else "on-light") if numbers else "")
        for cx, cy, v in _cells(x, y, rows, cell)
    )


def numbers(x: float, y: float, rows: Rows, cell: float = CELL, kind: str = "cell plain") -> str:
    """A grid of plain numbers on paper. `kind` may be "cell padding" for a border of zeros."""
    return "".join(
        rect(cx, cy, cell, cell, kind) + _written(cx, cy, cell, v, "")
        for cx, cy, v in _cells(x, y, rows, cell)
    )


def kernel(x: float, y: float, rows: Rows, cell: float = CELL) -> str:
    """A kernel: blue below zero, paper at zero, orange above; the number in each cell."""
    largest = max((abs(v) for row in rows for v in row), default=1) or 1
    return "".join(
        rect(cx, cy, cell, cell, f"cell {_shade(v, largest)}") + _written(cx, cy, cell, v, "")
        for cx, cy, v in _cells(x, y, rows, cell)
    )


def feature_map(
    x: float,
    y: float,
    rows: Sequence[Sequence[float | None]],
    cell: float = CELL,
    ends: tuple[float, float] | None = None,
    numbers: bool = True,
) -> str:
    """A feature map in viridis from `ends` (its least and greatest); None is not computed yet."""
    known = [v for row in rows for v in row if v is not None]
    low, high = ends or (min(known, default=0), max(known, default=1))
    parts = []
    for r, row in enumerate(rows):
        for c, v in enumerate(row):
            cx, cy = x + c * cell, y + r * cell
            if v is None:
                parts.append(rect(cx, cy, cell, cell, "cell waiting"))
                continue
            level = round(10 * (v - low) / (high - low)) if high > low else 5
            parts.append(rect(cx, cy, cell, cell, "cell", VIRIDIS[min(10, max(0, level))]))
            if numbers:
                parts.append(_written(cx, cy, cell, v, "on-dark" if level < 5 else "on-light"))
    return "".join(parts)


def _cells(x: float, y: float, rows: Rows, cell: float) -> Iterable[tuple[float, float, float]]:
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            yield x + c * cell, y + r * cell, value


def _written(x: float, y: float, cell: float, value: float, kind: str) -> str:
    said = number(value)
    small = "small " if len(said) > cell / 9 else ""
    return text(x + cell / 2, y + cell / 2 + 4, said, f"{small}{kind}".strip())


def _shade(value: float, largest: float) -> str:
    if value == 0:
        return "paper"
    size = "2" if abs(value) > largest / 2 else "1"
    return f"{'plus' if value > 0 else 'minus'}{size}"
