"""From blocks to a network of torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from labs.nets.blocks import Activation, Block, Convolution, Dense, Dropout, Flatten, Norm, Pooling
from labs.nets.shapes import Shape, walk

_FUNCTIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def build(blocks: Sequence[Block], shape: Shape, classes: int) -> nn.Sequential:
    """A network for pictures (B, *shape) that gives logits (B, classes), on the current device.

    Its weights come from torch's global generator: seed that first. Raises ValueError with the
    fault where the blocks do not fit one another.
    """
    found = walk(blocks, shape, classes)
    if found.fault:
        raise ValueError(found.fault)
    layers: list[nn.Module] = []
    for block, row in zip((*blocks, Dense(units=classes)), found.rows, strict=True):
        layers.append(_layer(block, shape))
        shape = row.shape
    return nn.Sequential(*layers)


def first_kernels(net: nn.Sequential) -> nn.Conv2d | None:
    """The first layer that has kernels, if there is one."""
    return next((layer for layer in net if isinstance(layer, nn.Conv2d)), None)


def first_maps(net: nn.Sequential, x: torch.Tensor) -> torch.Tensor | None:
    """What the first convolution makes of x (B, C, H, W), after its activation if it has one."""
    for place, layer in enumerate(net):
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            after = net[place + 1] if place + 1 < len(net) else layer
            return after(x) if isinstance(after, tuple(_FUNCTIONS.values())) else x
    return None


def _layer(block: Block, shape: Shape) -> nn.Module:
    """The layer for an input of `shape`."""
    match block:
        case Convolution():
            return nn.Conv2d(shape[0], block.filters, block.size, block.stride, block.border)
        case Activation():
            return _FUNCTIONS[block.function]()
        case Pooling():
            return (nn.MaxPool2d if block.takes == "max" else nn.AvgPool2d)(block.size)
        case Flatten():
            return nn.Flatten()
        case Dense():
            return nn.Linear(shape[0], block.units)
        case Dropout():
            return nn.Dropout(block.rate)
        case Norm():
            return nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])
