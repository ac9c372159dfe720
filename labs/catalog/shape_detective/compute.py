"""A broken model and a change to it, in PyTorch: where it stops, what it says, what mends it."""

from __future__ import annotations

from collections.abc import Iterator

from labs.catalog.shape_detective import show, verdict
from labs.catalog.shape_detective.cases import CASES
from labs.catalog.shape_detective.changes import Change, as_written, mended
from labs.catalog.shape_detective.faults import examine
from labs.catalog.shape_detective.lab import Params
from labs.catalog.shape_detective.trial import batch_of
from labs.context import Context
from labs.data.datasets import load
from labs.events import Event


def run(params: Params, ctx: Context) -> Iterator[Event | None]:
    case, change = CASES[params.case], Change(params.layer, params.change, params.value)
    digits = ctx.data("digits")
    yield None
    batch = batch_of(case, digits.test_x, digits.test_y)  # (10, …) pictures and labels
    broken = examine(as_written(case), batch, ctx.seed)
    yield verdict.error_event(broken)
    yield verdict.suspect_event(case, params.layer, broken.trial)
    now = broken
    if change.what != "nothing":
        now = examine(mended(case, change), batch, ctx.seed)
    yield verdict.mend_event(case, change, broken, now)
    yield show.model_event(case, now)
    yield show.maps_event(now)
    yield show.result_event(params, now)


def warm(device: str) -> None:  # noqa: ARG001 (the lab contract gives it)
    load("digits")
