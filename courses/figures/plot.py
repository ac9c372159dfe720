"""Curves over two axes whose ends are written: what the figures of section 7 plot with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from courses.figures import svg
from labs.words import number

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """A field of the picture, and the ranges of the two quantities that it shows."""

    left: float
    top: float
    width: float
    height: float
    across: tuple[float, float]
    up: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the picture; what is out of range lies on the edge."""
        (x0, x1), (y0, y1) = self.across, self.up
        right, rise = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        right, rise = (min(1.0, max(0.0, share)) for share in (right, rise))
        return self.left + self.width * right, self.top + self.height * (1 - rise)

    def axes(self, across: Iterable[float], up: Iterable[float]) -> str:
        """The left and the lower edge, with these numbers at them."""
        bottom = self.top + self.height
        parts = [
            svg.line(self.left, self.top, self.left, bottom),
            svg.line(self.left, bottom, self.left + self.width, bottom),
        ]
        for value in across:
            x, _ = self.at(value, self.up[0])
            parts += [svg.line(x, bottom, x, bottom + 4), svg.text(x, bottom + 18, number(value))]
        for value in up:
            _, y = self.at(self.across[0], value)
            parts.append(svg.line(self.left - 4, y, self.left, y))
            parts.append(svg.text(self.left - 8, y + 4, number(value, 6), "", "end"))
        return "".join(parts)

    def curve(self, points: Points, colour: str, dashed: bool = False) -> str:
        """A line through points, in a colour of the stylesheet ("--train")."""
        listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        dashes = ' stroke-dasharray="7 4"' if dashed else ""
        return (
            f'<polyline points="{listed}" fill="none" stroke="var({colour})" '
            f'stroke-width="2.5"{dashes}/>'
        )

    def dot(self, x: float, y: float, colour: str) -> str:
        """A point on a curve."""
        cx, cy = self.at(x, y)
        return f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="5" fill="var({colour})"/>'

    def upright(self, x: float, kind: str = "stroke dashed") -> str:
        """A line from the lower edge to the upper."""
        cx, _ = self.at(x, self.up[0])
        return svg.line(cx, self.top, cx, self.top + self.height, kind)
