"""What is wrong with a model that runs: PyTorch raises nothing, so we look ourselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs.catalog.shape_detective.changes import Placed
from labs.catalog.shape_detective.layers import BATCH, written
from labs.catalog.shape_detective.trial import Batch, Trial, attempt
from labs.words import fixed, short

NONLINEAR = ("ReLU", "MaxPool2d", "Softmax")


@dataclass(frozen=True)
class Fault:
    """`symptom` says what is seen, and names no layer; `cause` does. `lines` measure it."""

    kind: str
    symptom: str
    cause: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Examined:
    """A model, how far PyTorch went with it, and what is wrong though it ran."""

    model: tuple[Placed, ...]
    trial: Trial
    faults: tuple[Fault, ...]

    @property
    def is_sound(self) -> bool:
        return self.trial.stage == "done" and not self.faults

    @property
    def ends(self) -> str:
        if self.trial.stage == "layer":
            return f"PyTorch stops at {self.model[len(self.trial.outputs)].told}."
        if self.trial.stage == "loss":
            return f"All {len(self.model)} layers run, and the loss stops."
        return f"All {len(self.model)} layers run, and so do the loss and the gradients."


def examine(model: tuple[Placed, ...], batch: Batch, seed: int) -> Examined:
    trial = attempt(model, batch, seed)
    return Examined(model, trial, faults_of(model, trial, batch))


def faults_of(model: Sequence[Placed], trial: Trial, batch: Batch) -> tuple[Fault, ...]:
    """Nothing where PyTorch has raised an error: that is fault enough."""
    if trial.stage != "done":
        return ()
    looks = (
        picture(model, trial, batch),
        axes(model, trial, batch),
        linear(model, trial),
        softmax(model, trial, batch),
        clipped(model),
        classes(trial),
    )
    return tuple(fault for look in looks for fault in look)


def picture(model: Sequence[Placed], trial: Trial, batch: Batch) -> Iterator[Fault]:
    """Does the first convolution see the pictures as they are?"""
    for place, placed in enumerate(model):
        if placed.layer.kind == "Conv2d":
            seen = trial.outputs[place - 1] if place else batch.x
            if not torch.equal(seen.detach(), batch.upright):
                yield _scrambled()
            return


def _scrambled() -> Fault:
    return Fault(
        kind="picture",
        symptom="The first convolution does not see the pictures as they are: compare what "
        "comes in with the maps.",
        cause="The shape is right, but the numbers lie in other places than in the picture.",
        lines=(
            "in the picture, in this order:  red, green, blue of pixel 1, of pixel 2, …",
            "in 3×28×28, in this order:      all red, all green, all blue",
        ),
    )


def axes(model: Sequence[Placed], trial: Trial, batch: Batch) -> Iterator[Fault]:
    """Does a permute move the axes of maps whose channels come first already?"""
    for place, placed in enumerate(model):
        upright = place > 0 or batch.x.shape == batch.upright.shape
        if placed.layer.kind == "Permute" and upright:
            came, made = written(trial.came(place)), written(trial.made(place))
            cause = (
                f"The channels came first already, and {placed.told}, makes channels of the "
                f"maps' columns: {came} becomes {made}."
            )
            yield Fault("axes", cause, cause)


def linear(model: Sequence[Placed], trial: Trial) -> Iterator[Fault]:
    """Do two layers with weights follow each other with nothing but linear steps between?"""
    last: int | None = None
    for place, placed in enumerate(model):
        if placed.layer.kind in NONLINEAR:
            last = None
        elif placed.layer.is_weighted:
            if last is not None:
                yield _collapsed(model, trial, last, place)
            last = place


def _collapsed(model: Sequence[Placed], trial: Trial, first: int, second: int) -> Fault:
    return Fault(
        kind="linear",
        symptom="Two of its layers do together what one layer alone could do.",
        cause=f"Nothing but linear steps lie between {model[first].told} and "
        f"{model[second].told}, so the two are one linear layer.",
        lines=_as_one(trial, first, second),
    )


def _as_one(trial: Trial, first: int, second: int) -> tuple[str, ...]:
    """Two dense neighbours against the one that they make."""
    one, two = trial.net[first], trial.net[second]
    if second != first + 1 or not isinstance(one, nn.Linear) or not isinstance(two, nn.Linear):
        return ()
    with torch.no_grad():
        x = trial.outputs[first - 1] if first else trial.x
        bias = two.weight @ one.bias + two.bias
        apart = (F.linear(x, two.weight @ one.weight, bias) - trial.outputs[second]).abs().max()
    return (
        f"the two layers: {_count(one) + _count(two):,} parameters",
        f"one layer, with W₂W₁ and W₂b₁ + b₂: {(one.in_features + 1) * two.out_features:,}",
        f"their answers differ by {short(apart.item(), 1)} at most: rounding",
    )


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def softmax(model: Sequence[Placed], trial: Trial, batch: Batch) -> Iterator[Fault]:
    """Does the loss get probabilities, where it wants logits?"""
    out = trial.outputs[-1].detach()
    if out.min() < 0 or not torch.allclose(out.sum(1), torch.ones(len(out)), atol=1e-4):
        return
    sure: Tensor = torch.eye(out.shape[1])[batch.y]  # all on the right class
    floor, rest = F.cross_entropy(sure, batch.y).item(), out.shape[1] - 1
    name = next(placed.told for placed in reversed(model) if placed.layer.kind == "Softmax")
    yield Fault(
        kind="softmax",
        symptom=f"Even an answer that is right and has no doubt would cost {fixed(floor, 3)}.",
        cause=f"The loss gets probabilities, for {name}, comes before it; it wants logits, and "
        f"takes the softmax itself. Even an answer without doubt would cost {fixed(floor, 3)}.",
        lines=(
            f"no doubt:            1 for the right class, 0 for the other {rest}",
            f"softmax of that:     e / (e + {rest}) = {fixed(torch.e / (torch.e + rest), 3)}",
            f"its cross-entropy:   −ln(e / (e + {rest})) = {fixed(floor, 3)}",
        ),
    )


def clipped(model: Sequence[Placed]) -> Iterator[Fault]:
    if model[-1].layer.kind == "ReLU":
        cause = "A ReLU comes last, so no class can get less than 0, and one at 0 learns nothing."
        yield Fault("clipped", cause, cause)


def classes(trial: Trial) -> Iterator[Fault]:
    """More outputs than classes; fewer stop the loss."""
    outputs = trial.outputs[-1].shape[1]
    if outputs > BATCH:
        cause = f"There are {outputs} outputs for ten classes: {outputs - BATCH} are never right."
        yield Fault("classes", cause, cause)
