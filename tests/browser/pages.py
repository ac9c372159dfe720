"""The site's pages as a learner acts on them, and what can be read off them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

EPOCHS = 3
"""Enough for a training to be seen, and over in a few seconds."""

DRAWN = """image => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL();
}"""
SETTINGS = """() => Object.fromEntries(new FormData(document.getElementById('controls')))"""
LOADED = "image => image.complete && image.naturalWidth > 0"


TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""By then whatever a script does at an event has been drawn."""


def until(page: Page, ready: Callable[[], object], seconds: float = 20) -> None:
    """Until it is so. Meanwhile the page's events and routes are heard."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"it did not come to that within {seconds:g} s"
        page.wait_for_timeout(20)


def slot(page: Page, name: str) -> Locator:
    """The part of the panel where the events of this name are shown."""
    return page.locator(f"#slot-{name}-body")


def settings(page: Page) -> dict[str, Any]:
    """What the controls would send."""
    sent: dict[str, str] = page.evaluate(SETTINGS)
    del sent["csrfmiddlewaretoken"]
    return {name: json.loads(text) if text.startswith("[") else text for name, text in sent.items()}


def pixels(image: Locator) -> str:
    """A picture as it was drawn, whether it came as a data: address or as a file."""
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    drawn: str = image.evaluate(DRAWN)
    return drawn


def draw(pad: Locator, *places: tuple[float, float]) -> None:
    """One stroke of the mouse through these places, as shares of the pad's width and height."""
    pad.scroll_into_view_if_needed()
    box, mouse = pad.bounding_box(), pad.page.mouse
    assert box
    for n, (x, y) in enumerate(places):
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if n == 0:
            mouse.down()
    mouse.up()


def points(page: Page, name: str = "loss", line: int = 0) -> list[list[float]]:
    """The points of a curve, as the page has them now."""
    curve = slot(page, name).locator("live-curves")
    if not curve.count():
        return []
    series = json.loads(curve.get_attribute("data-points") or "{}")["series"]
    found: list[list[float]] = series[line]["points"]
    return found


def wait_for_points(page: Page, more_than: int, name: str = "loss") -> list[list[float]]:
    """Until the first line of a curve has more points; gives them."""
    page.wait_for_function(
        """([name, count]) => {
            const curve = document.querySelector(`#slot-${name}-body live-curves`);
            return curve && JSON.parse(curve.dataset.points).series[0].points.length > count;
        }""",
        arg=[name, more_than],
        timeout=60_000,
    )
    return points(page, name)


class Run:
    """A run's panel, on the lab's page or on its own."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.status = page.locator("#status .status")
        self.panel = page.locator("#panel")

    def expect(self, state: str, seconds: float = 90) -> None:
        expect(self.panel).to_have_attribute("data-state", state, timeout=seconds * 1000)
        expect(self.status).to_have_class(re.compile(rf"status-{state}\b"))

    def expect_running(self) -> None:
        expect(self.page.locator("#status .status-running")).to_be_visible(timeout=60_000)

    def cancel(self) -> None:
        self.page.get_by_role("button", name="Cancel").click()

    def facts(self) -> dict[str, str]:
        """The numbers of the result, by their names."""
        rows = slot(self.page, "result").locator("dl > div")
        return {
            row.locator("dt").inner_text(): row.locator("dd").inner_text() for row in rows.all()
        }


class Lab:
    """A lab's page, before and after its start."""

    def __init__(self, page: Page, slug: str) -> None:
        self.page, self.run = page, Run(page)
        page.goto(f"/labs/{slug}/")

    def set(self, **values: Any) -> None:
        """Type numbers into the controls of these names."""
        for name, value in values.items():
            self.page.locator(f"#controls input[type=number][name={name}]").fill(str(value))

    def choose(self, name: str, value: str) -> None:
        self.page.locator(f"#controls input[name={name}][value='{value}']").check()

    def start(self) -> Run:
        self.page.locator("#controls button[type=submit]").click()
        self.page.wait_for_url("**/runs/*/")
        return self.run


class Forge:
    """kernel-forge: a page that answers every change."""

    def __init__(self, page: Page, address: str = "/labs/kernel-forge/") -> None:
        self.page = page
        page.goto(address)
        self.map = slot(page, "map").locator("img").first
        self.applied = slot(page, "kernel").locator("td")
        self.permalink = page.locator("#permalink a")

    def wait_for_map(self) -> str:
        expect(self.map).to_be_visible()
        return pixels(self.map)

    def cell(self, row: int, column: int) -> Locator:
        return self.page.get_by_label(f"Kernel, row {row}, column {column}", exact=True)

    def expect_applied(self, row: int, column: int, value: float, side: int = 3) -> None:
        """The panel shows this number in a cell of the kernel as it was applied."""
        text = f"{value:.2f}".replace("-", "−")
        expect(self.applied.nth((row - 1) * side + column - 1)).to_have_text(text)

    def expect_another_map(self, before: str) -> str:
        """Until the map is another picture; gives it."""
        self.page.wait_for_function(
            f"""before => {{
                const image = document.querySelector('#slot-map-body img');
                return image && ({LOADED})(image) && ({DRAWN})(image) !== before;
            }}""",
            arg=before,
        )
        return pixels(self.map)

    def upload(self, name: str, mime: str, content: bytes) -> None:
        file: Any = {"name": name, "mimeType": mime, "buffer": content}
        self.page.locator("picture-upload input[type=file]").set_input_files(file)
