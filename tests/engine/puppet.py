"""The real Carrier, one step at a time: its compute asks the test what to do next.

Each attempt runs in a greenlet of the test's own thread, so any number of them, alive and stale,
can be interleaved at will. Only the lease's thread is replaced: the test holds the lease by hand.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import pytest
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from labs.context import Context, LabError
from labs.events import Event, Fact, Note, Result
from labs.models import Job
from tests.faulty.steady import compute
from workers import carry


class HandLease:
    """The lease without its thread: `beat` is one heartbeat."""

    made: list[HandLease] = []

    def __init__(self, job: Job) -> None:
        self.job, self.lost = copy.copy(job), False
        HandLease.made.append(self)

    def __enter__(self) -> HandLease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""

    def beat(self) -> None:
        self.lost |= not self.job.renew()


def puppet(params: object, ctx: Context) -> Iterator[Event | None]:
    """The n-th event says n, whatever became of the attempts before."""
    step = int(ctx.saved["step"]) if ctx.saved else 0
    while True:
        order = getcurrent().parent.switch()
        if order == "yield":
            step += 1
            yield Note(name="step", text=str(step))
        elif order == "pause":
            yield None
            if ctx.save_wanted:
                ctx.save({"step": step})
        elif order == "save":
            ctx.save({"step": step})
        elif order == "finish":
            yield Result(facts=(Fact("steps", step),))
            return
        elif order == "refuse":
            raise LabError("It cannot be done.")
        else:
            raise RuntimeError("compute broke")


class Attempt:
    """One carrier at work on a claimed job; `over` once it has let go."""

    def __init__(self, job: Job) -> None:
        self.pk, self.number, self.pid = job.pk, job.attempt, job.worker["pid"]
        HandLease.made.clear()
        self.fiber = greenlet(carry.Carrier(job).run)
        self.fiber.switch()
        self.lease = HandLease.made[-1]

    @property
    def over(self) -> bool:
        return bool(self.fiber.dead)

    def go(self, order: str) -> None:
        self.fiber.switch(order)

    def crash(self) -> None:
        """The process is gone: nothing of it runs any more."""
        self.fiber.throw()


def pull_the_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the steady lab does what the test says."""
    monkeypatch.setattr(compute, "run", puppet)
    replaced: Any = HandLease
    monkeypatch.setattr(carry, "Lease", replaced)
