"""A model written down as PyTorch's layers and their settings, before anything is built. No torch.

A shape here is a whole tensor's, the batch first: (10, 1, 28, 28) is ten grey pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

Shape = tuple[int, ...]
BATCH = 10
"""Ten pictures, one of each digit."""


@dataclass(frozen=True)
class Layer:
    """One layer: the name of its class in PyTorch, and its settings by their names there."""

    kind: str
    settings: tuple[tuple[str, int], ...] = ()

    def __getitem__(self, name: str) -> int:
        return dict(self.settings)[name]

    def changed(self, name: str, value: int) -> Layer:
        settings = dict(self.settings) | {name: value}
        return replace(self, settings=tuple(settings.items()))

    @property
    def words(self) -> str:
        """Its settings as a person reads them: "in_features 3,136, out_features 128"."""
        if self.kind == "Reshape":
            return "x.reshape(10, 3, 28, 28)"
        if self.kind == "Permute":
            return "x.permute(0, 3, 1, 2)"
        return ", ".join(f"{name} {value:,}" for name, value in self.settings) or "–"

    @property
    def is_weighted(self) -> bool:
        return self.kind in ("Conv2d", "Linear")


def conv(comes: int, makes: int, kernel: int, padding: int = 0) -> Layer:
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
    return Layer("Conv2d", tuple(zip(names, (comes, makes, kernel, 1, padding), strict=True)))


def dense(comes: int, makes: int) -> Layer:
    return Layer("Linear", (("in_features", comes), ("out_features", makes)))


def flatten(start: int = 1) -> Layer:
    return Layer("Flatten", (("start_dim", start),))


RELU = Layer("ReLU")
POOL = Layer("MaxPool2d", (("kernel_size", 2), ("stride", 2), ("padding", 0)))
SOFTMAX = Layer("Softmax", (("dim", 1),))
RESHAPE = Layer("Reshape")
PERMUTE = Layer("Permute")


def blocks(*convolutions: Layer) -> tuple[Layer, ...]:
    """Each convolution with a ReLU and a pooling after it."""
    return tuple(layer for one in convolutions for layer in (one, RELU, POOL))


def written(shape: Shape) -> str:
    """What one picture has become: "64×5×5", "1,600"; said where the batch itself is lost."""
    if len(shape) == 1:
        return f"{shape[0]:,} for all ten pictures"
    sides = shape[1:]
    return f"{sides[0]:,}" if len(sides) == 1 else "×".join(map(str, sides))


# What PyTorch makes of a shape


def makes(layer: Layer, came: Shape) -> Shape | None:
    """The shape that the layer makes of one that came, or None where PyTorch raises."""
    match layer.kind:
        case "Conv2d" | "MaxPool2d":
            return _slides(layer, came)
        case "Linear":
            fits = came[-1] == layer["in_features"]
            return (*came[:-1], layer["out_features"]) if fits else None
        case "Flatten":
            start = layer["start_dim"]
            return (*came[:start], prod(came[start:])) if start < len(came) else None
        case "Softmax":
            return came if len(came) > 1 else None
        case "Reshape":
            return (BATCH, 3, 28, 28) if prod(came) == BATCH * 3 * 28 * 28 else None
        case "Permute":
            return tuple(came[axis] for axis in (0, 3, 1, 2)) if len(came) == 4 else None
    return came


def places(side: int, layer: Layer) -> int:
    """Where a window can stand along a side: ⌊(side + 2·padding − kernel) / stride⌋ + 1.

    Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning",
    relationship 6. Below 1 the window fits nowhere.
    """
    return (side + 2 * layer["padding"] - layer["kernel_size"]) // layer["stride"] + 1


def _slides(layer: Layer, came: Shape) -> Shape | None:
    if len(came) != 4:
        return None
    batch, channels, height, width = came
    pools = layer.kind == "MaxPool2d"
    if not pools and layer["in_channels"] != channels:
        return None
    if pools and 2 * layer["padding"] > layer["kernel_size"]:
        return None
    high, wide = places(height, layer), places(width, layer)
    made = channels if pools else layer["out_channels"]
    return (batch, made, high, wide) if min(high, wide) >= 1 else None
