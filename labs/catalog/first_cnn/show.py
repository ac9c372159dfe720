"""The pictures and curves of a training, as events."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from labs.data.datasets import Dataset
from labs.events import Curves, Image, Images, Matrix, Series
from labs.nets.build import first_kernels, first_maps
from labs.nets.measure import Marks
from labs.nets.scale import Scale
from labs.words import fixed

EARLY_LOOKS = 6
LATER_LOOKS = 15
TESTS = 10
"""How often to measure on the test: more would cost more than the platform itself."""
POINTS = 150
MOST_KERNELS = 64
MAPS_EACH = 8
WORST = 12
NO_KERNELS = "This network has no convolution, so it has no kernels to show."


def look_steps(steps: int) -> set[int]:
    """After which steps to look at kernels and maps: each ten at first, then evenly to the end."""
    early = range(10, 10 * EARLY_LOOKS + 1, 10)
    later = (round(steps * part / LATER_LOOKS) for part in range(1, LATER_LOOKS + 1))
    return {step for step in (*early, *later) if 0 < step <= steps}


def test_steps(steps: int) -> set[int]:
    """After which steps to measure on the test: ten times, evenly, the last time at the end."""
    return {max(1, round(steps * part / TESTS)) for part in range(1, TESTS + 1)}


def probes_of(data: Dataset) -> list[int]:
    """Four test pictures, the first of four classes: the same in every run."""
    return [int((data.test_y == c).nonzero()[0]) for c in (0, 2, 4, 7)]


def curves(
    losses: Sequence[float],
    hits: Sequence[float],
    tested: Sequence[Sequence[float]],
    steps: int,
    per_epoch: int,
    looked_at: int,
    harder: str = "",
) -> tuple[Curves, Curves]:
    """Loss and accuracy so far: a point is the mean over the steps since the last.

    The test is that of `looked_at` pictures, at the end of all. `harder` says what the training has
    to cope with and the test has not.
    """
    every = max(1, -(-steps // POINTS))
    loss, train = _points(losses, every, per_epoch), _points(hits, every, per_epoch)
    test = tuple((round(step / per_epoch, 4), round(right, 5)) for step, right in tested)
    said = (
        f"After epoch {len(losses) / per_epoch:.1f} the loss is {loss[-1][1]:.3f}" if loss else ""
    )
    right = f"In training it is right on {train[-1][1] * 100:.1f} %" if train else ""
    if train and test:
        which = "all" if tested[-1][0] == steps else f"{looked_at:,}"
        right += f", in the test on {test[-1][1] * 100:.1f} % of {which} pictures"
        right += f". Training is measured while it learns{f', with {harder}' if harder else ''}"
    return (
        Curves(
            name="loss",
            title="Loss",
            sentence=said and f"{said}.",
            x_label="epoch",
            y_label="cross-entropy",
            series=(Series("training", loss, "train"),),
        ),
        Curves(
            name="accuracy",
            title="Accuracy",
            sentence=right and f"{right}.",
            x_label="epoch",
            y_label=f"share that is right; test: {looked_at:,} pictures, at the end all",
            y_range=(0.0, 1.0),
            series=(Series("training", train, "train"), Series("test", test, "validation")),
        ),
    )


def _points(values: Sequence[float], every: int, per_epoch: int) -> tuple[tuple[float, float], ...]:
    spans = (values[at : at + every] for at in range(0, len(values) - every + 1, every))
    means = (math.fsum(span) / every for span in spans)
    return tuple(
        (round((at + 1) * every / per_epoch, 4), round(mean, 5)) for at, mean in enumerate(means)
    )


def kernels(net: nn.Sequential, step: int) -> Images:
    """Every kernel of the first convolution, on one scale about zero."""
    layer = first_kernels(net)
    if layer is None:
        return Images(
            name="kernels", title="Kernels of the first layer", items=(), sentence=NO_KERNELS
        )
    weights = layer.weight.detach().float().cpu()[:, 0]  # (K, k, k)
    far = weights.abs().max().item()
    count, side = weights.shape[:2]
    shown = "" if count <= MOST_KERNELS else f" The first {MOST_KERNELS} of {count} are shown."
    return Images(
        name="kernels",
        title="Kernels of the first layer",
        sentence=f"After {step} steps the weights go from {fixed(weights.min().item())} to "
        f"{fixed(weights.max().item())}.{shown}",
        items=tuple(
            Image(kernel.contiguous(), f"kernel {n}", "kernel", -far, far, zoom=max(4, 40 // side))
            for n, kernel in enumerate(weights[:MOST_KERNELS], start=1)
        ),
    )


@torch.inference_mode()
def maps(net: nn.Sequential, x: Tensor, labels: Sequence[str], scale: Scale, name: str) -> Images:
    """Each picture of x, uint8 (B, 1, H, W), and what the first layer makes of it, on one scale."""
    device = next(net.parameters()).device
    net.eval()
    made = first_maps(net, scale.apply(x.to(device)))  # (B, K, h, w) or None
    if made is None:
        return Images(name=name, title="First-layer maps", items=(), sentence=NO_KERNELS)
    made = made.float().cpu().contiguous()
    low, high = made.min().item(), made.max().item()
    count, shape = made.shape[1], "×".join(map(str, made.shape[1:]))
    items = []
    for picture, found, label in zip(x.cpu(), made, labels, strict=True):
        items.append(Image(picture[0], label, zoom=2))
        for n, values in enumerate(found[:MAPS_EACH], start=1):
            items.append(Image(values, f"{label}, map {n}", "map", low, high, zoom=2))
    few = f", the first {MAPS_EACH} shown" if count > MAPS_EACH else ""
    return Images(
        name=name,
        title="First-layer maps",
        sentence=f"Each picture becomes maps of {shape}{few}. "
        f"Values go from {fixed(low)} to {fixed(high)}.",
        items=tuple(items),
    )


def confusion(marks: Marks, classes: Sequence[str]) -> Matrix:
    cells = marks.confusion(len(classes))
    wrong = [
        (count, true, taken)
        for true, row in enumerate(cells)
        for taken, count in enumerate(row)
        if true != taken
    ]
    most, true, taken = max(wrong, key=lambda found: found[0])
    worst = (
        f" Most often {classes[true]} was taken for {classes[taken]}: {_times(most)}."
        if most
        else ""
    )
    right = int((marks.true == marks.predicted).sum())
    return Matrix(
        name="confusion",
        title="What is taken for what",
        sentence=f"{right:,} of {len(marks.true):,} test pictures are right.{worst}",
        values=tuple(tuple(float(count) for count in row) for row in cells),
        row_labels=tuple(classes),
        column_labels=tuple(classes),
        row_title="is",
        column_title="taken for",
        meaning="counts",
        digits=0,
        ask="cell",
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def errors(marks: Marks, x: Tensor, classes: Sequence[str]) -> Images:
    """The wrong answers that the network was surest of; x is uint8 (N, 1, H, W)."""
    worst = marks.worst(WORST)
    return Images(
        name="errors",
        title="Wrong, and most sure of it",
        sentence=_said_of_errors(marks, worst, classes),
        items=tuple(
            Image(
                x[n, 0],
                label=f"{classes[int(marks.predicted[n])]}, not {classes[int(marks.true[n])]}",
                zoom=2,
                detail=f"{marks.sure[n] * 100:.1f} % sure; test picture {n + 1}",
            )
            for n in worst
        ),
    )


def _said_of_errors(marks: Marks, worst: Sequence[int], classes: Sequence[str]) -> str:
    if not worst:
        return "It made no mistake on the test pictures."
    first = worst[0]
    true, taken = classes[int(marks.true[first])], classes[int(marks.predicted[first])]
    return (
        f"It was surest of this mistake: {true} taken for {taken}, "
        f"with {marks.sure[first] * 100:.1f} %."
    )
