"""Rows 5 and 6: runs that their learner ends, and runs that would not end."""

from __future__ import annotations

import logging
import random
import time

import pytest

from labs.models import State
from tests.faults.ledger import is_whole
from tests.faults.site import Site
from tests.faults.streams.client import FULL, size

log = logging.getLogger(__name__)
pytestmark = pytest.mark.faults

STEPS, PAUSE = 10, 0.1


def test_a_cancelled_run_says_so_at_once_and_never_becomes_done(broken: Site) -> None:
    """Row 5: cancelled while it waits, at random moments of its second, and as it ends.

    CI 5 runs, the row 30. The next learner's run starts: the worker is free.
    """
    dice = random.Random(5)
    moments = [None, STEPS * PAUSE, *(dice.uniform(0, 1.2) for _ in range(size(3, 28)))]
    cancelled = 0
    for moment in moments:
        with broken.guest() as guest:
            blocker = broken.start_run(steps=3, pause=0.2) if moment is None else None
            run = broken.start_run(guest, steps=STEPS, pause=PAUSE)
            if moment is not None:
                broken.ledger.wait_until(run, State.RUNNING, State.SUCCEEDED)
                time.sleep(moment)
            asked = time.monotonic()
            guest.post(f"{run}cancel/")
            state = guest.state(run)
            said = time.monotonic() - asked
            assert state in ("cancelled", "succeeded")
            behind = broken.start_run(steps=1)
            job = broken.ledger.wait_until(behind, State.RUNNING, State.SUCCEEDED, seconds=20)
            log.info(
                "%s said after %.2f s, next started %.1f s", state, said, time.monotonic() - asked
            )
            jobs = broken.ledger.ended([behind, *([blocker] if blocker else [])])
            for job in jobs:
                is_whole(job)
            assert guest.state(run) == state == broken.ledger.job(run).state
            cancelled += state == "cancelled"
    assert cancelled >= len(moments) / 3, "most moments were before the end"


def test_a_run_that_does_not_hear_a_cancel_is_ended_all_the_same(broken: Site) -> None:
    """Row 5: compute never yields again and ignores every signal. CI once, the row 30 times."""
    for _ in range(size(1, 5)):
        with broken.guest() as guest:
            run = broken.start_run(guest, lab="unruly", way="deaf")
            pid = broken.ledger.wait_until(run, State.RUNNING).worker["pid"]
            asked = time.monotonic()
            guest.post(f"{run}cancel/")
            assert guest.state(run) == "cancelled"
            behind = broken.start_run(steps=1)
            (job,) = broken.ledger.ended([behind])
            log.info("the next was done %.1f s after the cancel", time.monotonic() - asked)
            is_whole(job)
            assert job.worker["pid"] != pid, "the deaf child was ended"
            job = broken.ledger.job(run)
            assert job.state == State.CANCELLED and job.tries == 0


@pytest.mark.parametrize("way", ["sleep", "deaf"] if FULL else ["deaf"])
def test_an_endless_run_is_ended_at_its_labs_limit_and_the_next_one_starts(
    broken: Site, way: str
) -> None:
    """Row 6: a job that yields for ever (full size only), and one that ignores every signal."""
    with broken.guest() as guest:
        run = broken.start_run(guest, lab="unruly", way=way)
        broken.ledger.wait_until(run, State.RUNNING)
        began = time.monotonic()
        behind = broken.start_run(steps=1)
        (job,) = broken.ledger.ended([run])
        ended = time.monotonic() - began
        is_whole(broken.ledger.ended([behind])[0])
        log.info(
            "ended after %.1f s (limit 4, twice), the next done %.1f s",
            ended,
            time.monotonic() - began,
        )
        assert job.state == State.FAILED and job.ran == {"reason": "time"}
        assert job.attempt == 2, "a busy machine may have been why, so it was tried once more"
        assert "longer than the 4 seconds" in guest.http.get(f"{run}panel/").text
