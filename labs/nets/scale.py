"""Grey values of pictures as the numbers a network is fed: mean 0 and deviation 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scale:
    """Mean and deviation of the training pictures' values, from 0 to 1."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, x: Tensor) -> Scale:
        """From pictures uint8 (N, 1, H, W). Counted, not summed in floats: exact at any size."""
        counts = torch.bincount(x.flatten(), minlength=256).double()  # (256,)
        values = torch.arange(256, dtype=torch.float64) / 255
        mean = (counts @ values / counts.sum()).item()
        variance = (counts @ (values - mean).square() / counts.sum()).item()
        return cls(round(mean, 6), round(variance**0.5, 6) or 1.0)

    def apply(self, x: Tensor) -> Tensor:
        """uint8 (B, 1, H, W) → float32 (B, 1, H, W), channels last."""
        scaled = x.to(torch.float32).div_(255).sub_(self.mean).div_(self.deviation)
        return scaled.contiguous(memory_format=torch.channels_last)
