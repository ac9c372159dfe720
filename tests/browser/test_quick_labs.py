"""The quick labs in a browser: they start, stream and end; and a run that fails says so."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Ended
from tests.browser.pages import Lab, pixels, points, slot

pytestmark = pytest.mark.browser


def test_the_student_of_hidden_kernel_finds_the_kernel(page: Page) -> None:
    lab = Lab(page, "hidden-kernel")
    lab.choose("hidden", "sobel")
    lab.choose("optimiser", "adam")
    run = lab.start()
    run.expect("succeeded")
    assert len(points(page)) > 20
    assert points(page, "cosine")[-1][1] > 0.99
    student = slot(page, "student").locator("td").all_inner_texts()
    truth = slot(page, "truth").locator("td").all_inner_texts()
    assert len(student) == len(truth) == 9
    for found, hidden in zip(student, truth, strict=True):
        assert float(found.replace("−", "-")) == pytest.approx(
            float(hidden.replace("−", "-")), abs=0.1
        )
    expect(slot(page, "maps").locator("img").first).to_be_visible()


def test_a_rate_at_which_it_explodes_ends_in_words(page: Page) -> None:
    lab = Lab(page, "hidden-kernel")
    lab.set(lr=10)
    lab.start().expect("succeeded")
    expect(slot(page, "verdict").locator(".note-wrong, .note-warning")).to_be_visible()


def test_the_trained_network_knows_a_cat_and_shows_what_it_looked_at(page: Page) -> None:
    lab = Lab(page, "ask-a-cnn")
    run = lab.start()
    run.expect("succeeded")
    expect(slot(page, "answers").locator("tr")).to_have_count(5)
    expect(slot(page, "answers")).to_contain_text("Egyptian cat")
    for name in ("seen", "occlusion", "lit", "stem", "stage-7", "head"):
        assert pixels(slot(page, name).locator("img").first)
    expect(slot(page, "stem").locator("img")).to_have_count(8)


def test_a_run_that_failed_says_what_to_do_and_nothing_of_the_machine(
    returning: Page, ended: Ended
) -> None:
    page = returning
    page.goto(ended.failed)
    expect(page.locator(".reason")).not_to_be_empty()
    expect(page.get_by_role("link", name="Change one thing and run again")).to_be_visible()
    assert "/etc/passwd" not in page.content()
