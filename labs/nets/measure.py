"""What a trained network gets right and wrong."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from labs.nets.scale import Scale

CHUNK = 250


@torch.inference_mode()
def logits_of(net: nn.Module, x: Tensor, bfloat16: bool = False) -> Tensor:
    """Logits (B, classes) on the CPU of inputs (B, 1, H, W), without dropout.

    In float32; by `bfloat16` as fast as training does, and good to two or three digits.
    """
    net.eval()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
        found = net(x)
    assert isinstance(found, Tensor)
    return found.float().cpu()


def logits_of_all(
    net: nn.Module, x: Tensor, scale: Scale, device: torch.device, bfloat16: bool = False
) -> Generator[None, None, Tensor]:
    """Logits (N, classes) of pictures uint8 (N, 1, H, W); a stopping point after each chunk."""
    parts = []
    for chunk in x.split(CHUNK):
        parts.append(logits_of(net, scale.apply(chunk.to(device)), bfloat16))  # (250, classes)
        yield None
    return torch.cat(parts)


@dataclass(frozen=True, eq=False)
class Marks:
    """A test marked: what was `true`, what was `predicted`, and with what probability."""

    true: Tensor
    predicted: Tensor
    sure: Tensor

    @classmethod
    def of(cls, logits: Tensor, true: Tensor) -> Marks:
        """From logits (N, classes) and labels (N,)."""
        sure, predicted = logits.softmax(1).max(1)  # (N,), (N,)
        return cls(true, predicted, sure)

    @property
    def accuracy(self) -> float:
        return (self.predicted == self.true).double().mean().item()

    def confusion(self, classes: int) -> list[list[int]]:
        """How often a true class (row) was taken for another (column)."""
        cells = self.true * classes + self.predicted  # (N,)
        counts = torch.bincount(cells, minlength=classes * classes)
        return counts.view(classes, classes).tolist()

    def worst(self, count: int) -> list[int]:
        """The wrong answers that the network was surest of, surest first."""
        wrong = (self.predicted != self.true).nonzero().flatten()  # (W,)
        order = self.sure[wrong].argsort(descending=True, stable=True)
        return wrong[order][:count].tolist()
