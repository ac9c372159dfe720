"""Shape detective: ten broken models. Find the layer at fault, and mend it."""

from __future__ import annotations

from typing import Literal

from pydantic import ValidationInfo, field_validator

from labs import params
from labs.catalog.shape_detective.cases import CASES
from labs.catalog.shape_detective.changes import (
    HIGHEST,
    MOST_LAYERS,
    OPTIONS,
    Change,
    misplaced,
    unfit,
)
from labs.catalog.shape_detective.preview import preview, too_high
from labs.lab import INTERACTIVE, Lab, Slot
from labs.params import choice, refuse, slider


class Params(params.Params):
    case: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9, 10] = choice(
        1,
        {str(n): f"{n} {case.title}" for n, case in CASES.items()},
        label="Case",
        help="Each model has one fault. Of the first seven PyTorch refuses each at some point; the "
        "last three run, and are wrong all the same.",
    )
    layer: int = slider(
        0,
        low=0,
        high=MOST_LAYERS,
        label="The layer that you suspect",
        help="By its number in the table. 0: none yet.",
    )
    change: Literal[
        "nothing",
        "in",
        "out",
        "kernel",
        "stride",
        "padding",
        "pad-all",
        "start",
        "flatten",
        "relu",
        "permute",
        "remove",
    ] = choice(
        "nothing",
        OPTIONS,
        label="What you change in that layer",
        help="One change is enough to mend each model.",
    )
    value: int = slider(
        0,
        low=0,
        high=HIGHEST,
        label="Its new value",
        help="Counts where you change a number.",
    )

    @field_validator("layer")
    @classmethod
    def _is_in_the_model(cls, layer: int, info: ValidationInfo) -> int:
        case = CASES.get(info.data.get("case", 0))
        if case and layer > len(case.layers):
            raise refuse(too_high(case))
        return layer

    @field_validator("change")
    @classmethod
    def _can_be_changed_there(cls, change: str, info: ValidationInfo) -> str:
        case, layer = CASES.get(info.data.get("case", 0)), info.data.get("layer")
        if case and layer is not None and (problem := misplaced(case, layer, change)):
            raise refuse(problem)
        return change

    @field_validator("value")
    @classmethod
    def _can_be_that(cls, value: int, info: ValidationInfo) -> int:
        case, layer = CASES.get(info.data.get("case", 0)), info.data.get("layer")
        change = info.data.get("change")
        if not case or layer is None or change is None:
            return value  # what is wrong is said at those
        if problem := unfit(case, Change(layer, change, value)):
            raise refuse(problem)
        return value


LAB = Lab(
    title="Shape detective",
    summary="Ten broken models. Find the layer at fault, mend it, and let PyTorch be the judge.",
    section=7,
    lane=INTERACTIVE,
    params=Params,
    panel=(
        Slot("error", "note", "What PyTorch says to the model as it was", wide=True, rows=10),
        Slot("suspect", "note", "Is it this layer?", wide=True, rows=24),
        Slot("mend", "note", "Does your change mend it?", wide=True, rows=20),
        Slot("model", "table", "Layer by layer, as you run it", wide=True, rows=48),
        Slot("maps", "images", "How the maps shrink", wide=True, rows=24),
        Slot("result", "result", "The case so far", wide=True, rows=10),
    ),
    seconds=0.1,
    limit=60,
    too_long="No setting makes this quicker: the machine is busy. Run it again in a few minutes.",
    seeded=False,
    preview=preview,
    dataset=lambda _: "digits",
    tiny={"layer": 8, "change": "in", "value": 1600},
)
