"""What the database of a running site says, by our own models."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Iterable

import torch
from django.db import connections

from config.environment import database
from labs.models import Job, Run, State
from labs.models.job import FINAL
from tests.stack import Stack

EVENTS_A_STEP = 3


class Ledger:
    """Reads a site's database, from the tests' process. `open` and `close` it around a test."""

    def __init__(self, site: Stack) -> None:
        self.alias = f"ledger_{site.mark}"
        self.config = database(site.env["DATABASE_URL"], site.folder / "db.sqlite3")

    def open(self) -> None:
        usual = copy.deepcopy(connections.settings["default"])
        connections.settings[self.alias] = {**usual, **self.config, "OPTIONS": {}}

    def close(self) -> None:
        connections[self.alias].close()
        del connections[self.alias]
        del connections.settings[self.alias]

    def job(self, run: str) -> Job:
        """The job of a run, by the run's address."""
        pk = uuid.UUID(run.strip("/").split("/")[-1])
        return Run.objects.using(self.alias).select_related("job").get(pk=pk).job

    def jobs(self, runs: Iterable[str]) -> list[Job]:
        return [self.job(run) for run in runs]

    def wait_until(self, run: str, *states: str, seconds: float = 60) -> Job:
        """The job once it is in one of these states."""
        end = time.monotonic() + seconds
        while (job := self.job(run)).state not in states:
            assert time.monotonic() < end, f"{run} is {job.state} after {seconds:g} s, not {states}"
            time.sleep(0.03)
        return job

    def ended(self, runs: Iterable[str], seconds: float = 90) -> list[Job]:
        """The jobs of these runs, all of them final."""
        end = time.monotonic() + seconds
        return [self.wait_until(r, *FINAL, seconds=max(1, end - time.monotonic())) for r in runs]

    def live_jobs(self) -> list[Job]:
        return list(Job.objects.using(self.alias).kept().exclude(state__in=FINAL))


def is_whole(job: Job) -> None:
    """A steady job is done, and its archive is what one quiet run would have left."""
    assert job.state == State.SUCCEEDED, f"{job}: {job.reason}"
    events = job.archived()
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1)), "a gap, or one twice"
    generator = torch.Generator().manual_seed(job.seed)
    draws = [torch.rand(1, generator=generator).item() for _ in range(job.params["steps"])]
    said = [e["text"] for e in events if e["name"] == "draws"]
    assert said == [f"Step {n} drew {draw:.6f}." for n, draw in enumerate(draws, 1)]
    assert events[-1]["kind"] == "result"
