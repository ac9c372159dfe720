"""Rows 17, 25, 26 and 28: many at once, one who wants everything, the same work, newer code."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from labs.models import State
from tests.faults.ledger import Ledger, is_whole
from tests.faults.site import CLOCKS, Site, seeds
from tests.faults.streams.client import Guest, size
from tests.stack import Stack

log = logging.getLogger(__name__)
pytestmark = pytest.mark.faults
MANY = 50


@pytest.mark.parametrize("on_postgres", [False, True], ids=["sqlite", "postgres"])
def test_fifty_starts_at_once_leave_exactly_five_waiting(
    stack: Callable[..., Stack], on_postgres: bool, django_db_blocker: DjangoDbBlocker
) -> None:
    """Row 17, at its full size, on both databases: 50 parallel starts of one learner, quota 5."""
    site = stack("web", env=CLOCKS, postgres=on_postgres)
    with Guest(site.base_url) as guest, ThreadPoolExecutor(MANY) as pool:
        guest.start("steady", seed=9_999)
        answers = list(
            pool.map(lambda n: guest.post("/labs/steady/run/", {"seed": n}), range(1, MANY))
        )
    said = Counter(answer.status_code for answer in answers)
    assert said == {302: 4, 429: MANY - 5}, said
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all("5 runs waiting" in answer.text for answer in refused)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert "database is locked" not in site.log("web") + "".join(a.text for a in answers)
    ledger = Ledger(site)
    with django_db_blocker.unblock():
        ledger.open()
        try:
            assert len(ledger.live_jobs()) == 5
        finally:
            ledger.close()


def test_one_who_submits_a_hundred_keeps_nobody_waiting(broken: Site) -> None:
    """Row 25, at its full size: A submits 100, then B one, then C asks for a kernel's map."""
    ask: dict[str, Any] = {"steps": 8, "pause": 0.1}
    with broken.guest() as alice, broken.guest() as bob, broken.guest() as charlie:
        with broken.held():
            hers, refused = [broken.start_run(alice, **ask)], 0
            broken.ledger.wait_until(hers[0], State.RUNNING)
            for _ in range(99):
                answer = alice.post("/labs/steady/run/", {"seed": next(seeds), **ask})
                if answer.status_code == 302:
                    hers.append(str(answer.headers["Location"]))
                else:
                    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
                    refused += 1
            assert refused > 80
            his = broken.start_run(bob, steps=1)
            asked = time.monotonic()
            quick = charlie.start("kernel-forge", bias=next(seeds) % 200)
            broken.ledger.wait_until(quick, State.SUCCEEDED, seconds=30)
            log.info("C's map %.2f s after the start, while A trains", time.monotonic() - asked)
        jobs = broken.ledger.ended([his, *hers], seconds=120)
    for job in jobs:
        is_whole(job)
    bobs, _, *rest = (job.claimed_at for job in jobs)
    assert bobs and bobs < min(filter(None, rest)), "after the one that ran already"


def test_fifty_equal_starts_are_one_training_and_then_a_replay(broken: Site) -> None:
    """Row 26, at its full size: 50 learners, the same settings, at once."""
    seed = next(seeds)
    ask = {"seed": seed, "steps": 5, "pause": 0.1}
    guests = [broken.guest() for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        runs = list(pool.map(lambda guest: guest.start("steady", **ask), guests))
    assert len(set(runs)) == MANY, "each has a run of their own"
    jobs = broken.ledger.ended(runs)
    assert len({job.pk for job in jobs}) == 1
    is_whole(jobs[0])
    assert jobs[0].attempt == 1
    asked = time.monotonic()
    again = guests[0].start("steady", **ask)
    log.info("replayed in %.0f ms", 1_000 * (time.monotonic() - asked))
    assert guests[0].state(again) == "replay" and broken.ledger.job(again).pk == jobs[0].pk
    for guest in guests:
        guest.http.close()


UPGRADED = """
from labs.events import Note


def run(params, ctx):
    yield Note(name="said", text="version {version}")
"""
DECLARED = """
from labs.lab import TRAINING, Lab, Slot
from labs.params import Params, slider


class Asked(Params):
    n: int = slider(0, low=0, high=1_000, label="n")


LAB = Lab(title="Upgraded", summary="", section=18, lane=TRAINING, params=Asked,
          panel=(Slot("said", "note", "Said"),), seconds=1, limit=10)
"""


def test_after_an_upgrade_everything_is_computed_anew(
    stack: Callable[..., Stack], tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    """Row 28: a line of compute.py changes under a running site. CI 3 settings, full size 20."""
    folder = tmp_path / "upgrades" / "upgraded"
    folder.mkdir(parents=True)
    for path in (folder.parent / "__init__.py", folder / "__init__.py"):
        path.touch()
    (folder / "lab.py").write_text(DECLARED)
    (folder / "compute.py").write_text(UPGRADED.format(version=1))
    env = CLOCKS | {"CONVOLAB_CATALOGUES": "labs.catalog,upgrades", "PYTHONPATH": str(tmp_path)}
    site = stack("web", "training", "reaper", env=env)
    site.wait_until_ready("training")
    with Guest(site.base_url) as guest:
        asked = range(size(3, 20))
        old = [finished(guest, n) for n in asked]
        assert all(guest.state(guest.start("upgraded", n=n)) == "replay" for n in asked)
        (folder / "compute.py").write_text(UPGRADED.format(version=2))
        for name in ("web", "training"):
            site.restart(name)
        new = [finished(guest, n) for n in asked]
        for runs, version in ((old, 1), (new, 2)):
            for run in runs:
                assert f"version {version}" in guest.http.get(run).text


def finished(guest: Guest, n: int) -> str:
    """A run that was computed, not replayed."""
    run = guest.start("upgraded", n=n)
    end = time.monotonic() + 60
    while (state := guest.state(run)) != "succeeded":
        assert state in ("queued", "running") and time.monotonic() < end, state
        time.sleep(0.1)
    return run
