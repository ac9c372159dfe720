"""Viridis, level by level, and the scale beside a map with its ends written."""

from __future__ import annotations

from courses.figures import svg
from courses.figures.png import image, png
from labs.words import number

NEAREST = 45
"""So far from both ends a zero has room beside their numbers."""


def scale(x: float, y: float, width: float, low: float, high: float) -> str:
    """A ramp 10 units high with its two ends written below, and zero if it lies well between."""
    parts = [
        image(x, y, width, 10, png([bytes(range(256))], VIRIDIS)),
        svg.text(x, y + 26, number(low, 1), "", "start"),
        svg.text(x + width, y + 26, number(high, 1), "", "end"),
    ]
    zero = -low / (high - low) * width
    if NEAREST <= zero <= width - NEAREST:
        parts.append(svg.line(x + zero, y, x + zero, y + 14))
        parts.append(svg.text(x + zero, y + 26, "0"))
    return "".join(parts)


def _between(at: float) -> str:
    """The colour at 0 to 1 of viridis, between two of the eleven of svg.VIRIDIS."""
    place = at * (len(svg.VIRIDIS) - 1)
    n = min(int(place), len(svg.VIRIDIS) - 2)
    one, other = (bytes.fromhex(svg.VIRIDIS[m][1:]) for m in (n, n + 1))
    mixed = (a + (b - a) * (place - n) for a, b in zip(one, other, strict=True))
    return "#" + "".join(f"{round(part):02x}" for part in mixed)


VIRIDIS = [_between(level / 255) for level in range(256)]
"""256 colours, dark for the least value and yellow for the greatest."""
