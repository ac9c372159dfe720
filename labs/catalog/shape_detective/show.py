"""What the page shows of a model: its layers, its maps, and the numbers of the end."""

from __future__ import annotations

from torch import Tensor

from labs.catalog.shape_detective.arithmetic import short
from labs.catalog.shape_detective.cases import CASES, Case
from labs.catalog.shape_detective.changes import Placed
from labs.catalog.shape_detective.faults import Examined
from labs.catalog.shape_detective.lab import Params
from labs.catalog.shape_detective.layers import written
from labs.catalog.shape_detective.trial import Trial
from labs.events import Fact, Image, Images, Result, Table
from labs.words import fixed

SHOWN = 3
"""The picture whose maps are shown: the digit 3."""
ZOOM = 4


def model_event(case: Case, now: Examined) -> Table:
    """Every layer with its shape, as believed and as PyTorch makes it, up to the fault."""
    rows = [_row(placed, now.trial, place) for place, placed in enumerate(now.model)]
    return Table(
        name="model",
        title=f"Layer by layer, as you run it, for {case.pictures}",
        sentence=f"In come {case.pictures}. {now.ends} Shapes are those of one picture.",
        columns=("Layer", "Settings", "The author believed", "PyTorch makes", "Worked out"),
        rows=tuple(rows),
    )


def _row(placed: Placed, trial: Trial, place: int) -> tuple[str, ...]:
    reached = len(trial.outputs)
    told = (placed.name, placed.layer.words, placed.believed)
    if place > reached:
        return (*told, "not reached", "–")
    made = written(trial.made(place)) if place < reached else "✗ stops here"
    return (*told, made, short(placed.layer, trial.came(place)))


# The maps


def maps_event(now: Examined) -> Images:
    """One map of each layer that changes the maps, all to one scale, so that they shrink."""
    items = [_picture(now.trial.x[SHOWN], "what comes in")]
    for placed, made in zip(now.model, now.trial.outputs, strict=False):
        if made.dim() == 4 and placed.layer.kind not in ("ReLU", "Softmax"):
            items.append(_map(made[SHOWN].detach(), placed))
    sides = [f"{image.values.shape[0]}×{image.values.shape[1]}" for image in items]
    said = f"One map a layer, to one scale: {', '.join(sides)}."
    return Images(
        name="maps",
        title="How the maps shrink",
        sentence=said if len(items) > 1 else "PyTorch stops before the first map.",
        items=tuple(items),
    )


def _picture(x: Tensor, name: str) -> Image:
    """A picture as it is: (1, H, W), or (H, W, 3) with the channels last."""
    whole = x.mul(255).round().byte()
    values = whole[0] if len(whole) == 1 else whole
    return Image(values.numpy(), label=f"{name}, {'×'.join(map(str, x.shape))}", zoom=ZOOM)


def _map(maps: Tensor, placed: Placed) -> Image:
    """Of the maps (C, H, W) the one in which most happens; three channels of a picture as one."""
    label = f"{placed.name}, {'×'.join(map(str, maps.shape))}"
    if placed.layer.kind in ("Reshape", "Permute") and len(maps) == 3:
        colour = maps.mul(255).round().byte().permute(1, 2, 0)  # (H, W, 3)
        return Image(colour.numpy(), label=label, zoom=ZOOM)
    busiest = maps.flatten(1).var(1, correction=0).argmax()
    chosen = maps[busiest]
    return Image(chosen, label, "kernel" if chosen.min() < 0 else "map", zoom=ZOOM)


# The end


def result_event(params: Params, now: Examined) -> Result:
    case, trial = CASES[params.case], now.trial
    found, mended = params.layer == case.culprit, now.is_sound
    state = {
        (True, True): "is solved: you found the layer, and your change mends the model",
        (False, True): "is mended, though the case's own fault is not in the layer that you named",
        (True, False): "is half solved: you found the layer, and the model is not mended yet",
        (False, False): "is still open",
    }[found, mended]
    loss = fixed(trial.loss, 3) if trial.stage == "done" else "none"
    return Result(
        title="The case so far",
        sentence=f"Case {params.case}, {case.title}, {state}.",
        facts=(
            Fact("layer found", "✓ yes" if found else "✗ not yet"),
            Fact("model mended", "✓ yes" if mended else "✗ not yet"),
            Fact("layers that run", len(trial.outputs)),
            Fact("loss of ten digits, untrained", loss),
            Fact("parameters", f"{trial.parameters:,}"),
        ),
        figures={
            "found": float(found),
            "mended": float(mended),
            "reached": len(trial.outputs),
            "parameters": trial.parameters,
        },
    )
