"""Sizes and sums, with fresh numbers each time, and the target map to reach."""

from __future__ import annotations

from random import Random
from typing import Any

from labs.catalog.kernel_forge.lab import PRESETS, Params
from labs.params import Rows
from labs.questions import Goal, Grid, Number, Question, Shape
from labs.words import number

REACHED = 0.999


def questions(params: Params, figures: dict[str, Any], chance: Random) -> list[Question]:
    found: list[Question] = [size(chance), cell(params, chance), even(params)]
    return [*found, target(params, figures)]


def size(chance: Random) -> Shape:
    """The size of a map: Dumoulin & Visin (2016), relationship 15."""
    K, S, D = chance.choice((3, 5, 7)), chance.choice((1, 2, 3)), chance.choice((1, 1, 2))
    P, H, W = chance.randint(0, 3), chance.randint(20, 64), chance.randint(20, 64)

    def side(n: int, p: int = P, d: int = D, s: int = S) -> int:
        return (n + 2 * p - d * (K - 1) - 1) // s + 1

    def worked(name: str, n: int) -> str:
        return f"{name} ⌊({n} + 2·{P} − {D}·({K} − 1) − 1) / {S}⌋ + 1 = {side(n)}"

    traps: dict[tuple[int, ...], str] = {
        (side(H, p=0), side(W, p=0)): "That is the size without the padding.",
        (side(H, d=1), side(W, d=1)): "That is the size without the dilation.",
        (side(H, s=1), side(W, s=1)): "That is the size at stride 1.",
        (side(W), side(H)): "The height comes first.",
    }
    traps.pop((side(H), side(W)), None)
    return Shape(
        name="size",
        fresh=True,
        ask=f"A picture of {H}×{W} (height×width) meets a kernel of {K}×{K}, with stride {S}, "
        f"{P} pixels of padding on each side and dilation {D}. How large is the map?",
        answer=(side(H), side(W)),
        traps=traps,
        hints=(
            f"The kernel reaches over D(K − 1) + 1 = {D * (K - 1) + 1} pixels.",
            "Along one side the window can stand at ⌊(side + 2P − D(K − 1) − 1) / S⌋ + 1 places.",
        ),
        solution=f"{worked('Height:', H)}; {worked('width:', W)}.",
    )


def cell(params: Params, chance: Random) -> Number:
    """One cell by hand, with the run's own kernel where that has 3×3 plain numbers."""
    mine = len(params.kernel) == 3 and all(c * 2 == int(c * 2) for r in params.kernel for c in r)
    kernel: Rows = params.kernel if mine else PRESETS["Sobel x"]
    pixels = tuple(tuple(float(10 * chance.randint(0, 25)) for _ in range(3)) for _ in range(3))
    flipped = tuple(tuple(reversed(row)) for row in reversed(kernel))
    straight, turned = _sum(pixels, kernel), _sum(pixels, flipped)
    terms = " + ".join(
        f"{number(x)}·{number(w) if w >= 0 else f'({number(w)})'}"
        for xs, ws in zip(pixels, kernel, strict=True)
        for x, w in zip(xs, ws, strict=True)
        if w
    )
    return Number(
        name="cell",
        fresh=True,
        ask=f"{'Your kernel' if mine else 'This kernel'} lies on these nine pixels, not flipped. "
        "What is the cell of the map?",
        grids=(Grid("pixels", pixels), Grid("kernel", kernel, "kernel")),
        answer=straight,
        tolerance=0.01,
        traps={} if abs(straight - turned) < 0.02 else {turned: "That is with a flipped kernel."},
        hints=(
            "Multiply each pixel by the number that lies on it, then add all nine.",
            f"The first row gives {number(_sum(pixels[:1], kernel[:1]))}.",
        ),
        solution=f"{terms or '0'} = {number(straight)}.",
    )


def _sum(pixels: Rows, kernel: Rows) -> float:
    pairs = zip(pixels, kernel, strict=True)
    return sum(x * w for xs, ws in pairs for x, w in zip(xs, ws, strict=True))


def even(params: Params) -> Number:
    """What the run's own kernel makes of an even stretch: its sum, times the pixel."""
    total = sum(map(sum, params.kernel))
    shares = (params.red, params.green, params.blue) if params.colour == "rgb" else (1.0,)
    before = 100 * total * sum(shares) + params.bias
    answer = max(0.0, before) if params.activation == "relu" else before
    parts = [f"100 × {number(total, 4)}"]
    if params.colour == "rgb":
        parts.append(f"({' + '.join(number(s) for s in shares)})")
    bias = f" + {number(params.bias)}" if params.bias else ""
    cut = ", and ReLU keeps what is above zero" if params.activation == "relu" else ""
    return Number(
        name="even",
        ask="Somewhere, away from the border, all pixels of the picture are 100"
        f"{' in each channel' if params.colour == 'rgb' else ''}. What does the map of this run "
        "show there?",
        answer=answer,
        tolerance=0.05 + abs(answer) * 0.001,
        hints=(
            "All pixels are the same, so only the sum of the kernel's numbers counts.",
            f"The numbers of the kernel add up to {number(total, 4)}.",
        ),
        solution=f"{' × '.join(parts)}{bias} = {number(before, 4)}{cut}.",
    )


def target(params: Params, figures: dict[str, Any]) -> Goal:
    like = figures.get("target", 0.0)
    says = "Choose a target on the lab's page; your map's likeness to it is shown as you edit."
    if params.target != "none":
        share = number(100 * max(0.0, like), 1)
        says = f"This run's map explains {share} % of target {params.target}."
    return Goal(
        name="target",
        ask="Find the kernel that made a target map.",
        met=params.target != "none" and like >= REACHED,
        says=says,
    )
