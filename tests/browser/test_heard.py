"""What a screen reader is told: values with units, and what a live panel says, not every frame."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Ended
from tests.browser.pages import Forge, Lab, draw, slot

pytestmark = pytest.mark.browser

LISTEN = """() => {
    window.heard = [];
    const line = document.getElementById('announced');
    new MutationObserver(() => window.heard.push([performance.now(), line.textContent]))
        .observe(line, { childList: true, characterData: true, subtree: true });
}"""


def test_a_slider_says_its_value_with_its_unit(page: Page) -> None:
    Lab(page, "hidden-kernel")
    batch = page.get_by_role("slider", name="Batch, slider")
    expect(batch).to_have_attribute("aria-valuetext", "32 patches")
    batch.press("ArrowRight")
    expect(batch).to_have_attribute("aria-valuetext", "33 patches")
    page.locator("input[type=number][name=batch]").fill("40")
    expect(batch).to_have_attribute("aria-valuetext", "40 patches")


def test_a_log_slider_says_its_value_and_not_its_position(page: Page) -> None:
    Lab(page, "hidden-kernel")
    rate, field = page.get_by_role("slider", name="Learning rate, slider"), "input[name=lr]"
    expect(rate).to_have_attribute("aria-valuetext", "0.1")
    rate.press("ArrowRight")
    moved = page.locator(field).input_value()
    assert moved != "0.1"
    expect(rate).to_have_attribute("aria-valuetext", moved)
    page.get_by_role("button", name="Reset").click()
    expect(rate).to_have_attribute("aria-valuetext", "0.1")


def test_of_many_changes_at_most_one_a_second_is_heard_and_the_last_is(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    line = page.locator("#announced")
    expect(line).to_contain_text("The map has 83×126 cells")
    page.evaluate(LISTEN)
    for tenth in range(1, 31):
        forge.cell(2, 2).fill(f"{tenth / 10}")
        page.wait_for_timeout(50)  # the pace of a hand: most changes come before an answer
    forge.expect_applied(2, 2, 3)
    expect(line).to_have_text(slot(page, "map").locator(".sentence").inner_text())
    heard = page.evaluate("window.heard")
    assert len(heard) >= 2
    assert all(later - sooner > 900 for (sooner, _), (later, _) in itertools.pairwise(heard))
    expect(line).to_have_text(slot(page, "map").locator(".sentence").inner_text())


def test_the_cell_that_arrow_keys_choose_is_heard(page: Page) -> None:
    Forge(page).wait_for_map()
    page.locator("[data-cell-picker]").first.press("ArrowRight")
    expect(page.locator("#announced")).to_contain_text("Cell (30, 41)")


def test_the_reading_of_a_drawing_and_a_cell_are_heard(returning: Page, ended: Ended) -> None:
    page = returning
    page.goto(ended.trained)
    draw(page.locator("canvas.pad"), (0.5, 0.2), (0.5, 0.8))
    expect(page.locator("#announced")).to_contain_text("It reads")
    page.get_by_role("button", name="is 4, taken for 4:").click()
    expect(page.locator("#announced")).to_contain_text("test pictures of 4 taken for 4.")
