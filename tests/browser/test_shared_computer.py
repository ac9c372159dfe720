"""A computer that many use: after sign-out the Back button shows nothing of the account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserType, Page, expect

from tests.accounts.cast import PASSWORD
from tests.browser.pages import Lab
from tests.conftest import Complaints
from tests.stack import Stack

pytestmark = pytest.mark.browser

NAME = "charlotte"


@pytest.fixture
def desk(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    site: Stack,
    complaints: Complaints,
) -> Iterator[Page]:
    """Chromium as people have it: Back shows a page as it was left, from memory, where it may."""
    off = ["--disable-back-forward-cache"]
    browser = browser_type.launch(**browser_type_launch_args, ignore_default_args=off)
    yield complaints.watch(browser.new_context(base_url=site.base_url)).new_page()
    browser.close()


def sign_up(page: Page) -> None:
    page.goto("/sign-up/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator(".account")).to_contain_text(NAME)


def test_after_sign_out_back_shows_nothing_of_the_account(
    desk: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 404")
    sign_up(desk)
    lab = Lab(desk, "steady")
    lab.set(steps=3)
    lab.start().expect("succeeded")
    run = desk.url
    pages = ["/", "/runs/", "/course/convolution/what-is-a-convolution/", "/password/change/"]
    for path in pages:
        desk.goto(path)
        expect(desk.locator(".account")).to_contain_text(NAME)
    desk.get_by_role("button", name="Sign out").click()
    expect(desk.locator(".account")).not_to_contain_text(NAME)
    heading = desk.get_by_role("heading", level=1)
    came_by = set()
    while desk.url != run:
        assert desk.go_back()
        came_by.add(desk.url)
        expect(heading).to_be_visible()
        assert NAME not in desk.content()
    assert len(came_by) > len(pages)
    expect(heading).to_have_text("There is nothing here")
