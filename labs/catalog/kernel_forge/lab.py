"""Kernel forge: put a kernel on a picture and see the map that it makes, cell by cell."""

from __future__ import annotations

from typing import Literal

from labs import params
from labs.lab import INTERACTIVE, Lab, Slot
from labs.params import Picture, Rows, choice, matrix, picture, slider, switch


def _rows(*lines: str, divide: float = 1) -> Rows:
    """As many decimals as fit a field of the grid: a blur's numbers must add up to 1."""
    digits = 5 if len(lines) == 7 else 6
    return tuple(tuple(round(float(n) / divide, digits) for n in line.split()) for line in lines)


PRESETS: dict[str, Rows] = {
    "Identity": _rows("0 0 0", "0 1 0", "0 0 0"),
    "Box blur": _rows("1 1 1", "1 1 1", "1 1 1", divide=9),
    "Gaussian blur": _rows("1 2 1", "2 4 2", "1 2 1", divide=16),
    "Sharpen": _rows("0 -1 0", "-1 5 -1", "0 -1 0"),
    "Sobel x": _rows("-1 0 1", "-2 0 2", "-1 0 1"),
    "Sobel y": _rows("-1 -2 -1", "0 0 0", "1 2 1"),
    "Laplacian": _rows("0 1 0", "1 -4 1", "0 1 0"),
    "Emboss": _rows("-2 -1 0", "-1 1 1", "0 1 2"),
    "Gaussian blur 5×5": _rows(
        "1 4 6 4 1", "4 16 24 16 4", "6 24 36 24 6", "4 16 24 16 4", "1 4 6 4 1", divide=256
    ),
    "Box blur 7×7": _rows(*["1 1 1 1 1 1 1"] * 7, divide=49),
}
IN_COLOUR = "Counts only with Channels: Red, green, blue."


class Params(params.Params):
    picture: Picture = picture("coffee", label="Picture")
    kernel: Rows = matrix(
        PRESETS["Sobel x"],
        label="Kernel",
        low=-10,
        high=10,
        sizes=(3, 5, 7),
        presets=PRESETS,
        help="Each number says how much the pixel below it counts.",
    )
    flip: bool = switch(
        False,
        label="Flip the kernel",
        help="On: convolution as mathematics defines it. Off: cross-correlation, which networks"
        " use and call convolution.",
    )
    stride: int = slider(
        1, low=1, high=4, label="Stride", unit="pixels", help="How far the window moves each time."
    )
    padding: Literal["none", "same"] = choice(
        "none",
        {"none": "None", "same": "Same"},
        label="Padding",
        help="Same adds a border, so that at stride 1 the map is as large as the picture.",
    )
    border: Literal["zeros", "reflect", "replicate", "circular"] = choice(
        "zeros",
        {
            "zeros": "Zeros",
            "reflect": "Reflect",
            "replicate": "Replicate",
            "circular": "Circular",
        },
        label="What the padding holds",
        help="Counts only with Padding: Same. Zeros are black. Reflect mirrors the picture,"
        " replicate repeats its last pixel, circular goes on at the other side.",
    )
    dilation: int = slider(
        1,
        low=1,
        high=4,
        label="Dilation",
        unit="pixels",
        help="The distance between the pixels that neighbouring kernel cells look at.",
    )
    colour: Literal["grey", "rgb"] = choice(
        "grey",
        {"grey": "Grey", "rgb": "Red, green, blue"},
        label="Channels",
        help="With three channels the kernel has three slices, and their maps are added to one.",
    )
    red: float = slider(
        1,
        low=-1,
        high=1,
        step=0.1,
        label="Red slice",
        help=f"{IN_COLOUR} The kernel times this number is the slice that looks at red.",
    )
    green: float = slider(1, low=-1, high=1, step=0.1, label="Green slice", help=IN_COLOUR)
    blue: float = slider(1, low=-1, high=1, step=0.1, label="Blue slice", help=IN_COLOUR)
    bias: int = slider(0, low=-255, high=255, label="Bias", help="Added to every cell of the map.")
    activation: Literal["none", "relu"] = choice(
        "none",
        {"none": "None", "relu": "ReLU"},
        label="Activation",
        help="ReLU turns what is below zero into zero.",
    )
    size: Literal[64, 128, 256] = choice(
        128,
        {"64": "64", "128": "128", "256": "256"},
        label="Longest side of the picture",
        help="In pixels. A smaller picture stays as it is.",
    )
    target: Literal["none", "1", "2", "3", "4", "5", "6"] = choice(
        "none",
        {"none": "None", **{str(n): str(n) for n in range(1, 7)}},
        label="Target map",
        help="A map that another 3×3 kernel made of this picture. Make yours the same.",
    )
    row: int = slider(
        30,
        low=0,
        high=255,
        label="Row of the cell",
        help="Counted from 0. Past the map's edge: its last row.",
    )
    column: int = slider(
        40,
        low=0,
        high=255,
        label="Column of the cell",
        help="Counted from 0. Past the edge: the last column.",
    )


LAB = Lab(
    title="Kernel forge",
    summary="Put a kernel on a picture, and see how each number of its map comes about.",
    section=5,
    lane=INTERACTIVE,
    params=Params,
    panel=(
        Slot("map", "images", "Feature map", wide=True, rows=34),
        Slot("target", "images", "The target", rows=14),
        Slot("input", "boxes", "What the kernel looks at", rows=34),
        Slot("cell", "note", "The arithmetic of one cell", rows=16),
        Slot("window", "matrix", "Pixels in the window", rows=20),
        Slot("kernel", "matrix", "Kernel as it is applied", rows=20),
        Slot("size", "note", "How large the map is", rows=14),
        Slot("result", "result", "In numbers", wide=True, rows=10),
    ),
    seconds=0.05,
    limit=60,
    too_long="Take a smaller longest side of the picture.",
    live=True,
    seeded=False,
)
