"""Rows 1, 2 and 4: what runs a job dies, or is told to stop."""

from __future__ import annotations

import logging
import os
import random
import signal
import time

import pytest

from labs.models import Job, State
from tests.faults.ledger import EVENTS_A_STEP, is_whole
from tests.faults.site import Site
from tests.faults.streams.client import size
from tests.servers import wait_for

log = logging.getLogger(__name__)
pytestmark = pytest.mark.faults


def test_a_killed_child_costs_a_run_at_most_one_epoch(broken: Site) -> None:
    """Row 1: `kill -9` of the pool's child at random moments of a run. CI 1, the row 20.

    Others wait, and were never served: the run goes on before them.
    """
    dice = random.Random(1)
    for _ in range(size(1, 20)):
        with broken.held():
            run = broken.start_run(steps=12, pause=0.1)
            job = broken.ledger.wait_until(run, State.RUNNING)
            others = [broken.start_run(steps=1) for _ in range(3)]
            time.sleep(dice.uniform(0, 1.2))
            os.kill(job.worker["pid"], signal.SIGKILL)
        killed = time.monotonic()
        (job,) = broken.ledger.ended([run])
        log.info(f"killed and done {time.monotonic() - killed:.1f} s later, attempt {job.attempt}")
        is_whole(job)
        goes_on_before(job, broken.ledger.ended(others))
        assert job.attempt == job.tries + 1 == 2
        shown = broken.streamed(job.stream)
        reached = max(e["seq"] for e in shown if e["attempt"] == 1)
        resumed = next(e["from"] for e in shown if e["kind"] == "attempt" and e["attempt"] == 2)
        assert reached - resumed <= EVENTS_A_STEP, "more than one epoch was lost"


def goes_on_before(job: Job, others: list[Job]) -> None:
    """It was claimed again before any that waited."""
    assert job.claimed_at is not None
    assert all(other.claimed_at and job.claimed_at < other.claimed_at for other in others)


@pytest.mark.parametrize("way", ["kill"] if size(0, 1) == 0 else ["kill", "segfault"])
def test_a_poison_job_is_stopped_after_three_attempts_and_the_others_are_done(
    broken: Site, way: str
) -> None:
    """Row 1: a job that always kills its child, ordinary ones behind it. CI 2 behind, the row 5."""
    poison = broken.start_run(lab="unruly", way=way)
    ordinary = [broken.start_run(steps=2) for _ in range(size(2, 5))]
    (job,) = broken.ledger.ended([poison])
    assert (job.state, job.attempt, job.tries) == (State.FAILED, 3, 3)
    assert "The worker stopped 3 times while it was on this run" in job.reason
    for other in broken.ledger.ended(ordinary):
        is_whole(other)


def test_a_dead_workers_run_says_that_it_restarts_and_goes_on_elsewhere(broken: Site) -> None:
    """Row 2: the whole worker is killed in mid-epoch. CI once, the row does not say how often."""
    with broken.guest() as guest:
        with broken.held():
            run = broken.start_run(guest, steps=20, pause=0.1)
            broken.ledger.wait_until(run, State.RUNNING)
            wait_for("a checkpoint", lambda: broken.ledger.job(run).checkpoint)
            others = [broken.start_run(steps=1) for _ in range(3)]
            broken.kill("training")
        killed = time.monotonic()
        wait_for(
            "the page says so",
            lambda: "Restarting, attempt 2" in guest.http.get(f"{run}panel/").text,
            45,
        )
        said = time.monotonic() - killed
        broken.start_again("training")
        (job,) = broken.ledger.ended([run])
        log.info(f"said after {said:.1f} s, done after {time.monotonic() - killed:.1f} s")
        is_whole(job)
        assert job.attempt == 2 and {e["attempt"] for e in job.archived()} == {1, 2}
        goes_on_before(job, broken.ledger.ended(others))


def test_a_restart_of_the_worker_loses_and_doubles_nothing(broken: Site) -> None:
    """Row 4: SIGTERM with one running and others queued. CI once with 2, the row 10 × 5."""
    for _ in range(size(1, 10)):
        with broken.held():
            running = broken.start_run(steps=20, pause=0.2)
            queued = [broken.start_run(steps=2) for _ in range(size(2, 5))]
            broken.ledger.wait_until(running, State.RUNNING)
            wait_for("a checkpoint", lambda: broken.ledger.job(running).checkpoint)  # noqa: B023
            told = time.monotonic()
            broken.kill("training", signal.SIGTERM)
            stopped = time.monotonic() - told
        assert broken.ledger.job(running).state == State.QUEUED
        broken.start_again("training")
        jobs = broken.ledger.ended([running, *queued])
        log.info(
            f"stopped in {stopped:.1f} s, all done {time.monotonic() - told:.1f} s after SIGTERM"
        )
        for job in jobs:
            is_whole(job)
        assert [job.tries for job in jobs] == [0] * len(jobs)
        assert [job.attempt for job in jobs] == [2] + [1] * len(queued)
        assert {e["attempt"] for e in jobs[0].archived()} == {1, 2}, "it went on from a checkpoint"
        goes_on_before(jobs[0], jobs[1:])
