"""first-cnn in a browser: build a network, watch it train, come back to it, let it read a digit."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from math import prod
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Contexts, Ended
from tests.browser.pages import EPOCHS, Lab, Run, draw, points, slot, until, wait_for_points
from tests.conftest import Complaints

pytestmark = pytest.mark.browser


def test_the_block_builder_tells_shapes_and_parameters_while_it_is_edited(page: Page) -> None:
    Lab(page, "first-cnn")
    rows = page.locator("#preview tbody tr")
    expect(rows.first).to_contain_text("16×28×28")
    expect(rows.first).to_contain_text("416")  # (5·5·1 + 1) · 16
    first = page.locator(".block").first
    first.get_by_label("Filters").fill("8")
    expect(rows.first).to_contain_text("8×28×28")
    expect(rows.first).to_contain_text("208")
    page.get_by_role("button", name="Remove block 8, Dropout").click()
    expect(page.locator(".block")).to_have_count(9)
    expect(page.locator("#preview")).not_to_contain_text("dropout")
    page.get_by_label("Kind of block to add").select_option(label="Dense")
    page.get_by_role("button", name="Add block").click()
    expect(rows).to_have_count(12)  # ten blocks, the last dense layer, and all together
    expect(rows.nth(9)).to_contain_text("3,136")  # 48 · 64 + 64


def test_every_part_of_every_block_has_a_name_of_its_own(page: Page) -> None:
    Lab(page, "first-cnn")
    named = page.locator(".block :is(button, input, select)")
    names = named.evaluate_all("parts => parts.map(part => part.getAttribute('aria-label'))")
    assert len(names) == len(set(names)) > 30
    assert "Move block 1, Convolution, down" in names
    assert "Kernel size of block 4, Convolution, in pixels" in names
    page.get_by_role("button", name="Remove block 1, Convolution").click()
    expect(page.get_by_label("Function of block 1, Activation")).to_be_visible()


def test_the_kind_to_be_added_is_explained_and_the_keys_are_told_and_work(page: Page) -> None:
    Lab(page, "first-cnn")
    editor = page.locator("block-editor")
    expect(editor).to_contain_text("Slides its kernels over the maps")
    page.get_by_label("Kind of block to add").select_option(label="Flatten")
    expect(editor).to_contain_text("Lays the maps out as one row of numbers")
    expect(editor).not_to_contain_text("Slides its kernels")
    expect(editor).to_contain_text("Alt with ↑ or ↓ moves it and Alt with Delete removes it.")
    page.get_by_label("Takes of block 3, Pooling").press("Alt+ArrowUp")
    expect(page.get_by_label("Takes of block 2, Pooling")).to_be_visible()
    page.keyboard.press("Alt+Delete")
    expect(page.locator(".block")).to_have_count(9)


def test_the_network_of_a_run_is_previewed_when_it_is_edited_on_its_page(
    returning: Page, ended: Ended
) -> None:
    page = returning
    page.goto(ended.trained)
    expect(page.locator("#preview")).to_contain_text("appear here as you edit")
    page.get_by_label("Filters of block 1, Convolution").fill("8")
    expect(page.locator("#preview tbody tr").first).to_contain_text("8×28×28")
    page.get_by_label("Filters of block 1, Convolution").fill("")
    expect(page.locator("#preview .note-wrong")).to_contain_text(
        "Block 1 (Convolution): Filters must be a whole number from 1 to 256."
    )


def test_the_layer_at_fault_is_named_with_its_arithmetic_and_does_not_start(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 422")
    Lab(page, "first-cnn")
    pooling = page.locator(".block", has_text="Pooling")
    for window in (pooling.nth(0), pooling.nth(1)):
        window.get_by_label("Window").fill("4")
    expect(page.locator("#preview .note-right")).to_be_visible()
    page.get_by_label("Kind of block to add").select_option(label="Convolution")
    page.get_by_role("button", name="Add block").click()
    fault = page.locator("#preview .note-wrong")
    expect(fault).to_contain_text("Layer 11, convolution")
    page.get_by_role("button", name="Train").click()
    error = page.locator("[data-error-for=blocks]")
    expect(error).to_contain_text("Layer 11, convolution")
    expect(page.locator(".block")).to_have_count(11)
    assert page.url.endswith("/labs/first-cnn/")


def test_the_curve_moves_while_it_trains_and_a_reload_loses_nothing(page: Page) -> None:
    lab = Lab(page, "first-cnn")
    lab.set(epochs=12, seed=1)
    run = lab.start()
    run.expect_running()
    first = wait_for_points(page, more_than=1)
    drawn = slot(page, "loss").locator("canvas")
    expect(drawn).to_be_visible()
    before = wait_for_points(page, more_than=len(first))
    assert before[: len(first)] == first
    page.reload(wait_until="domcontentloaded")
    after = points(page)
    assert after[: len(before)] == before
    assert wait_for_points(page, more_than=len(after))[: len(after)] == after
    expect(slot(page, "kernels").locator("img")).to_have_count(16)
    run.cancel()
    run.expect("cancelled", seconds=10)
    assert points(page)[: len(after)] == after, "what was reached stays"


def test_two_tabs_on_one_run_show_the_same_and_again_is_a_replay(
    new_context: Contexts, page: Page
) -> None:
    tabs = new_context()
    left, right = tabs.new_page(), tabs.new_page()
    lab = Lab(left, "first-cnn")
    lab.set(epochs=2, seed=2)
    lab.start()
    right.goto(left.url)
    for tab in (left, right):
        Run(tab).expect("succeeded")
    assert len(points(left)) == len(points(right)) > 10
    for name in ("loss", "accuracy", "confusion", "errors", "result"):
        assert slot(left, name).inner_text() == slot(right, name).inner_text(), name
    assert points(left) == points(right)

    right.goto("/labs/first-cnn/")
    for guest in (right, page):  # the same learner, and another
        again = Lab(guest, "first-cnn")
        again.set(epochs=2, seed=2)
        again.start().expect("replay", seconds=20)
        expect(again.run.status).to_contain_text("Replayed: computed before in")
        assert again.run.facts() == Run(left).facts()
        assert points(guest) == points(left)


def test_a_cancelled_run_says_so_at_once_and_keeps_what_it_reached(page: Page) -> None:
    lab = Lab(page, "first-cnn")
    lab.set(epochs=12, seed=3)
    run = lab.start()
    run.expect_running()
    wait_for_points(page, more_than=1)
    run.cancel()
    run.expect("cancelled", seconds=4)  # 2 s where nobody else needs the machine
    assert len(points(page)) > 1
    expect(page.get_by_role("link", name="Change one thing and run again")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_the_trained_network_reads_a_digit_at_each_stroke(returning: Page, ended: Ended) -> None:
    page = returning
    page.goto(ended.trained)
    pad = page.locator("canvas.pad")
    bars = slot(page, "reading")
    draw(pad, (0.5, 0.2), (0.5, 0.8))
    expect(bars.locator("tr")).to_have_count(10)
    expect(bars.locator(".highlight th")).to_have_text(re.compile(r"1$"))
    first = bars.inner_text()
    draw(pad, (0.2, 0.2), (0.5, 0.2))
    expect(bars).not_to_have_text(first, use_inner_text=True)
    expect(slot(page, "seen").locator("img")).to_have_count(2)
    expect(slot(page, "drawn-maps").locator("img")).to_have_count(9)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("textarea[name=drawing]")).to_have_value("[]")
    expect(bars).to_contain_text("There is no ink yet.")
    expect(slot(page, "seen").locator("img")).to_have_count(0)


def test_a_cell_of_the_confusion_matrix_shows_its_digits(returning: Page, ended: Ended) -> None:
    page = returning
    page.goto(ended.trained)
    answer = slot(page, "cell")
    for digit in (3, 0):
        cell = page.get_by_role("button", name=re.compile(f"^is {digit}, taken for {digit}:"))
        count = int(cell.inner_text())
        cell.click()
        expect(answer).to_contain_text(f"{count} test pictures of {digit} taken for {digit}.")
        expect(answer.locator("img")).to_have_count(min(count, 24))


@pytest.mark.parametrize("seconds", [-60, 40])
def test_a_page_whose_clock_is_wrong_is_answered_all_the_same(
    returning: Page, ended: Ended, seconds: int
) -> None:
    """A cell has the site's clock for its number, a drawing the page's."""
    page = returning
    page.add_init_script(f"Date.now = (now => () => now.call(Date) + {seconds * 1000})(Date.now);")
    page.goto(ended.trained)
    cell, reading = slot(page, "cell"), slot(page, "reading")
    for digit, strokes in ((2, ((0.5, 0.2), (0.5, 0.8))), (6, ((0.2, 0.2), (0.6, 0.2)))):
        page.get_by_role("button", name=re.compile(f"^is {digit}, taken for {digit}:")).click()
        expect(cell).to_contain_text(f"of {digit} taken for {digit}.")
        before = reading.inner_text()
        draw(page.locator("canvas.pad"), *strokes)
        expect(reading.locator("tr")).to_have_count(10)
        expect(reading).not_to_have_text(before, use_inner_text=True)


def test_a_drawing_that_is_overtaken_for_ever_is_sent_twice_and_no_more(
    returning: Page, ended: Ended
) -> None:
    page = returning
    page.goto(ended.trained)
    numbers: list[int] = []

    def overtaken(route: Route) -> None:
        numbers.append(int(parse_qs(route.request.post_data or "")["number"][0]))
        route.fulfill(status=208, headers={"Draft-Number": str(numbers[-1] + 50_000)})

    page.route("**/asks/draw/", overtaken)
    page.locator("canvas.pad").click()
    until(page, lambda: len(numbers) == 2)
    page.wait_for_timeout(500)  # a third would come at once, as the second did
    assert len(numbers) == 2 and numbers[1] == numbers[0] + 50_001


def test_the_model_downloads_whole(returning: Page, ended: Ended, tmp_path: Path) -> None:
    page = returning
    page.goto(ended.trained)
    row = page.locator("tr", has_text="model.safetensors")
    with page.expect_download() as download:
        row.get_by_role("link").click()
    assert download.value.suggested_filename == "first-cnn-model.safetensors"
    download.value.save_as(tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    assert hashlib.sha256(content).hexdigest() == row.locator(".hash").inner_text()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    sizes = [prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__"]
    assert f"{sum(sizes):,}" == Run(page).facts()["parameters"]


def test_change_one_thing_begins_with_the_same_settings(returning: Page, ended: Ended) -> None:
    page = returning
    page.goto(ended.trained)
    page.get_by_role("link", name="Change one thing and run again").click()
    page.wait_for_url("**/labs/first-cnn/?from=*")
    expect(page.locator("input[type=number][name=epochs]")).to_have_value(str(EPOCHS))
