"""What well-known kernels make of a real picture (lecture 5.7).

The picture, cup.txt, is part of labs/data/photos/coffee.jpg (Rachel Michetti, CC0): 72 rows of 72
grey values, two hexadecimal digits a pixel. This made it:

    python -c 'from PIL import Image
    cup = Image.open("labs/data/photos/coffee.jpg").convert("L").crop((140, 0, 452, 312))
    grey = cup.resize((72, 72), Image.Resampling.LANCZOS).tobytes()
    rows = [grey[72 * r : 72 * r + 72].hex() + "\\n" for r in range(72)]
    open("courses/figures/cup.txt", "w").writelines(rows)'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from courses.figures import svg
from courses.figures.figure import Drawing, figure
from courses.figures.png import image, png
from courses.figures.scales import VIRIDIS, scale
from labs import params
from labs.params import choice
from labs.words import number

CUP = Path(__file__).with_name("cup.txt")
Name = Literal["sobel-x", "sobel-y", "box", "gaussian", "sharpen", "emboss", "laplacian"]


@dataclass(frozen=True)
class Known:
    """A kernel that has a name: whole numbers, each divided by `divisor`; and what it does."""

    title: str
    rows: tuple[tuple[int, ...], ...]
    finds: str
    divisor: int = 1

    @property
    def total(self) -> float:
        """What its numbers add up to."""
        return sum(map(sum, self.rows)) / self.divisor


KERNELS: dict[str, Known] = {
    "sobel-x": Known(
        "Sobel x",
        ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
        "Above 0 where it gets brighter to the right, below 0 where it gets darker",
    ),
    "sobel-y": Known(
        "Sobel y",
        ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
        "Above 0 where it gets brighter downwards, below 0 where it gets darker",
    ),
    "box": Known(
        "Box blur",
        ((1, 1, 1), (1, 1, 1), (1, 1, 1)),
        "The mean of nine pixels: what is small and sharp fades",
        divisor=9,
    ),
    "gaussian": Known(
        "Gaussian blur",
        ((1, 2, 1), (2, 4, 2), (1, 2, 1)),
        "A mean in which the middle counts most: a softer blur than the box",
        divisor=16,
    ),
    "sharpen": Known(
        "Sharpen",
        ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
        "The picture, with the difference from its neighbours added to each pixel",
    ),
    "emboss": Known(
        "Emboss",
        ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
        "The picture, lit along one diagonal",
    ),
    "laplacian": Known(
        "Laplacian",
        ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
        "The neighbours less the middle: below 0 at a bright spot, above 0 at a dark one",
    ),
}


class Choice(params.Params):
    kernel: Name = choice(
        "sobel-x", {name: known.title for name, known in KERNELS.items()}, label="Kernel"
    )
    shown: Literal["map", "picture"] = choice(
        "map",
        {"map": "A map, least to greatest", "picture": "A picture, cut to 0 to 255"},
        label="Show the result as",
    )


@cache
def cup() -> tuple[bytes, ...]:
    """The picture's 72 rows."""
    return tuple(bytes.fromhex(line) for line in CUP.read_text(encoding="utf-8").split())


@cache
def made(name: str) -> tuple[tuple[float, ...], ...]:
    """The 70×70 map of a kernel of KERNELS on the cup: no padding, stride 1."""
    known, x = KERNELS[name], cup()
    weights = [(u, v, known.rows[u][v]) for u in range(3) for v in range(3) if known.rows[u][v]]
    return tuple(
        tuple(
            sum(w * x[r + u][c + v] for u, v, w in weights) / known.divisor
            for c in range(len(x[0]) - 2)
        )
        for r in range(len(x) - 2)
    )


def ends(name: str) -> tuple[float, float]:
    """The least and the greatest value of a map."""
    return min(map(min, made(name))), max(map(max, made(name)))


@figure(Choice)
def kernel_gallery(chosen: Choice) -> Drawing:
    """The picture beside its map, and the kernel below them: narrow, so that a phone has all."""
    known = KERNELS[chosen.kernel]
    low, high = ends(chosen.kernel)
    alt = (
        f"A picture of a cup, the kernel {known.title}, and its map, which goes from "
        f"{number(low, 1)} to {number(high, 1)}."
    )
    drawn = svg.svg(
        324, 336,
        svg.text(0, 16, "picture 1×72×72", "label", "start"),
        image(0, 26, 156, 156, png(cup())),
        svg.text(168, 16, "map 1×70×70", "label", "start"),
        image(168, 26, 156, 156, _address(chosen)),
        _scale(chosen),
        svg.text(0, 212, known.title, "label", "start"), svg.kernel(0, 222, known.rows, 36),
        svg.text(124, 262, f"sum {number(known.total)}", "soft", "start"),
        svg.text(124, 286, f"each ÷ {known.divisor}" if known.divisor > 1 else "", "soft", "start"),
        alt=alt,
    )  # fmt: skip
    says = f"{known.finds}. Numbers from {number(low, 1)} to {number(high, 1)}."
    return Drawing(drawn, alt, f"{known.title}: {says[0].lower()}{says[1:]}")


@cache
def _address(chosen: Choice) -> str:
    """The map as a PNG: in viridis from its least to its greatest value, or as grey values."""
    rows, (low, high) = made(chosen.kernel), ends(chosen.kernel)
    if chosen.shown == "picture":
        return png([bytes(round(min(255, max(0, v))) for v in row) for row in rows])
    return png([bytes(round(255 * (v - low) / (high - low)) for v in row) for row in rows], VIRIDIS)


def _scale(chosen: Choice) -> str:
    if chosen.shown == "map":
        return scale(168, 188, 156, *ends(chosen.kernel))
    ramp = image(168, 188, 156, 10, png([bytes(range(256))]))
    less, more = svg.text(168, 214, "≤ 0", "", "start"), svg.text(324, 214, "≥ 255", "", "end")
    return ramp + less + more
