"""Stripes under a stride: fine ones vanish or come out wider than they are (section 5)."""

from __future__ import annotations

from fractions import Fraction
from math import cos, pi

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from labs import params
from labs.params import slider, switch
from labs.words import number

PIXELS, CELL, HEIGHT = 24, 20, 44
MEAN, SWING = 125, 100


class Stripes(params.Params):
    period: int = slider(3, low=2, high=8, label="Repeat of the stripes", unit="pixels")
    s: int = slider(2, low=1, high=4, label="Stride, s", unit="pixels")
    blur: bool = switch(
        False, label="Blur first", help="Each pixel becomes (1, 4, 6, 4, 1) / 16 of its five."
    )


def row(period: int, blur: bool) -> tuple[int, ...]:
    """24 grey values that swing between 25 and 225, once in `period` pixels."""
    left = cos(pi / period) ** 4 if blur else 1.0
    return tuple(round(MEAN + SWING * left * cos(2 * pi * i / period)) for i in range(PIXELS))


def seen(period: int, s: int) -> Fraction | None:
    """After how many pixels the stripes seem to repeat at stride s. None: no stripes are left.

    A cell sees s / period of a swing, and whole swings between two cells leave no trace.
    """
    swing = Fraction(s, period) % 1
    swing = min(swing, 1 - swing)
    return s / swing if swing else None


@figure(Stripes)
def stride_stripes(given: Stripes) -> Drawing:
    """A row of stripes, the pixels that a stride keeps, and the same as wide as the row."""
    period, s = given.period, given.s
    pixels = row(period, given.blur)
    kept = pixels[::s]
    alt = f"Stripes that repeat every {period} pixels, and the pixels that stride {s} keeps."
    blurred = ", blurred" if given.blur else ""
    drawn = svg.svg(
        PIXELS * CELL + 2, 182,
        svg.text(0, 14, f"stripes that repeat every {period} pixels{blurred}", "label", "start"),
        *(svg.rect(i * CELL, 24, CELL, HEIGHT, "cell", _grey(v)) for i, v in enumerate(pixels)),
        *(svg.arrow((i + 0.5) * CELL, 74, (i + 0.5) * CELL, 94) for i in range(0, PIXELS, s)),
        svg.text(0, 116, f"what stride {s} keeps, as wide as the row", "label", "start"),
        *(
            svg.rect(i * s * CELL, 126, min(s, PIXELS - i * s) * CELL, HEIGHT, "cell", _grey(v))
            for i, v in enumerate(kept)
        ),
        alt=alt,
    )  # fmt: skip
    says = f"Kept: {', '.join(map(str, kept[:6]))} and so on, {min(kept)} to {max(kept)}."
    return Drawing(drawn, alt, f"{says} {_seems(period, s)}")


def _seems(period: int, s: int) -> str:
    width = seen(period, s)
    if width is None:
        return "All are the same: no stripes are left."
    if width == period:
        return f"The stripes repeat every {period} pixels, as they should."
    return f"They seem to repeat every {number(float(width))} pixels; in truth every {period}."


def _grey(value: int) -> str:
    return f"#{value:02x}{value:02x}{value:02x}"
