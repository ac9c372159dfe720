"""Counts, and draws a random number each step, so that a resume that is not exact shows."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from labs.context import Context
from labs.events import Curves, Event, Fact, Image, Images, Note, Progress, Result, Series
from tests.faulty.steady.lab import Steps


def is_held() -> bool:
    """A test wants that no run ends yet: `Site.held()`."""
    return Path(os.environ.get("CONVOLAB_VAR", "."), "held").exists()


def state_of(step: int, points: list[Any], generator: torch.Generator) -> dict[str, Any]:
    return {"step": step, "points": points, "generator": generator.get_state()}


def run(params: Steps, ctx: Context) -> Iterator[Event | None]:
    generator = torch.Generator().manual_seed(ctx.seed)
    first, points = 0, []
    if ctx.saved:
        first, points = ctx.saved["step"], [tuple(p) for p in ctx.saved["points"]]
        generator.set_state(ctx.saved["generator"])
    for step in range(first + 1, params.steps + 1):
        while step == params.steps and is_held():
            if ctx.save_wanted:  # it has waited for long, or its worker stops
                ctx.save(state_of(step - 1, points, generator))
            time.sleep(0.05)
            yield None
        deadline = time.monotonic() + params.pause
        while time.monotonic() < deadline:
            time.sleep(min(0.2, params.pause))
            yield None
        points.append((float(step), torch.rand(1, generator=generator).item()))
        yield Progress(done=step, total=params.steps)
        yield Curves(
            name="count", x_label="step", y_label="draw", series=(Series("draw", tuple(points)),)
        )
        yield Note(name="draws", text=f"Step {step} drew {points[-1][1]:.6f}.")
        if params.with_picture:
            values = np.full((8, 8), step % 256, np.uint8)
            yield Images(name="picture", items=(Image(values, label=f"step {step}"),))
        if ctx.save_wanted or (params.save_every and step % params.save_every == 0):
            ctx.save(state_of(step, points, generator))
    ctx.artifacts.write("numbers.txt", "\n".join(str(p[1]) for p in points).encode())
    yield Result(facts=(Fact("steps", params.steps),), figures={"sum": sum(p[1] for p in points)})
