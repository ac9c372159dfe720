"""A digit drawn by hand, made like those of MNIST. (Fashion-MNIST is drawn for in the same way.)"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BOX = 20
SIDE = 28
MIDDLE = 14
"""The pixel (counted from 0) that MNIST's centres of mass round to, measured on its pictures."""
MOST_ZOOM = 4
"""A dot stays a dot: a very small drawing is not blown up to fill the box."""


def centred(drawing: Tensor) -> Tensor:
    """Grey values uint8 (28, 28), 255 is ink → uint8 (1, 28, 28), made as MNIST was.

    The ink's bounding box is scaled, its proportions kept, to fit 20×20; then the middle of its
    mass is put in the middle of the picture (LeCun, Bottou, Bengio and Haffner, "Gradient-based
    learning applied to document recognition", 1998, section III.A).
    """
    ink = drawing.nonzero()  # (P, 2), rows and columns
    if not len(ink):
        return drawing[None]
    (top, left), (bottom, right) = ink.min(0).values.tolist(), (ink.max(0).values + 1).tolist()
    box = drawing[top:bottom, left:right].float()[None, None]  # (1, 1, h, w)
    zoom = min(MOST_ZOOM, BOX / max(bottom - top, right - left))
    size = [max(1, round(side * zoom)) for side in (bottom - top, right - left)]
    sized = F.interpolate(box, size, mode="bilinear", antialias=True)[0, 0]  # (h', w')
    sized = sized * (drawing.max() / sized.max())
    down, across = (_offset(sized.sum(1 - axis)) for axis in (0, 1))
    made = F.pad(sized, (SIDE, SIDE, SIDE, SIDE))  # room to cut the window from
    cut = made[SIDE - down : 2 * SIDE - down, SIDE - across : 2 * SIDE - across]  # (28, 28)
    return cut.round().to(torch.uint8)[None]


def _offset(mass: Tensor) -> int:
    """Where a strip with these masses begins, so that its centre of mass is in the middle."""
    places = torch.arange(len(mass), dtype=mass.dtype)
    centre = (mass @ places / mass.sum()).item()
    return round(MIDDLE - centre)


def reading(name: str, probability: float) -> str:
    """What the network reads, as a sentence: "It reads an 8 (93 %)."."""
    if not name.isdigit():
        return f"It takes it for “{name}” ({probability * 100:.0f} %)."
    return f"It reads {'an' if name == '8' else 'a'} {name} ({probability * 100:.0f} %)."
