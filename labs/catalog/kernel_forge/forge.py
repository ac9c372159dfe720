"""The map of a kernel, and where each of its cells comes from.

The sizes follow Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning".

Letters: H×W the picture, K the kernel's side, S stride, P padding on each side, D dilation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from labs.catalog.kernel_forge.lab import Params
from labs.context import LabError

GREY = torch.tensor([0.299, 0.587, 0.114])  # how bright red, green and blue look (Rec. 601)
NAMES = ("red", "green", "blue")
TARGETS = {
    "1": ((0, 0, 0), (0, 0, 0), (1, 0, -1)),
    "2": ((1, 1, 1), (0, 0, 0), (-1, -1, -1)),
    "3": ((0, -1, 0), (-1, 4, -1), (0, -1, 0)),
    "4": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "5": ((2, 1, 0), (1, 0, -1), (0, -1, -2)),
    "6": ((-1, -1, -1), (2, 2, 2), (-1, -1, -1)),
}
"""The kernels behind the target maps. You have found them here; the lab is more fun without."""
MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}


@dataclass(frozen=True)
class Forged:
    """Everything between the picture and the map. C is 1 for grey, 3 for colour."""

    pixels: Tensor  # (C, H, W), whole numbers 0–255
    padded: Tensor  # (C, H + 2P, W + 2P)
    slices: Tensor  # (C, K, K), the kernel as it is applied to each channel
    maps: Tensor  # (C, h, w), what each slice makes of its channel
    map: Tensor  # (h, w), their sum, plus the bias, through the activation
    padding: int


def forge(params: Params, rgb: np.ndarray) -> Forged:
    """The map of one kernel on a picture (H, W, 3) of uint8."""
    pixels = torch.tensor(rgb).permute(2, 0, 1).float()  # (3, H, W)
    shares = torch.tensor([params.red, params.green, params.blue])  # (3,)
    if params.colour == "grey":
        pixels = torch.einsum("c,chw->hw", GREY, pixels).round()[None]  # (1, H, W)
        shares = torch.ones(1)
    kernel = torch.tensor(params.kernel)  # (K, K)
    if params.flip:
        kernel = kernel.flip(0, 1)  # turned by 180°: upside down and left to right
    P = params.dilation * (len(kernel) - 1) // 2 if params.padding == "same" else 0
    _, H, W = pixels.shape
    check_that_it_fits(params, H, W, P)

    padded = pixels[:, None]  # (C, 1, H, W): each channel a picture of its own
    if P:
        padded = F.pad(padded, (P, P, P, P), mode=MODES[params.border])
    maps = F.conv2d(padded, kernel[None, None], stride=params.stride, dilation=params.dilation)
    maps = maps[:, 0] * shares[:, None, None]  # (C, h, w)
    total = maps.sum(0) + params.bias  # (h, w)
    if params.activation == "relu":
        total = total.relu()
    slices = kernel * shares[:, None, None]  # (C, K, K)
    return Forged(pixels, padded[:, 0], slices, maps, total, P)


def output_size(side: int, P: int, D: int, K: int, S: int) -> int:
    """Dumoulin & Visin (2016), relationship 15: the side of the map."""
    return (side + 2 * P - D * (K - 1) - 1) // S + 1


def check_that_it_fits(params: Params, H: int, W: int, P: int) -> None:
    span = params.dilation * (len(params.kernel) - 1) + 1
    if span > min(H, W) + 2 * P:
        raise LabError(
            f"The kernel reaches over {span} pixels, and the picture has {H}×{W}. "
            "Take a smaller kernel, less dilation, padding, or a larger picture."
        )
    room = {"reflect": min(H, W) - 1, "circular": min(H, W)}.get(params.border, P)
    if room < P:
        how = "mirror" if params.border == "reflect" else "go on with at the other side"
        raise LabError(
            f"This kernel needs {in_pixels(P)} of padding, and a picture of {H}×{W} has only "
            f"{room} to {how}. Take zeros or replicate, or a smaller kernel."
        )


def in_pixels(count: int) -> str:
    return "1 pixel" if count == 1 else f"{count} pixels"


def window_at(forged: Forged, params: Params, row: int, column: int) -> Tensor:
    """The pixels (C, K, K) that cell (row, column) of the map is made from."""
    top, left = row * params.stride, column * params.stride
    reach = params.dilation * (len(params.kernel) - 1) + 1
    D = params.dilation
    return forged.padded[:, top : top + reach : D, left : left + reach : D]


def in_the_padding(forged: Forged, params: Params, row: int, column: int) -> Tensor:
    """Which of the window's cells (K, K) lie outside the picture."""
    (_, H, W), P = forged.pixels.shape, forged.padding
    steps = torch.arange(len(params.kernel)) * params.dilation - P
    y, x = row * params.stride + steps, column * params.stride + steps  # in the picture's pixels
    return ((y < 0) | (y >= H))[:, None] | ((x < 0) | (x >= W))[None, :]


def target_map(params: Params, rgb: np.ndarray) -> Tensor | None:
    """What the target's kernel makes (h, w) with all else as it is; as large as the own kernel."""
    if params.target == "none":
        return None
    edge = (len(params.kernel) - 3) // 2
    kernel = F.pad(torch.tensor(TARGETS[params.target]).float(), (edge,) * 4)  # (K, K)
    return forge(params.model_copy(update={"kernel": kernel.tolist()}), rgb).map


def likeness(made: Tensor, wanted: Tensor) -> float:
    """The share of the target's variance that the map explains (R²): 1 is the same map."""
    spread = (wanted - wanted.mean()).square().sum().item()
    error = (wanted - made).square().sum().item()
    return 1 - error / spread if spread else float(error == 0)
