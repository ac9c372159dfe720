"""The bowl that the student slides into: how steep it is, and how far from its lowest point one is.

The loss is quadratic in the kernel's K² numbers. Its curvature is 2·E[p·pᵀ] over the pictures' K×K
windows p. Plain gradient descent explodes when the learning rate is above 2 / (the largest
curvature); heavy-ball momentum β moves that limit to 2·(1 + β) / (the largest curvature)
(Goh, 2017, "Why momentum really works").
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from labs.catalog.hidden_kernel.lab import Params

BETA = 0.9  # of momentum


def likeness(one: Tensor, other: Tensor) -> float:
    """The cosine between two kernels taken as vectors: 1 is equal up to scale, −1 opposite."""
    return F.cosine_similarity(one.flatten(), other.flatten(), dim=0).item()


def apart(one: Tensor, other: Tensor) -> float:
    """How far `one` is from `other`, as a share of `other`'s length: 0 is equal, also in size."""
    return ((one - other).norm() / other.norm().clamp(min=1e-12)).item()


def steepest_curvature(picture: Tensor, side: int) -> float:
    """The largest eigenvalue of the loss's second derivative, 2·E[p·pᵀ] over all windows p."""
    windows = F.unfold(picture[None, None], side)[0]  # (K², N)
    return 2 * torch.linalg.eigvalsh(windows @ windows.T / windows.shape[1])[-1].item()


def limit_of_the_rate(params: Params, picture: Tensor, side: int) -> float:
    """The learning rate above which gradient descent explodes. Adam has no such limit."""
    if params.optimiser == "adam":
        return math.inf
    reach = 1 + BETA if params.optimiser == "momentum" else 1
    return 2 * reach / max(steepest_curvature(picture, side), 1e-12)
