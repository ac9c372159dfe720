"""What a network's layers make, cost and hold, told before it is built. No torch here.

The shape arithmetic is that of Dumoulin and Visin, "A guide to convolution arithmetic for deep
learning" (2016); the tests hold all of it against torch's meta device and its FLOP counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from labs.nets.blocks import Activation, Block, Convolution, Dense, Dropout, Flatten, Norm, Pooling

Shape = tuple[int, ...]
FLOAT = 4
"""Bytes of one number."""

_FUNCTIONS = {"relu": "ReLU", "leaky": "leaky ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}


@dataclass(frozen=True)
class Row:
    """One layer: what it makes of one picture, with the arithmetic in words."""

    name: str
    shape: Shape
    how: str
    parameters: int = 0
    parameters_how: str = ""
    multiplications: int = 0

    @property
    def bytes(self) -> int:
        return prod(self.shape) * FLOAT


@dataclass(frozen=True)
class Walk:
    """The layers up to the first fault; `fault` names the layer and the arithmetic, or is ""."""

    rows: tuple[Row, ...]
    fault: str = ""

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def multiplications(self) -> int:
        """Of one picture on its way through, additions not counted (MACs)."""
        return sum(row.multiplications for row in self.rows)

    @property
    def numbers(self) -> int:
        """Numbers that all layers write for one picture."""
        return sum(prod(row.shape) for row in self.rows)


class _MisfitError(Exception):
    """The layer cannot stand here; the text is the arithmetic."""


def walk(blocks: Sequence[Block], shape: Shape, classes: int) -> Walk:
    """Follow one picture of `shape` (channels, height, width) through the blocks and a last Dense.

    Never raises: the first layer that cannot be built ends the walk, and is named.
    """
    rows: list[Row] = []
    for place, block in enumerate((*blocks, Dense(units=classes)), start=1):
        last = place > len(blocks)
        name = f"{label(block)} (the last, one unit a class)" if last else label(block)
        try:
            how, shape, parameters, parameters_how, multiplications = _step(block, shape)
        except _MisfitError as fault:
            return Walk(tuple(rows), f"Layer {place}, {name}: {fault}")
        rows.append(Row(name, shape, how, parameters, parameters_how, multiplications))
    return Walk(tuple(rows))


def label(block: Block) -> str:
    """A layer's name: "convolution 3×3, 16 filters"."""
    match block:
        case Convolution():
            return f"convolution {block.size}×{block.size}, {block.filters} filters"
        case Activation():
            return _FUNCTIONS[block.function]
        case Pooling():
            return f"{block.takes} pooling {block.size}×{block.size}"
        case Dense():
            return f"dense, {block.units} units"
        case Dropout():
            return f"dropout {block.rate:g}"
        case Flatten():
            return "flatten"
        case Norm():
            return "norm"


def written(shape: Shape) -> str:
    """A shape as people write it: C×H×W."""
    return "×".join(map(str, shape))


_Step = tuple[str, Shape, int, str, int]


def _step(block: Block, shape: Shape) -> _Step:
    """How the size comes about, the shape, the parameters, how, and the multiplications."""
    match block:
        case Convolution():
            return _convolution(block, shape)
        case Pooling():
            return _pooling(block, shape)
        case Dense():
            return _dense(block, shape)
        case Flatten():
            return f"{written(shape)} = {prod(shape)}", (prod(shape),), 0, "", 0
        case Norm():
            maps = shape[0]
            return "as before", shape, 2 * maps, f"2 × {maps}", 0
        case Activation() | Dropout():
            return "as before", shape, 0, "", 0


def _convolution(block: Convolution, shape: Shape) -> _Step:
    channels, height, width = _maps(shape)
    how, high = _slides(height, block.size, block.border, block.stride)
    _, wide = _slides(width, block.size, block.border, block.stride)
    weights = channels * block.size**2
    terms = f"({channels}·{block.size}·{block.size} + 1) × {block.filters}"
    made = (block.filters, high, wide)
    return how, made, (weights + 1) * block.filters, terms, weights * prod(made)


def _pooling(block: Pooling, shape: Shape) -> _Step:
    channels, height, width = _maps(shape)
    how, high = _slides(height, block.size, 0, block.size)
    _, wide = _slides(width, block.size, 0, block.size)
    return how, (channels, high, wide), 0, "", 0


def _dense(block: Dense, shape: Shape) -> _Step:
    if len(shape) != 1:
        raise _MisfitError(
            f"it weighs one row of numbers, but the layer before makes maps of {written(shape)}. "
            f"Put a flatten block before it: {written(shape)} = {prod(shape)} numbers."
        )
    terms = f"({shape[0]} + 1) × {block.units}"
    weights = shape[0] * block.units
    return f"{block.units} units", (block.units,), weights + block.units, terms, weights


def _maps(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise _MisfitError(
            f"it slides over maps, but what comes here is one row of {shape[0]} numbers, since a "
            "flatten block stands before it. Move it before the flatten block."
        )
    return shape[0], shape[1], shape[2]


def _slides(side: int, size: int, border: int, stride: int) -> tuple[str, int]:
    """Where a window can stand along one side: ⌊(side + 2·border − size) / stride⌋ + 1."""
    made = (side + 2 * border - size) // stride + 1
    padded = f"{side} + 2·{border}" if border else f"{side}"
    if made < 1:
        raise _MisfitError(
            f"its window of {size}×{size} does not fit on maps of {side}×{side}: "
            f"⌊({padded} − {size}) / {stride}⌋ + 1 = {made}. Take a smaller window, or shrink the "
            "maps less before it."
        )
    return f"⌊({padded} − {size}) / {stride}⌋ + 1 = {made}", made
