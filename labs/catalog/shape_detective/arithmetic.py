"""The arithmetic of one layer's shape in words, term by term. No torch here."""

from __future__ import annotations

from math import prod

from labs.catalog.shape_detective.layers import Layer, Shape, makes, places, written
from labs.words import number


def worked(layer: Layer, came: Shape) -> tuple[str, ...]:
    """Lines that lead from the shape that came to what the layer makes, or to where it fails."""
    made = makes(layer, came)
    end = (f"makes {written(made)}",) if made else ()
    match layer.kind:
        case "Conv2d" | "MaxPool2d":
            return (*_windows(layer, came), *end)
        case "Linear":
            return (*_dense(layer, came), *end)
        case "Flatten":
            return (_row(layer["start_dim"], came),)
        case "Reshape":
            return (f"{_product(came[1:])}, as many as 3·28·28", *end)
        case "Permute":
            return ("the channels' axis moves to the front, and its numbers move with it", *end)
        case "Softmax":
            return ("numbers from 0 to 1 that add up to 1", *end)
    return ("what is below 0 becomes 0; the shape stays", *end)


def short(layer: Layer, came: Shape) -> str:
    """The one line that decides: the misfit where there is one, else the count."""
    lines = worked(layer, came)
    if layer.kind == "Conv2d" and "≠" not in lines[0] and len(lines) > 1:
        return lines[1]
    if layer.kind in ("ReLU", "Softmax", "Permute"):
        return "the axes change places" if layer.kind == "Permute" else "as before"
    return lines[0]


def _windows(layer: Layer, came: Shape) -> tuple[str, ...]:
    if len(came) != 4:
        return (f"a window slides over maps, and {written(came)} is a row of numbers",)
    lines = []
    if layer.kind == "Conv2d":
        sign = "=" if layer["in_channels"] == came[1] else "≠"
        come = "1 channel that comes" if came[1] == 1 else f"{came[1]} channels that come"
        lines.append(f"in_channels {layer['in_channels']} {sign} {come}")
    elif 2 * layer["padding"] > layer["kernel_size"]:
        lines.append(f"padding {layer['padding']} is more than half of the window")
    height, width = came[2:]
    if height == width:
        return (*lines, f"side: {_side(layer, height)}")
    return (*lines, f"height: {_side(layer, height)}; width: {_side(layer, width)}")


def _side(layer: Layer, side: int) -> str:
    """ "⌊(7 + 2·0 − 2) / 2⌋ + 1 = ⌊2.5⌋ + 1 = 3"."""
    padding, kernel, stride = (layer[name] for name in ("padding", "kernel_size", "stride"))
    over = (side + 2 * padding - kernel) / stride
    between = "" if over.is_integer() else f"⌊{number(over)}⌋ + 1 = "
    found = places(side, layer)
    nowhere = ": the window fits nowhere" if found < 1 else ""
    return f"⌊({side} + 2·{padding} − {kernel}) / {stride}⌋ + 1 = {between}{number(found)}{nowhere}"


def _dense(layer: Layer, came: Shape) -> tuple[str, ...]:
    wanted, last = layer["in_features"], came[-1]
    sign = "=" if wanted == last else "≠"
    if len(came) == 1:
        return (f"in_features {wanted:,} {sign} {last:,} numbers, those of all ten pictures",)
    if len(came) == 2:
        return (f"in_features {wanted:,} {sign} {last:,} numbers that come",)
    return (
        f"in_features {wanted:,} {sign} {last:,}, the last side of {written(came)}",
        f"flattened, that would be {_product(came[1:])}",
    )


def _row(start: int, came: Shape) -> str:
    if start >= len(came):
        return f"there is no axis {start}: what comes has axes 0 to {len(came) - 1}"
    if start == 0:
        return f"{_product(came)}: the ten pictures too"
    kept = "".join(f"{side} × " for side in came[1:start])
    return f"{kept}{_product(came[start:])}"


def _product(sides: Shape) -> str:
    """ "64·5·5 = 1,600"; of one side the side alone."""
    total = f"{prod(sides):,}"
    return total if len(sides) == 1 else f"{'·'.join(map(str, sides))} = {total}"
