"""My runs: what a learner has started, in the words of the panel, and how to be rid of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.pages import Lab

pytestmark = pytest.mark.browser


def test_a_run_is_deleted_after_a_second_question_and_its_address_is_gone(page: Page) -> None:
    addresses = []
    for seed in (41, 42):
        lab = Lab(page, "hidden-kernel")
        lab.set(steps=20, seed=seed)
        lab.start().expect("succeeded")
        addresses.append(page.url)
    page.goto("/runs/")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first.locator(".state")).to_have_text("Done")
    rows.first.get_by_text("Delete", exact=True).click()
    rows.first.get_by_role("button", name="Delete it and its files").click()
    expect(rows).to_have_count(1)
    gone = page.request.get(addresses[1])
    assert gone.status == 404
    assert page.request.get(addresses[0]).ok
    rows.first.get_by_text("Delete", exact=True).click()
    rows.first.get_by_role("button", name="Delete it and its files").click()
    expect(rows).to_have_count(0)
    page.reload()
    expect(page.locator("main")).to_have_text(re.compile("You have no runs yet"))


def test_a_start_is_told_in_the_readers_zone_and_without_scripts_in_utc(
    new_context: Contexts,
) -> None:
    context = new_context(timezone_id="Asia/Kolkata")
    page = context.new_page()
    Lab(page, "hidden-kernel").start()
    page.goto("/runs/")
    started = page.locator("tbody time")
    expect(started).to_have_text(re.compile(r"\d\d:\d\d GMT\+5:30$"))
    there = started.evaluate("time => new Date(time.dateTime).getUTCMinutes()")
    minutes = int(re.search(r":(\d\d) ", started.inner_text())[1])  # type: ignore[index]
    assert minutes == (there + 30) % 60
    plain = new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = plain.new_page()
    page.goto("/runs/")
    expect(page.locator("tbody time")).to_have_text(re.compile(r"\d\d:\d\d UTC$"))
