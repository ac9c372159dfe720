"""Lighthouse finds nothing wrong with the accessibility of home, a lecture and a lab."""

from __future__ import annotations

import pytest

from tests import lighthouse
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ["/", "/course/convolution/what-is-a-convolution/", "/labs/kernel-forge/"]


@pytest.mark.parametrize("url", PAGES)
def test_accessibility_is_100(site: Stack, url: str) -> None:
    found = lighthouse.report(f"{site.base_url}{url}", "accessibility")
    assert lighthouse.scores(found) == {"accessibility": 100}, lighthouse.faults(found)
