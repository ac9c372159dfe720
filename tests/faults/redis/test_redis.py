"""Rows 11, 12 and 13: Redis is killed, emptied, away. The database owns every run."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import redis

from labs.models import State
from tests.faults.ledger import is_whole
from tests.faults.site import Site
from tests.faults.streams.client import Guest, Page, size, watch
from tests.servers import wait_for
from tests.stack import Stack

log = logging.getLogger(__name__)
pytestmark = pytest.mark.faults


def running_and_queued(site: Site, queued: int) -> list[str]:
    """Two runs that run, one a lane, and others that wait behind them."""
    running = [site.start_run(lab=lab, steps=25, pause=0.2) for lab in ("steady", "errand")]
    for run in running:
        site.ledger.wait_until(run, State.RUNNING)
    return running + [site.start_run(steps=2) for _ in range(queued)]


def test_redis_killed_and_started_again_costs_no_run_and_runs_none_twice(broken: Site) -> None:
    """Row 11: `kill -9` with 2 running and 5 queued, as the row asks."""
    for _ in range(size(1, 5)):
        with broken.held():
            runs = running_and_queued(broken, 5)
            broken.kill("redis")
        killed = time.monotonic()
        time.sleep(1)  # how long it is away
        broken.start_again("redis")
        for job in broken.ledger.ended(runs):
            is_whole(job)
            assert job.attempt == 1 and job.tries == 0
        log.info("7 of 7 done %.1f s after the kill", time.monotonic() - killed)
        quick = [broken.start_run(steps=1), broken.start_run(lab="errand", steps=1)]
        for job in broken.ledger.ended(quick, seconds=30):
            is_whole(job)
        assert broken.is_up("interactive") and broken.is_up("training"), (
            "no worker ended with its connection"
        )


def test_a_full_redis_ends_no_worker_and_loses_no_run(broken: Site) -> None:
    """Row 15, the workers' part: `noeviction` refuses writes, then there is room again."""
    pids = {name: broken.processes[name].pid for name in ("web", "interactive", "training")}
    with broken.held(), broken.client() as client:
        running = broken.start_run(steps=30, pause=0.2)
        broken.ledger.wait_until(running, State.RUNNING)
        client.config_set("maxmemory", "1mb")
        try:
            refused = [broken.start_run(steps=2), broken.start_run(lab="errand", steps=2)]
            time.sleep(8)  # how long it is full: no worker may have given up in that time
            with pytest.raises(redis.OutOfMemoryError):
                client.set("room", "none")
            steady, errand = broken.ledger.jobs(refused)
            assert steady.state == State.QUEUED
            assert errand.state in (State.QUEUED, State.RUNNING), "a bell may have rung before"
        finally:
            client.config_set("maxmemory", "0")
    for job in broken.ledger.ended([running, *refused], seconds=60):
        is_whole(job)
    assert {name: broken.processes[name].pid for name in pids} == pids
    assert all(broken.is_up(name) for name in pids), broken.log("training")


def test_a_worker_hears_that_it_must_stop_also_while_redis_is_away(
    stack: Callable[..., Stack],
) -> None:
    """One that runs. Of one that has just started, tests/test_guards.py: it sends no heartbeats."""
    site = stack("interactive")
    site.wait_until_ready("interactive")
    site.kill("redis")
    wait_for("the worker to notice", lambda: "Trying again in" in site.log("interactive"))
    site.kill("interactive", signal.SIGTERM)
    assert site.processes["interactive"].returncode == 0


@contextmanager
def viewers(site: Site, guest: Guest, run: str, number: int) -> Iterator[list[Page]]:
    """So many pages that follow a run; at the end of the block they have closed."""
    pages = [Page() for _ in range(number)]

    async def follow(page: Page) -> None:
        while not page.closed:
            await watch(page, site.port, f"{run}events/", guest.cookie)
            await asyncio.sleep(0.1)

    async def everybody() -> None:
        await asyncio.wait_for(asyncio.gather(*(follow(page) for page in pages)), 120)

    thread = threading.Thread(target=asyncio.run, args=(everybody(),))
    thread.start()
    wait_for("the viewers", lambda: all(page.messages for page in pages))
    yield pages
    thread.join()


def test_an_emptied_redis_costs_no_run_and_every_page_says_what_the_database_does(
    broken: Site,
) -> None:
    """Row 12: FLUSHALL with 2 running. CI 5 queued and 5 viewers; the row 20 and 50."""
    with broken.guest() as guest:
        with ExitStack() as stack:
            with broken.held():
                watched = broken.start_run(guest, steps=25, pause=0.2)
                broken.ledger.wait_until(watched, State.RUNNING)
                others = [broken.start_run(lab="errand", steps=25, pause=0.2)]
                others += [broken.start_run(steps=2) for _ in range(size(5, 20))]
                pages = stack.enter_context(viewers(broken, guest, watched, size(5, 50)))
                broken.ledger.wait_until(others[0], State.RUNNING)
                broken.client().flushall()
                flushed = time.monotonic()
            jobs = broken.ledger.ended([watched, *others])
            log.info(
                "%d of %d final %.1f s later", len(jobs), len(jobs), time.monotonic() - flushed
            )
        for job in jobs:
            is_whole(job)
            assert job.attempt == 1
        last = [event["text"] for event in jobs[0].archived() if event["name"] == "draws"][-1]
        assert last in guest.http.get(watched).text
        for page in pages:
            assert page.closed and last in page.places["slot-draws-body"]


def test_after_an_emptied_redis_every_bell_rings_again(broken: Site) -> None:
    """Row 12: not only the reaper's: a start is heard at once by the same web process."""
    broken.ledger.ended([broken.start_run(steps=1)])
    broken.client().flushall()
    broken.kill("reaper")
    for lab in ("steady", "errand"):
        began = time.monotonic()
        (job,) = broken.ledger.ended([broken.start_run(lab=lab, steps=1)], seconds=30)
        log.info("%s done %.1f s after its start", lab, time.monotonic() - began)
        is_whole(job)


def test_while_redis_is_away_pages_open_and_starts_are_taken(broken: Site) -> None:
    """Row 13: CI 3 s with each page once and again, the row 5 minutes under load."""
    with broken.guest() as guest:
        done = broken.start_run(guest, steps=2)
        broken.ledger.ended([done])
        broken.kill("redis")
        away = time.monotonic()
        slowest = 0.0
        runs: list[str] = []
        while not runs or time.monotonic() - away < size(3, 300):
            with broken.guest() as other:
                runs.append(broken.start_run(other, steps=1))
                for path in ("/", "/labs/", "/labs/steady/", "/labs/kernel-forge/", "/runs/"):
                    slowest = max(slowest, opened(other, path))
                slowest = max(slowest, opened(other, runs[-1]), opened(guest, done))
                assert "Queued" in other.http.get(f"{runs[-1]}panel/").text
                with other.http.stream("GET", f"{runs[-1]}events/") as live:
                    assert live.status_code == 200
            time.sleep(size(0, 2))
        assert "Step 2 drew" in guest.http.get(done).text
        cancelled = broken.start_run(guest, steps=1)
        guest.post(f"{cancelled}cancel/")
        assert guest.state(cancelled) == "cancelled"
        broken.start_again("redis")
        back = time.monotonic()
        for job in broken.ledger.ended(runs):
            is_whole(job)
        log.info(
            "%d starts taken; slowest page %.2f s; all done %.1f s after Redis was back",
            len(runs), slowest, time.monotonic() - back,
        )  # fmt: skip
        assert " 500 " not in broken.log("web")


def opened(guest: Guest, path: str) -> float:
    began = time.monotonic()
    assert guest.http.get(path).status_code == 200, path
    return time.monotonic() - began
