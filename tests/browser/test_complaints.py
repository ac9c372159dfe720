"""The watch over pages sees what it is there to see."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.pages import until
from tests.conftest import Complaints

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("does", "seen"),
    [
        ("() => console.error('lost')", "lost"),
        ("() => setTimeout(() => { throw new Error('broken') })", "broken"),
        ("() => { new Image().src = 'http://elsewhere.invalid/a.png' }", "another host"),
        ("() => document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
    ],
)
def test_it_sees_what_a_page_must_not_do(
    page: Page, complaints: Complaints, does: str, seen: str
) -> None:
    page.goto("/")
    assert complaints.left() == []
    page.evaluate(does)
    until(page, lambda: any(seen in complaint for complaint in complaints.left()))
    complaints.allow(".")
