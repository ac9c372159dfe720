"""Everything by keys alone, and the focus is always to be seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import Forge, Run, pixels, slot

pytestmark = pytest.mark.browser

MOST_STOPS = 150
FOCUS_IS_SEEN = """() => {
    const focused = document.activeElement;
    if (!focused || focused === document.body) return 'nothing has the focus';
    const near = [focused, focused.nextElementSibling, focused.parentElement];
    const outlined = near.filter(Boolean).some((element) => {
        const style = getComputedStyle(element);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    });
    const box = focused.getBoundingClientRect();
    const across = box.right > 0 && box.left < innerWidth;
    const inside = across && box.bottom > 0 && box.top < innerHeight;
    const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const above = document.elementFromPoint(...middle);
    const covered = above && !(focused.closest('label') ?? focused).contains(above)
        && !above.contains(focused);
    const problem = !outlined ? 'no outline' : !inside ? 'outside' : covered ? 'covered' : '';
    return problem && `${problem}: ${focused.outerHTML.slice(0, 200)}`;
}"""


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus; at each stop the focus is to be seen."""
    expect(target).to_be_visible()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        unseen = page.evaluate(FOCUS_IS_SEEN)
        assert not unseen, f"the focus is not to be seen: {unseen}"
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} was not reached in {MOST_STOPS} stops")


def test_the_first_stop_leads_past_the_header(page: Page) -> None:
    page.goto("/")
    skip = page.get_by_role("link", name="Skip to the content")
    tab_to(page, skip)
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Try a kernel on a picture")).to_be_focused()


def test_a_kernel_is_changed_from_the_home_page_by_keys_alone(page: Page) -> None:
    page.goto("/")
    tab_to(page, page.get_by_role("link", name="Try a kernel on a picture"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/labs/kernel-forge/")
    first = pixels(slot(page, "map").locator("img").first)
    tab_to(page, page.get_by_label("Kernel, row 1, column 1", exact=True))
    page.keyboard.press("Control+ArrowRight")
    expect(page.get_by_label("Kernel, row 1, column 2", exact=True)).to_be_focused()
    page.keyboard.type("7")
    page.wait_for_function(
        "() => document.querySelectorAll('#slot-kernel-body td')[1].textContent === '7.00'"
    )
    assert pixels(slot(page, "map").locator("img").first) != first
    tab_to(page, page.locator("#permalink a"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*/")


def test_the_cell_is_moved_by_arrow_keys(page: Page) -> None:
    Forge(page).wait_for_map()
    tab_to(page, page.locator("[data-cell-picker]").first)
    page.keyboard.press("ArrowRight")
    expect(slot(page, "cell")).to_contain_text("Cell (30, 41) of the map")
    page.keyboard.press("ArrowDown")
    expect(slot(page, "cell")).to_contain_text("Cell (31, 41) of the map")
    assert not page.evaluate(FOCUS_IS_SEEN)


def test_a_training_is_started_and_cancelled_from_the_home_page_by_keys_alone(page: Page) -> None:
    page.goto("/")
    tab_to(page, page.get_by_role("link", name="Labs", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url("**/labs/")
    tab_to(page, page.get_by_role("link", name="First CNN", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url("**/labs/first-cnn/")
    tab_to(page, page.get_by_role("button", name="Move block 2, Activation, up"))
    page.keyboard.press("Enter")
    expect(page.locator(".block-name").first).to_have_text("Activation")
    tab_to(page, page.get_by_role("button", name="Train"))
    page.keyboard.press("Enter")
    run = Run(page)
    run.expect_running()
    tab_to(page, page.get_by_role("button", name="Cancel"))
    page.keyboard.press("Enter")
    run.expect("cancelled", seconds=10)
