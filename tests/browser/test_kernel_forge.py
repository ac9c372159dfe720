"""kernel-forge in a browser: it answers while a control moves, and the newest change wins."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.pages import TWO_FRAMES, Forge, pixels, settings, slot, until
from tests.conftest import Complaints

pytestmark = pytest.mark.browser


def test_it_shows_a_map_at_once_and_another_when_a_cell_changes(page: Page) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    forge.cell(2, 2).fill("5")
    forge.expect_another_map(first)
    forge.expect_applied(2, 2, 5)
    expect(page.get_by_label("Kernel: preset")).to_have_value("")


def test_the_last_picture_stays_until_the_next_is_there(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    page.evaluate(
        """() => {
            window.blank = window.frames_seen = 0;
            const look = () => {
                const image = document.querySelector('#slot-map-body img');
                window.frames_seen += 1;
                if (!image || !image.naturalWidth) window.blank += 1;
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    for value in (3, 4, 5):
        forge.cell(1, 1).fill(str(value))
        forge.expect_applied(1, 1, value)
    assert page.evaluate("window.frames_seen") > 5
    assert page.evaluate("window.blank") == 0


def test_of_fast_changes_the_newest_wins(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    page.evaluate(
        """() => {
            window.seen = [];
            const note = () => {
                const cell = document.querySelectorAll('#slot-kernel-body td')[4];
                const value = Number(cell?.textContent.replace('−', '-'));
                if (cell && window.seen.at(-1) !== value) window.seen.push(value);
            };
            new MutationObserver(note).observe(
                document.getElementById('slot-kernel-body'),
                { subtree: true, childList: true, characterData: true },
            );
        }"""
    )
    middle = forge.cell(2, 2)
    for tenth in range(1, 41):
        middle.fill(f"{tenth / 10}")
    forge.expect_applied(2, 2, 4)
    expect(forge.permalink).to_be_visible()
    forge.expect_applied(2, 2, 4)
    seen = page.evaluate("window.seen")
    assert seen == sorted(seen), "an older answer was shown after a newer one"
    assert seen[-1] == 4


def test_an_older_answer_that_comes_late_is_not_shown(page: Page) -> None:
    def event(number: int, name: str, text: str) -> str:
        partial = f'<hx-partial hx-target="#slot-{name}-body" hx-swap="innerMorph">{text}'
        return f"id: {number}-1\ndata: {partial}</hx-partial>\n\n"

    def answer(route: Route) -> None:
        page.wait_for_function("() => document.getElementById('controls').live")
        route.fulfill(content_type="text/event-stream", body="".join(events))

    last = 9_000_000_000_000
    events = [event(last, "cell", "newer"), event(last - 1, "cell", "older")]
    events.append(event(last, "size", "and that was all"))
    page.route("**/drafts/*/events/", answer)
    Forge(page)
    expect(slot(page, "size")).to_have_text("and that was all")
    assert slot(page, "cell").inner_text() == "newer"


def test_it_opens_its_stream_also_where_scripts_come_slowly(page: Page) -> None:
    held: list[Route] = []
    page.route("**/htmx.js", lambda route: held.append(route))
    page.goto("/labs/kernel-forge/", wait_until="commit")
    page.wait_for_function("() => document.readyState === 'interactive'")
    page.evaluate("() => new Promise(done => setTimeout(done, 300))")
    held[0].continue_()
    expect(slot(page, "map").locator("img")).to_be_visible()


def test_a_change_that_is_held_up_on_its_way_does_not_win(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(r"/drafts/\w+/$"), hold_the_first)
    forge.cell(2, 2).fill("1")
    page.wait_for_function("() => document.getElementById('controls').live.flying === 1")
    forge.cell(2, 2).fill("7")
    forge.expect_applied(2, 2, 7)
    with page.expect_response(lambda response: response.status == 208):
        held[0].continue_()
    forge.expect_applied(2, 2, 7)


def test_a_new_guests_first_change_goes_alone_for_it_brings_the_session(page: Page) -> None:
    """Two at once, both without a cookie, would be two learners."""
    held: list[Route] = []
    sent: list[str] = []

    def hold_the_first(route: Route) -> None:
        sent.append(route.request.headers.get("cookie", ""))
        if len(sent) == 1:
            held.append(route)
        else:
            route.continue_()

    page.route(re.compile(r"/drafts/\w+/$"), hold_the_first)
    forge = Forge(page)
    forge.cell(2, 2).fill("7")
    page.wait_for_function("() => document.getElementById('controls').live.waiting")
    assert len(sent) == 1 and "sessionid" not in sent[0]
    held[0].continue_()
    forge.expect_applied(2, 2, 7)
    expect(forge.permalink).to_be_visible()


def test_a_preset_fills_the_kernel(page: Page) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    page.get_by_label("Kernel: preset").select_option("Gaussian blur 5×5")
    forge.expect_another_map(first)
    expect(forge.cell(3, 3)).to_have_value(re.compile(r"0\.140"))
    expect(page.get_by_label("Kernel: size")).to_have_value("5")
    expect(forge.applied).to_have_count(25)


def test_a_click_on_the_map_and_the_arrow_keys_choose_the_cell(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    frame = page.locator("[data-cell-picker]").first
    box = frame.bounding_box()
    assert box
    frame.click(position={"x": box["width"] * 50.5 / 126, "y": box["height"] * 20.5 / 83})
    said = slot(page, "cell")
    expect(said).to_contain_text("Cell (20, 50) of the map is")
    expect(said.locator("pre")).to_contain_text("row 3:")
    total = re.search(r"map is (\S+): ", said.inner_text())
    assert total and f"all rows: {total[1]}" in said.inner_text()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        frame.press(key)
    expect(said).to_contain_text("Cell (21, 52) of the map is")
    expect(frame).to_be_focused()


def test_an_arrow_key_moves_the_cell_also_from_past_the_maps_edge(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    page.locator("input[type=number][name=row]").fill("255")
    expect(slot(page, "cell")).to_contain_text("Cell (82, 40) of the map is")
    page.locator("[data-cell-picker]").first.press("ArrowUp")
    expect(slot(page, "cell")).to_contain_text("Cell (81, 40) of the map is")


def test_on_a_runs_page_the_outline_is_the_runs_own_cell_and_nothing_can_be_chosen(
    page: Page,
) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    page.locator("input[type=number][name=row]").fill("12")
    expect(slot(page, "cell")).to_contain_text("Cell (12, 40) of the map is")
    expect(forge.permalink).to_be_visible()
    forge.permalink.click()
    page.wait_for_url("**/runs/*/")
    frame, outline = page.locator("[data-cell-picker]").first, page.locator("[data-picked]").first
    expect(frame).not_to_have_attribute("role", "application")
    expect(frame).not_to_have_css("cursor", "crosshair")
    expect(frame).not_to_have_attribute("tabindex", "0")
    at = "outline => parseFloat(outline.style.top) / 100 * 83"
    assert outline.evaluate(at) == pytest.approx(12, abs=0.01)
    frame.click(position={"x": 9, "y": 9})
    page.locator("input[type=number][name=row]").fill("70")
    page.evaluate(TWO_FRAMES)
    assert outline.evaluate(at) == pytest.approx(12, abs=0.01)
    expect(slot(page, "cell")).to_contain_text("Cell (12, 40) of the map is")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(slot(page, "cell")).to_contain_text("Cell (70, 40) of the map is")
    assert outline.evaluate(at) == pytest.approx(70, abs=0.01)


def test_the_pixels_of_the_window_are_as_grey_as_in_the_picture(page: Page) -> None:
    Forge(page).wait_for_map()
    pixel = slot(page, "window").locator("td").first
    level = math.ceil(int(pixel.inner_text()) / 255 * 10)
    expect(pixel).to_have_class(re.compile(rf"\bs{level}\b"))


def test_after_a_pause_a_link_opens_the_same_settings_and_pictures(page: Page) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    page.get_by_label("Kernel: preset").select_option("Emboss")
    page.get_by_label("Same", exact=True).check()
    forge.expect_another_map(first)
    forge.expect_applied(1, 1, -2)
    expect(slot(page, "map").locator(".picture-label")).to_have_text("map, 1×85×128")
    expect(forge.permalink).to_be_visible()
    shown, chosen = pixels(forge.map), settings(page)
    forge.permalink.click()
    page.wait_for_url("**/runs/*/")
    kept = Forge(page, page.url)
    assert pixels(kept.map) == shown
    assert settings(page) == chosen


def test_while_settings_change_the_old_link_is_away_and_nothing_moves(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    expect(forge.permalink).to_be_visible()
    expect(page.locator("#permalink")).to_contain_text("Only you can open it.")
    held: list[Route] = []
    page.route("**/labs/kernel-forge/run/", lambda route: held.append(route))
    old, height = forge.permalink.get_attribute("href"), page.locator("#permalink").bounding_box()
    page.locator("input[type=number][name=stride]").fill("2")
    expect(forge.permalink).to_be_hidden()
    expect(slot(page, "map").locator(".picture-label")).to_have_text("map, 1×42×63")
    until(page, lambda: held)  # after the pause for which the page waits
    expect(forge.permalink).to_be_hidden()
    held[0].continue_()
    expect(forge.permalink).to_be_visible()
    assert forge.permalink.get_attribute("href") != old
    now = page.locator("#permalink").bounding_box()
    assert height and now and now["height"] == height["height"]


def test_the_room_of_the_link_is_held_before_there_is_one(page: Page) -> None:
    page.route("**/labs/kernel-forge/run/", lambda _: None)  # it is never answered
    forge = Forge(page)
    forge.wait_for_map()
    empty = page.locator("#permalink").bounding_box()
    assert empty and empty["height"] >= 64


def test_a_reload_keeps_the_settings(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    forge.cell(2, 2).fill("7")
    page.get_by_label("Same", exact=True).check()
    forge.expect_applied(2, 2, 7)
    expect(page.locator("#permalink")).not_to_have_class(re.compile("outdated"))
    page.wait_for_url("**/labs/kernel-forge/?from=*")
    before, shown = settings(page), pixels(forge.map)
    page.reload()
    assert settings(page) == before
    forge.expect_applied(2, 2, 7)
    assert forge.wait_for_map() == shown


@pytest.mark.parametrize("clipboard", ["undefined", "{ writeText: () => Promise.reject() }"])
def test_a_link_that_the_browser_does_not_copy_is_there_to_be_copied_by_hand(
    page: Page, clipboard: str
) -> None:
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{ value: {clipboard} }})")
    forge = Forge(page)
    expect(forge.permalink).to_be_visible()
    link = forge.permalink.get_attribute("href")
    page.get_by_role("button", name="Copy the link").click()
    address = page.get_by_label("The address")
    expect(address).to_have_value(re.compile(rf"^http://.*{link}$"))
    expect(address).to_be_focused()
    assert address.evaluate("field => field.readOnly && getSelection().toString() === field.value")


def test_reset_puts_all_back(page: Page) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    before = settings(page)
    forge.cell(1, 3).fill("9")
    page.get_by_label("Flip the kernel", exact=True).check()
    page.locator("input[type=number][name=stride]").fill("2")
    other = forge.expect_another_map(first)
    forge.expect_applied(3, 1, 9)
    page.get_by_role("button", name="Reset").click()
    forge.expect_another_map(other)
    forge.expect_applied(1, 3, 1)
    expect(slot(page, "map").locator(".picture-label")).to_have_text("map, 1×83×126")
    assert settings(page) == before
    assert pixels(forge.map) == first


def test_a_setting_out_of_range_is_said_at_its_control_and_the_map_stays(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 422")
    forge = Forge(page)
    first = forge.wait_for_map()
    forge.cell(2, 2).fill("99")
    error = page.locator("[data-error-for=kernel]")
    expect(error).to_have_text("Each cell must lie between −10 and 10.")
    expect(page.locator("#live-message")).to_contain_text("out of its range")
    assert pixels(forge.map) == first
    forge.cell(2, 2).fill("9")
    expect(error).to_be_hidden()
    forge.expect_applied(2, 2, 9)
