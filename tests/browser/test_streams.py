"""One stream a page, none behind, none for nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Contexts, Ended
from tests.browser.pages import Forge, pixels
from tests.browser.tabs import OPEN, Tabs
from tests.courses.specimen import file
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
    guest.start("steady", steps=1, seed=next(seeds))  # the session comes with the first start
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
    tabs.open("/labs/")
    tab = tabs.open("/labs/kernel-forge/", behind=True)
    tab.wait_for("document.getElementById('controls').live")
    assert tab.streams == 0 and tab.ask("document.querySelector('#slot-map-body img')") is None
    tab.show()
    tab.wait_for("document.querySelector('#slot-map-body img')")


def test_a_live_lab_holds_a_stream_only_while_an_answer_is_due(page: Page) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    page.wait_for_function(f"() => {OPEN} === 0")
    forge.cell(2, 2).fill("5")
    page.wait_for_function(f"() => {OPEN} === 1")
    forge.expect_another_map(first)
    page.wait_for_function(f"() => {OPEN} === 0")


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
    returning.wait_for_function(f"() => {OPEN} === 0")


LECTURES = {
    "three": [f'kernel-forge {{"stride": {stride}}}' for stride in (1, 2, 3)],
    "turns": ["steady", "kernel-forge", "steady"],
}


@pytest.fixture(scope="module")
def lectures(site: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Lectures with several labs; gives where they are."""
    folder = tmp_path_factory.mktemp("several") / "43-side-by-side"
    folder.mkdir()
    (folder / "section.toml").write_text('title = "Side by side"\nsummary = "For the tests."\n')
    for n, (slug, labs) in enumerate(LECTURES.items(), 1):
        text = "\n\n".join(f"A lab.\n\n:::lab {lab}\nLook.\n:::" for lab in labs)
        written = file(text, title=f"Several labs: {slug}", labs="[kernel-forge]")
        (folder / f"{n:02}-{slug}.md").write_text(written)
    site.manage("load_course", "--content", str(folder.parent))
    return "/course/side-by-side/"


def test_three_live_labs_of_a_lecture_in_two_windows_hold_a_stream_a_window(
    lectures: str, new_context: Contexts
) -> None:
    context = new_context()
    windows = [context.new_page() for _ in range(2)]
    for page in windows:
        page.goto(f"{lectures}three/")
        for n in range(3):
            lab = page.locator(".lab-embed").nth(n)
            lab.scroll_into_view_if_needed()
            expect(lab.locator(".slot img").first).to_be_visible()
        ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(({ id }) => id)")
        assert len(ids) == len(set(ids))
    for page in windows:
        maps = page.locator(".lab-embed .slot:first-child img:first-child")
        before = [pixels(maps.nth(n)) for n in range(3)]
        second = page.locator(".lab-embed").nth(1)
        second.get_by_label("Kernel, row 2, column 2", exact=True).fill("7")
        page.wait_for_function(f"() => {OPEN} === 1")
        expect(second.locator("figure[id$=slot-kernel] td").nth(4)).to_have_text("7.00")
        expect(second.locator(".permalink-place a")).to_be_visible()
        assert [pixels(maps.nth(n)) == before[n] for n in (0, 2)] == [True, True]
    for page in windows:
        page.wait_for_function(f"() => {OPEN} === 0")


def test_labs_of_one_page_take_turns_and_none_is_left_behind(
    lectures: str, new_context: Contexts
) -> None:
    """A run goes on after another lab's answer; of two runs the one that is clicked is followed."""
    page = new_context().new_page()
    page.goto(f"{lectures}turns/")
    first, live, second = (page.locator(".lab-embed").nth(n) for n in range(3))
    for lab in (first, live, second):
        lab.scroll_into_view_if_needed()
        expect(lab.locator("form[id$=controls]")).to_be_visible()
    steady = {"steps": "900", "pause": "0.2"}
    for lab, seed in ((first, next(seeds)), (second, next(seeds))):
        for name, value in {**steady, "seed": str(seed)}.items():
            lab.locator(f"input[type=number][name={name}]").fill(value)
    first.get_by_role("button", name="Train").click()
    drawn = first.locator("[id$=slot-draws-body]")
    expect(drawn).to_contain_text("drew")
    live.get_by_label("Kernel, row 2, column 2", exact=True).fill("7")
    expect(live.locator("figure[id$=slot-kernel] td").nth(4)).to_have_text("7.00")
    stood = drawn.inner_text()
    expect(drawn).not_to_have_text(stood)
    second.get_by_role("button", name="Train").click()
    expect(second.locator(".status-queued")).to_be_visible()
    aside = first.locator("[data-connection]")
    expect(aside).to_contain_text("Click here to follow this one.")
    page.wait_for_function(f"() => {OPEN} === 1")
    stood = drawn.inner_text()
    first.locator("figcaption").first.click()
    expect(aside).to_have_text("")
    expect(drawn).not_to_have_text(stood)
    for lab in (first, second):
        lab.get_by_role("button", name="Cancel").click()
        expect(lab.locator("[data-state]").first).to_have_attribute("data-state", "cancelled")
