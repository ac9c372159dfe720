"""Take docs/screenshot.png anew: kernel-forge, on a throwaway site, in Chromium."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from tests.stack import Stack
from tools.processes import ROOT

TO = ROOT / "docs" / "screenshot.png"
SIZE = {"width": 1280, "height": 860}


def main() -> None:
    site = Stack(Path(tempfile.mkdtemp(prefix="convolab-screenshot-")), {}, "")
    try:
        site.start()
        site.wait_until_ready()
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(base_url=site.base_url, viewport=SIZE)  # type: ignore[arg-type]
            page.goto("/labs/kernel-forge/")
            page.locator("#slot-map-body img").first.wait_for()
            page.locator("#permalink a").first.wait_for()
            page.screenshot(path=TO)
            browser.close()
    finally:
        site.stop()
    print(f"{TO.relative_to(ROOT)} is new.")


if __name__ == "__main__":
    main()
