"""What a GPU changes, and what it must not. `python -m pytest -m gpu` on a machine that has one."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import torch

from labs.catalog.first_cnn.compute import run
from labs.catalog.first_cnn.lab import Params
from labs.testing import PlainContext
from workers.wire import encode

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True, scope="module")
def _a_gpu() -> None:
    assert torch.cuda.is_available(), "These tests were asked for, and there is no GPU here."


def events(seed: int, ctx: PlainContext | None = None) -> list[dict[str, Any]]:
    ctx = ctx or PlainContext(seed=seed, device="cuda")
    return [encode(event) for event in run(Params(epochs=4), ctx) if event is not None]


def test_first_cnn_learns_on_the_gpu_and_says_what_ran() -> None:
    ctx = PlainContext(seed=1, device="cuda")
    result = events(1, ctx)[-1]
    assert result["figures"]["test_accuracy"] >= 0.95
    assert str(ctx.told["dtype"]).startswith("bfloat16")


def test_the_same_seed_gives_the_same_events_on_one_gpu() -> None:
    assert events(2) == events(2)


def test_a_run_goes_on_exactly_from_a_checkpoint() -> None:
    whole, first = events(3), PlainContext(seed=3, device="cuda")
    first.save_wanted = True
    steps: Any = run(Params(epochs=4), first)
    seen = len([event for event in islice(steps, 40) if event is not None])
    steps.close()
    rest = events(3, PlainContext(seed=3, device="cuda", saved=first.saved))
    assert len(rest) <= len(whole)
    assert rest == whole[-len(rest) :]
    assert len(rest) + seen >= len(whole), "nothing is missing between the two"


def test_ten_runs_leave_no_memory_behind() -> None:
    events(0)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    for seed in range(10):
        steps: Any = run(Params(epochs=1), PlainContext(seed=seed, device="cuda"))
        list(islice(steps, 10)) if seed % 5 == 0 else list(steps)  # every fifth is broken off
        steps.close()
    del steps
    torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() - before < 50e6
