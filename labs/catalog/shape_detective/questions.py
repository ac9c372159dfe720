"""The length of a flattened row, a shape, an error to read, and the case to solve."""

from __future__ import annotations

from random import Random
from typing import Any

from labs.catalog.shape_detective.cases import CASES
from labs.catalog.shape_detective.lab import Params
from labs.catalog.shape_detective.layers import POOL, Layer, conv, makes, places
from labs.questions import Goal, Number, Question, Shape
from labs.words import number


def questions(params: Params, figures: dict[str, Any], chance: Random) -> list[Question]:
    return [flattened(chance), shape(chance), error(chance), solved(params, figures)]


def flattened(chance: Random) -> Number:
    """How long the row is after two convolutions, two poolings and a Flatten."""
    H, K, P = chance.choice((28, 30, 32, 36, 40)), chance.choice((3, 5)), chance.choice((0, 0, 1))
    F1, F2 = chance.choice(((8, 16), (16, 32), (32, 64), (12, 24)))
    sides = _walk(H, K, P)
    end = sides[-1]
    answer, same, whole = F2 * end * end, _walk(H, K, (K - 1) // 2)[-1], H - 2 * (K - 1 - 2 * P)
    padded = f"padding {P}" if P else "no padding"
    traps = {
        F2 * same * same: "That is the length with padding “same”, which keeps each map's size.",
        F2 * whole * whole: "You have left out the two poolings.",
        F2 * end: "The maps have two sides: height times width.",
        end * end: f"That is one map. There are {F2}.",
        F1 * end * end: f"The last convolution makes {F2} maps, not {F1}.",
    }
    traps.pop(answer, None)
    arrows = " → ".join(map(str, (H, *sides)))
    return Number(
        name="flattened",
        fresh=True,
        ask=f"Grey pictures of {H}×{H} go through a {K}×{K} convolution with {F1} filters, a 2×2 "
        f"pooling, a {K}×{K} convolution with {F2} filters and a 2×2 pooling. Stride 1 and "
        f"{padded} in both convolutions. How many numbers come out of Flatten for each picture?",
        answer=answer,
        traps={float(trap): why for trap, why in traps.items()},
        hints=(
            f"A convolution takes the side n to n + 2·{P} − {K} + 1, a pooling to ⌊n / 2⌋.",
            f"The first convolution makes maps of {sides[0]}×{sides[0]}.",
        ),
        solution=f"{arrows}, and {F2}·{end}·{end} = {number(answer)}.",
    )


def _walk(side: int, kernel: int, padding: int) -> tuple[int, int, int, int]:
    """The side after convolution, pooling, convolution, pooling."""
    layer = conv(1, 1, kernel, padding)
    first = places(side, layer)
    second = places(first // 2, layer)
    return first, first // 2, second, second // 2


def shape(chance: Random) -> Shape:
    """What one layer makes of maps."""
    C, H, W = chance.choice((3, 8, 16)), chance.randint(9, 33), chance.randint(9, 33)
    if chance.random() < 0.4:
        layer, code, F = POOL, "MaxPool2d(2)", C
    else:
        F, K, S = chance.choice((24, 32, 48)), chance.choice((3, 5)), chance.choice((1, 2))
        layer = conv(C, F, K, chance.choice((0, 1))).changed("stride", S)
        code = f"Conv2d({C}, {F}, {K}, stride={S}, padding={layer['padding']})"
    made = makes(layer, (1, C, H, W))
    assert made is not None  # 9 is larger than any of the kernels
    answer = made[1:]
    up = tuple(-(-(side - layer["kernel_size"]) // 2) + 1 for side in (H, W))
    traps: dict[tuple[int, ...], str] = {
        (F, answer[2], answer[1]): "Height comes before width.",
        (C, *answer[1:]): f"The layer makes {F} maps, whatever number comes.",
        (F, H, W): "The window does not fit everywhere, or it moves by more than 1.",
    }
    if layer is POOL:
        traps[(F, *up)] = "An odd side is rounded down: the last row or column is left out."
    traps.pop(answer, None)
    return Shape(
        name="shape",
        fresh=True,
        ask=f"Maps of {C}×{H}×{W} meet {code}. What shape leaves, as channels×height×width?",
        answer=answer,
        traps=traps,
        hints=(
            "A pooling keeps the number of channels; a convolution has its second number of them.",
            "Along a side: ⌊(side + 2·padding − kernel) / stride⌋ + 1.",
        ),
        solution=f"Height {_worked(layer, H)}; width {_worked(layer, W)}; {F} channels.",
    )


def _worked(layer: Layer, side: int) -> str:
    padding, kernel, stride = (layer[name] for name in ("padding", "kernel_size", "stride"))
    return f"⌊({side} + 2·{padding} − {kernel}) / {stride}⌋ + 1 = {places(side, layer)}"


def error(chance: Random) -> Number:
    """Which number of an error mends the layer."""
    B, units = chance.choice((32, 64, 128)), chance.choice((10, 50, 100))
    C, side = chance.choice((16, 32, 64)), chance.choice((3, 4, 5, 6, 7))
    comes, wanted = C * side * side, C * (side + 1) ** 2
    return Number(
        name="error",
        fresh=True,
        ask=f"PyTorch says “mat1 and mat2 shapes cannot be multiplied ({B}x{comes} and "
        f"{wanted}x{units})”. The maps before Flatten are right as they are. What must in_features "
        "of the dense layer be?",
        answer=comes,
        traps={
            float(wanted): "That is what the layer has now.",
            float(B): "That is the number of pictures in the batch.",
            float(units): "That is how many numbers the layer makes.",
        },
        hints=(
            "The first pair is what comes: pictures × numbers of each.",
            "The second pair is the layer: in_features × out_features.",
        ),
        solution=f"{B} rows of {comes:,} numbers come, so in_features must be {comes:,}. "
        f"That is {C}·{side}·{side}.",
    )


def solved(params: Params, figures: dict[str, Any]) -> Goal:
    case, mended = CASES[params.case], bool(figures.get("mended"))
    named = "and named its layer" if figures.get("found") else "though another layer is at fault"
    return Goal(
        name="solved",
        ask=f"Find and mend case {params.case}, {case.title}.",
        met=mended,
        says=f"You have mended it, {named}." if mended else "This run's model is not mended yet.",
    )
