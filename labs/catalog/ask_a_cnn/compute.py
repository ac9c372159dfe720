"""A picture through EfficientNet-Lite0: its answers, its feature maps, and what they rest on.

The network is Liu (2020), "Higher accuracy on vision models with EfficientNet-Lite". The occlusion
map is Zeiler & Fergus (2014), "Visualizing and understanding convolutional networks", section 4.2:
cover one patch with grey, ask again, and see how much of the first answer's probability is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from labs.catalog.ask_a_cnn.lab import STAGES, Params
from labs.context import Context
from labs.events import Bars, Event, Fact, Image, Images, Progress, Result
from labs.nets import efficientnet
from labs.nets.efficientnet import SIDE, Lite0

BATCH = 7  # covered pictures a pass: well under half a second on two cores
UNSURE = 0.5  # a first answer below this is said to be unsure
NOTHING = 0.0005  # of a probability: less is not shown

Cover = tuple[int, int, int, int]
"""A patch in pixels: top, left, bottom, right."""


@torch.inference_mode()
def run(params: Params, ctx: Context) -> Iterator[Event | None]:
    net = efficientnet.load(ctx.device)
    ctx.tell(network="EfficientNet-Lite0", dtype="float32", layout="channels_last")
    rgb = ctx.picture(params.picture)  # (H, W, 3), uint8
    seen = efficientnet.squeeze(rgb)  # (224, 224, 3), uint8
    yield seen_event(rgb, seen)

    x = efficientnet.normalise(seen).to(ctx.device)  # (1, 3, 224, 224)
    stages = net.stages(x)  # nine, from (1, 32, 112, 112) to (1, 1280, 7, 7)
    p = net.answer(stages[-1]).softmax(dim=1)[0]  # (1000,)
    best, answer = p.max(0)
    name = efficientnet.class_names()[answer]
    yield answers_event(p)
    for (stage, title), maps in zip(STAGES, stages, strict=True):
        yield features_event(stage, title, maps[0], params.channels)

    covers = grid(params.grid)
    drops = torch.zeros(len(covers))  # how much probability each patch is worth
    for start in range(0, len(covers), BATCH):
        some = covers[start : start + BATCH]
        drops[start : start + BATCH] = best.cpu() - ask_covered(net, x, some, int(answer))
        done = start + len(some)
        yield Progress(done=done, total=len(covers), unit="patch")
        yield occlusion_event(drops.view(params.grid, params.grid), name, done)
    yield lit_event(seen, drops.view(params.grid, params.grid), name)
    yield result_event(drops.view(params.grid, params.grid), name, best.item())


# The computation


def grid(n: int) -> list[Cover]:
    """n×n patches that tile the picture, row by row; they differ by a pixel where 224/n is odd."""
    edges = [round(i * SIDE / n) for i in range(n + 1)]
    spans = list(pairwise(edges))
    return [(top, left, bottom, right) for top, bottom in spans for left, right in spans]


def ask_covered(net: Lite0, x: Tensor, covers: list[Cover], answer: int) -> Tensor:
    """The probability (B,) of `answer` with each of the patches covered in turn.

    The middle grey is 0 after normalising: the least that can be said.
    """
    covered = x.repeat(len(covers), 1, 1, 1)  # (B, 3, 224, 224)
    for one, (top, left, bottom, right) in zip(covered, covers, strict=True):
        one[:, top:bottom, left:right] = 0
    covered = covered.contiguous(memory_format=torch.channels_last)
    return net(covered).softmax(dim=1)[:, answer].cpu()


# What you see


def percent(p: float) -> str:
    return f"{100 * p:.0f} %" if p >= 0.1 else f"{100 * p:.1f} %"


def seen_event(rgb: np.ndarray, seen: np.ndarray) -> Images:
    height, width = rgb.shape[:2]
    return Images(
        name="seen",
        title="The picture as the network sees it",
        sentence=f"Your picture of {height}×{width} pixels, squeezed to {SIDE}×{SIDE}.",
        items=(Image(seen, label=f"input, 3×{SIDE}×{SIDE}"),),
    )


def answers_event(p: Tensor) -> Bars:
    top = p.topk(5)
    named = [
        (efficientnet.class_names()[i], 100 * v)
        for v, i in zip(top.values.tolist(), top.indices.tolist(), strict=True)
    ]
    name, share = named[0]
    said = f"The network says “{name}” with {percent(share / 100)}."
    if share < 100 * UNSURE:
        said += f" It is not sure: everything else together has {percent(1 - share / 100)}."
    return Bars(
        name="answers",
        title="Its five likeliest answers",
        sentence=said,
        bars=tuple(named),
        unit="%",
        high=100,
        digits=1,
        highlight=0,
    )


def features_event(stage: str, title: str, maps: Tensor, channels: int) -> Images:
    """The first few maps of a stage, each on its own scale."""
    C, H, W = maps.shape
    shown = maps[:channels].float().cpu()
    return Images(
        name=stage,
        title=f"{title}: {C}×{H}×{W}",
        sentence=f"{title}: {C} maps of {H}×{W}; the first {len(shown)} are shown.",
        items=tuple(
            Image(m, label=f"map {c + 1} of {C}, {H}×{W}", meaning="map", zoom=112 // H)
            for c, m in enumerate(shown)
        ),
    )


def occlusion_event(drops: Tensor, name: str, done: int) -> Images:
    n, total = len(drops), drops.numel()
    said = f"{done} of {total} patches are covered so far."
    if done == total:
        said = costliest(drops, name)
    return Images(
        name="occlusion",
        title="What covering each patch costs",
        sentence=said,
        items=(
            Image(
                100 * drops,
                label=f"probability of “{name}” lost, in points, {n}×{n}",
                meaning="kernel",  # about zero, so that its sign is seen
                zoom=SIDE // n,
                detail="Blue, below zero: the network is surer without this patch.",
            ),
        ),
    )


def costliest(drops: Tensor, name: str) -> str:
    row, column = divmod(int(drops.argmax()), len(drops))
    if drops.max() < NOTHING:
        return f"No patch alone matters: covering any of them costs “{name}” nothing."
    cost = points(drops.max().item())
    return f"Covering row {row + 1}, column {column + 1} costs “{name}” most: {cost}."


def points(drop: float) -> str:
    return f"{100 * drop:.0f} points" if drop >= 0.1 else f"{100 * drop:.1f} points"


def lit_event(seen: np.ndarray, drops: Tensor, name: str) -> Images:
    """The picture, lit where covering costs most and dark where it costs nothing."""
    share = drops.clamp(min=0) / drops.max().clamp(min=1e-6)  # (n, n), 0 to 1
    rows = torch.tensor([min(len(drops) - 1, y * len(drops) // SIDE) for y in range(SIDE)])
    light = 0.2 + 0.8 * share[rows][:, rows]  # (224, 224)
    lit = (torch.tensor(seen) * light[:, :, None]).round().to(torch.uint8)
    return Images(
        name="lit",
        title="What the answer rests on",
        sentence=f"The bright patches are those without which “{name}” loses most.",
        items=(Image(lit, label=f"the picture, lit where it counts, 3×{SIDE}×{SIDE}"),),
    )


def result_event(drops: Tensor, name: str, best: float) -> Result:
    largest = drops.max().item()
    return Result(
        title="In numbers",
        sentence=f"The network says “{name}” with {percent(best)}. {costliest(drops, name)}",
        facts=(
            Fact("first answer", name),
            Fact("its probability", round(100 * best, 1), "%"),
            Fact("lost by the costliest patch", round(100 * largest, 1), "points"),
            Fact("passes through the network", 1 + drops.numel()),
            Fact("weights", "4.65 million"),
        ),
        figures={"probability": best, "largest_drop": largest},
    )
