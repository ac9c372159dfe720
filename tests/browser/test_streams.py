"""One stream a page, none behind, none for nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Ended
from tests.browser.pages import Forge
from tests.browser.tabs import OPEN, Tabs
from tests.faults.streams.client import Guest
from tests.stack import Stack

pytestmark = pytest.mark.browser
seeds = itertools.count(8_000)
STEP = """Number(
    (/Step (\\d+) drew/.exec(document.querySelector('#slot-draws-body').textContent) ?? [0, 0])[1]
)"""
STATE = "document.querySelector('#panel').dataset.state"


@pytest.fixture
def guest(site: Stack) -> Iterator[Guest]:
    with Guest(site.base_url) as made:
        yield made


@pytest.fixture
def tabs(browser: Browser, site: Stack, guest: Guest) -> Iterator[Tabs]:
    made = Tabs(browser, site.base_url, dict(guest.http.cookies))
    yield made
    made.close()


def test_tabs_behind_hold_no_stream_and_show_what_is_when_they_come_to_the_front(
    tabs: Tabs, guest: Guest
) -> None:
    """Eight of them, for HTTP/1.1 allows six connections: the ninth page would stand still."""
    run = guest.start("steady", steps=900, pause=0.1, seed=next(seeds))
    front = tabs.open(run)
    front.wait_for(f"{STEP} > 0 && {OPEN} === 1")
    behind = [tabs.open(run, behind=True) for _ in range(8)]
    assert front.ask("fetch('/healthz').then(answer => answer.status)") == 200
    assert [tab.streams for tab in behind] == [0] * 8
    assert behind[0].ask("document.visibilityState") == "hidden"
    was = front.ask(STEP)
    front.wait_for(f"{STEP} > {was}")
    behind[0].show()
    behind[0].wait_for(f"{OPEN} === 1 && {STEP} > {was}")
    front.wait_for(f"{OPEN} === 0")
    guest.post(f"{run}cancel/")
    behind[0].wait_for(f"{STATE} === 'cancelled'")
    assert front.ask(STATE) != "cancelled"
    front.show()
    front.wait_for(f"{STATE} === 'cancelled'")
    assert front.streams == 0


def test_a_live_lab_behind_asks_for_nothing_until_it_is_shown(tabs: Tabs) -> None:
    tab = tabs.open("/labs/kernel-forge/", behind=True)
    tab.wait_for("document.getElementById('controls').live")
    assert tab.streams == 0 and tab.ask("document.querySelector('#slot-map-body img')") is None
    tab.show()
    tab.wait_for("document.querySelector('#slot-map-body img')")


def test_a_live_lab_holds_a_stream_only_while_an_answer_is_due(page: Page) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    page.wait_for_function(f"{OPEN} === 0")
    forge.cell(2, 2).fill("5")
    page.wait_for_function(f"{OPEN} === 1")
    forge.expect_another_map(first)
    page.wait_for_function(f"{OPEN} === 0")


def test_a_finished_run_opens_its_stream_with_the_first_question(
    returning: Page, ended: Ended
) -> None:
    returning.goto(ended.trained)
    cell = returning.locator("[data-answer] td button").first
    expect(cell).to_be_visible()
    returning.locator("#panel figcaption").first.click()
    assert returning.evaluate(OPEN) == 0
    with returning.expect_request(re.compile("/answers/")):
        cell.click()
    returning.wait_for_function(f"{OPEN} === 0")
