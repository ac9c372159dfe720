"""The page itself, in Chromium, when the network goes (fault 18) and after the end (fault 20)."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.conftest import Complaints
from tests.faults.streams.client import SwitchedProxy
from tests.faults.streams.test_cuts import points
from tests.servers import wait_for
from tests.stack import Stack

pytestmark = pytest.mark.browser
seeds = itertools.count(7_000)


@pytest.fixture
def network(site: Stack) -> Iterator[SwitchedProxy]:
    with SwitchedProxy(site.port) as proxy:
        yield proxy


@pytest.fixture
def page(
    network: SwitchedProxy, new_context: Callable[..., BrowserContext], complaints: Complaints
) -> Page:
    complaints.allow("Failed to load resource|Failed to fetch|network error|net::ERR")
    return new_context(base_url=f"http://127.0.0.1:{network.port.result()}").new_page()


def train(page: Page, steps: int, pause: float) -> None:
    """Start a run as a student does, and wait until its first steps are there."""
    page.goto("/labs/steady/")
    page.locator('input[type="number"][name="steps"]').fill(str(steps))
    page.locator('input[type="number"][name="pause"]').fill(str(pause))
    page.locator('input[name="seed"]').fill(str(next(seeds)))
    page.get_by_role("button", name="Train").click()
    expect(page.locator("#slot-draws-body")).to_contain_text(
        re.compile(r"Step \d+ drew"), timeout=20_000
    )


def assert_ended_with(page: Page, steps: int) -> None:
    expect(page.locator('#panel[data-state="succeeded"]')).to_be_visible(timeout=30_000)
    expect(page.locator("#slot-draws-body")).to_contain_text(f"Step {steps} drew")
    assert points(page.locator("#slot-count-body").inner_html()) == list(range(1, steps + 1))
    assert page.locator("#live").count() == 0


def newest_job(site: Stack) -> str:
    with closing(sqlite3.connect(site.folder / "db.sqlite3")) as database:
        newest = "SELECT state FROM labs_job WHERE lab = 'steady' ORDER BY id DESC LIMIT 1"
        return str(database.execute(newest).fetchone()[0])


def test_a_page_whose_network_went_for_a_moment_goes_on(page: Page, network: SwitchedProxy) -> None:
    train(page, steps=50, pause=0.1)
    for _ in range(2):
        network.go_away()
        page.wait_for_timeout(500)  # how long it is away, and then there
        network.come_back()
        page.wait_for_timeout(700)
    assert_ended_with(page, 50)


def test_a_page_that_was_away_when_the_run_ended_shows_the_end(
    page: Page, network: SwitchedProxy, site: Stack
) -> None:
    train(page, steps=25, pause=0.15)
    network.go_away()
    wait_for("the run's end", lambda: newest_job(site) == "succeeded", 60)
    expect(page.locator("#slot-draws-body")).not_to_contain_text("Step 25 drew")
    network.come_back()
    assert_ended_with(page, 25)


LOST = "The connection was lost. Reconnecting …"


def wait_past_the_deadline(page: Page) -> None:
    """As where a laptop sleeps: the page's clock goes on by more than the 40 s of silence."""
    page.clock.fast_forward(41_000)


def test_a_page_whose_connection_was_swallowed_says_so_and_goes_on(
    page: Page, network: SwitchedProxy
) -> None:
    """The training stood at its step for ever: no byte came, and nothing was cut (fault 18)."""
    page.clock.install()
    train(page, steps=60, pause=0.15)
    network.swallow()
    stood = page.locator("#slot-draws-body").inner_text()
    opened = lambda request: "/events/" in request.url  # noqa: E731
    page.evaluate(NOTE_WHAT_IS_SAID)
    with page.expect_request(opened):
        wait_past_the_deadline(page)
    expect(page.locator("#slot-draws-body")).not_to_have_text(stood)
    assert LOST in page.evaluate("window.said")
    expect(page.locator("[data-connection]")).to_have_text("")
    assert_ended_with(page, 60)


def test_a_live_page_whose_connection_was_swallowed_gets_its_answer(
    page: Page, network: SwitchedProxy
) -> None:
    """Each change was answered 202, and the panel said "Live" for ever."""
    page.clock.install()
    page.goto("/labs/kernel-forge/")
    expect(page.locator("#slot-map-body img")).to_be_visible()
    held = page.locator("#live-draft")
    page.wait_for_function("() => document.getElementById('live-draft')._htmx.sse")
    network.swallow()
    cell = page.get_by_label("Kernel, row 2, column 2", exact=True)
    with page.expect_response(lambda response: response.status == 202):
        cell.fill("5")
    page.evaluate(NOTE_WHAT_IS_SAID)
    assert held.count() == 1
    wait_past_the_deadline(page)
    expect(page.locator("#slot-kernel-body td").nth(4)).to_have_text("5.00")
    assert LOST in page.evaluate("window.said")


NOTE_WHAT_IS_SAID = """() => {
    window.said = [];
    const line = document.querySelector('[data-connection]');
    const note = () => window.said.push(line.textContent);
    new MutationObserver(note).observe(line, { childList: true, characterData: true });
}"""


def test_after_the_end_no_stream_is_opened_any_more(page: Page) -> None:
    """Watched for the row's 60 s, by the page's own clock."""
    opened: list[str] = []
    page.on("request", lambda request: opened.append(request.url))
    train(page, steps=5, pause=0.2)
    assert_ended_with(page, 5)
    page.clock.install()
    page.reload()
    opened.clear()
    page.clock.run_for(60_000)
    page.evaluate("() => fetch('/healthz')")  # by then whatever was asked for before is known
    assert opened.pop().endswith("/healthz")
    assert not [url for url in opened if re.search(r"/(events|panel)/", url)]
