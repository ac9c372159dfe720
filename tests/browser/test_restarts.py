"""What a page shows while something below it is killed or restarted: it goes on to the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.pages import Lab, Run, points, wait_for_points
from tests.conftest import Complaints, running, stop_all
from tests.servers import wait_for
from tests.stack import Stack

pytestmark = pytest.mark.browser

STEPS = 40
QUICK = {
    "CONVOLAB_LEASE": "4",
    "CONVOLAB_HEARTBEAT": "1",
    "CONVOLAB_HEARTBEAT_LOST": "3",
    "CONVOLAB_REAP_EVERY": "1",
    "CONVOLAB_LOOK_EVERY": "1",
}


@pytest.fixture(scope="module")
def shaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A site of this module's own, with a short lease."""
    made = Stack(tmp_path_factory.mktemp("shaken"), QUICK, "")
    running.append(made)
    try:
        made.start()
        made.wait_until_ready()
        yield made
    finally:
        stop_all([made])


@pytest.fixture
def page(new_context: Contexts, shaken: Stack, complaints: Complaints) -> Page:
    complaints.allow("Failed to load resource|htmx:(sse:)?error")
    return new_context(base_url=shaken.base_url).new_page()


def start(page: Page, seed: int, pause: float = 0.2) -> Run:
    """A run of numbered steps, in the middle of which the page now is."""
    lab = Lab(page, "steady")
    lab.set(steps=STEPS, pause=pause, seed=seed)
    run = lab.start()
    wait_for_points(page, more_than=3, name="count")
    page.evaluate("() => { window.same = true; }")
    return run


def expect_a_whole_end(page: Page, run: Run) -> None:
    """Every step is there, once and in order, on the page that was open all the time."""
    run.expect("succeeded")
    assert [x for x, _ in points(page, "count")] == list(range(1, STEPS + 1))
    assert page.evaluate("() => window.same"), "the page did not need to be loaded again"


def test_web_is_restarted_in_mid_run_and_the_page_goes_on(page: Page, shaken: Stack) -> None:
    run = start(page, seed=1)
    shaken.restart("web")
    seen = len(points(page, "count"))
    assert wait_for_points(page, more_than=seen, name="count")
    expect_a_whole_end(page, run)


def test_redis_is_killed_in_mid_run_and_the_page_ends_well(page: Page, shaken: Stack) -> None:
    run = start(page, seed=2)
    shaken.restart("redis", number=signal.SIGKILL)
    expect_a_whole_end(page, run)


def test_the_workers_child_is_killed_in_mid_run_and_the_page_ends_well(
    page: Page, shaken: Stack
) -> None:
    run = start(page, seed=3)
    (child,) = shaken.children("training")
    os.kill(child, signal.SIGKILL)
    wait_for("another child", lambda: shaken.children("training") not in ([], [child]))
    expect_a_whole_end(page, run)


def test_the_worker_is_killed_in_mid_run_and_the_page_says_that_it_restarts(
    page: Page, shaken: Stack
) -> None:
    run = start(page, seed=4)
    shaken.kill("training")
    expect(run.status).to_contain_text("Restarting, attempt 2", timeout=45_000)
    assert len(points(page, "count")) > 3, "what was reached stays"
    shaken.start_one("training")
    expect_a_whole_end(page, run)
