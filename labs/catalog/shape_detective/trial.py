"""A model tried in PyTorch: every layer, the loss, one step backwards; or the error on the way.

On the CPU: a GPU answers a label without an output by stopping the whole process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs.catalog.shape_detective.cases import GREY, Case
from labs.catalog.shape_detective.changes import Placed
from labs.catalog.shape_detective.layers import BATCH, Layer, Shape

RATE = 0.1
RAISED = (RuntimeError, IndexError, ValueError)
"""What PyTorch raises where shapes, axes or labels do not fit."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Ten pictures, one of each digit, from 0 to 1; `upright` has the channels first."""

    x: Tensor  # as the case's model gets them: (10, 1, 28, 28) or (10, 28, 28, 3)
    upright: Tensor  # (10, C, 28, 28)
    y: Tensor  # (10,), the labels 0 to 9


@dataclass(frozen=True, eq=False)
class Trial:
    """`outputs` has what each layer made, up to the fault; `stage` is where it ended."""

    net: tuple[nn.Module, ...]
    x: Tensor
    outputs: tuple[Tensor, ...]
    stage: str  # "layer", "loss" or "done"
    error: str = ""
    loss: float = math.nan
    after: float = math.nan

    @property
    def parameters(self) -> int:
        return sum(p.numel() for module in self.net for p in module.parameters())

    def came(self, place: int) -> Shape:
        """The shape that came to the layer at `place` (from 0)."""
        return tuple((self.outputs[place - 1] if place else self.x).shape)

    def made(self, place: int) -> Shape:
        return tuple(self.outputs[place].shape)


class Reshape(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(BATCH, 3, 28, 28)


class Permute(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2)


MODULES: dict[str, type[nn.Module]] = {
    "Conv2d": nn.Conv2d,
    "MaxPool2d": nn.MaxPool2d,
    "Linear": nn.Linear,
    "Flatten": nn.Flatten,
    "ReLU": nn.ReLU,
    "Softmax": nn.Softmax,
    "Reshape": Reshape,
    "Permute": Permute,
}


def module_of(layer: Layer) -> nn.Module:
    return MODULES[layer.kind](**dict(layer.settings))


def batch_of(case: Case, pictures: Tensor, labels: Tensor) -> Batch:
    """The first picture of each digit, from pictures uint8 (N, 1, 28, 28) and labels (N,)."""
    y = torch.arange(BATCH)
    first = torch.stack([(labels == digit).nonzero()[0, 0] for digit in y])
    grey = pictures[first].float() / 255  # (10, 1, 28, 28)
    if case.shape == GREY:
        return Batch(grey, grey, y)
    upright = grey * colours()[:, :, None, None]  # (10, 3, 28, 28)
    return Batch(upright.permute(0, 2, 3, 1).contiguous(), upright, y)


def colours() -> Tensor:
    """A bright colour for each picture: (10, 3), from 0.25 to 1."""
    turn = torch.arange(BATCH)[:, None] / BATCH + torch.arange(3) / 3
    return 0.625 + 0.375 * torch.cos(2 * math.pi * turn)


def attempt(model: Sequence[Placed], batch: Batch, seed: int) -> Trial:
    """The model from fresh weights, on the batch, as far as PyTorch goes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = tuple(module_of(placed.layer) for placed in model)
    outputs: list[Tensor] = []
    x = batch.x
    try:
        for module in net:
            x = module(x)
            outputs.append(x)
    except RAISED as raised:
        return Trial(net, batch.x, tuple(outputs), "layer", word_for_word(raised))
    try:
        loss = F.cross_entropy(x, batch.y)
        loss.backward()
    except RAISED as raised:
        return Trial(net, batch.x, tuple(outputs), "loss", word_for_word(raised))
    after = step(net, batch)
    return Trial(net, batch.x, tuple(outputs), "done", loss=loss.item(), after=after)


def step(net: Sequence[nn.Module], batch: Batch) -> float:
    """The loss on the same batch after one step of plain gradient descent; the net moves back."""
    parameters = [p for module in net for p in module.parameters()]
    before = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        for p in parameters:
            assert p.grad is not None
            p.sub_(RATE * p.grad)
        loss = F.cross_entropy(nn.Sequential(*net)(batch.x), batch.y).item()
        for p, old in zip(parameters, before, strict=True):
            p.copy_(old)
    return loss


def word_for_word(raised: Exception) -> str:
    return f"{type(raised).__name__}: {raised}"
