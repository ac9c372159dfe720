"""Connections that break (faults 18 and 20): nothing is missing, nothing doubled, and it ends."""

from __future__ import annotations

import asyncio
import html
import json
import random
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.site import Site
from tests.faults.streams.client import BreakingProxy, Guest, Page, size, tell, watch

pytestmark = pytest.mark.faults
VIEWERS = 6


class Chart(Page):
    """A page that looks at every state of its curve."""

    def apply(self, message: bytes) -> None:
        before = len(self.steps)
        super().apply(message)
        assert self.steps == list(range(1, len(self.steps) + 1)), "points missing or doubled"
        assert len(self.steps) >= before, "an older state over a newer"

    @property
    def steps(self) -> list[int]:
        return points(self.places.get("slot-count-body", ""))


def points(drawn: str) -> list[int]:
    """The x of every point of the curve that a piece of the page draws."""
    found = re.search(r'data-points="([^"]*)"', drawn)
    if not found:
        return []
    curve: Any = json.loads(html.unescape(found[1]))
    return [int(x) for x, _ in curve["series"][0]["points"]]


def assert_all_end_right(pages: list[Chart], guest: Guest, run: str, steps: int) -> None:
    """Each is told where the finished panel is, and that has every point, once."""
    assert guest.state(run) == "succeeded"
    panel = guest.http.get(f"{run}panel/").text
    assert points(panel) == list(range(1, steps + 1))
    assert "hx-sse:connect" not in panel, "a finished panel opens no stream"
    for page in pages:
        assert page.closed and f'hx-get="{run}panel/"' in page.places["live"]


async def insist(page: Page, port: int, run: str, cookie: str, pause: float) -> list[float]:
    """Connect again and again, as the page does, until the stream says that it is over."""
    gaps, end = [], time.monotonic() + 120
    while not page.closed:
        assert time.monotonic() < end, "the stream did not come to its end"
        began = time.monotonic()
        await watch(page, port, f"{run}events/", cookie)
        gaps.append(time.monotonic() - began)
        await asyncio.sleep(pause)
    return gaps


def test_cut_after_cut_no_point_is_missing_or_doubled(broken: Site) -> None:
    """CI: 60 cuts. The row: 1,000. Six viewers behind the bad network, one beside it."""
    cuts, steps = size(60, 1_000), size(150, 900)

    async def scenario(run: str, cookie: str) -> tuple[Chart, list[Chart], BreakingProxy]:
        proxy = BreakingProxy(broken.port, cuts, seed=cuts)
        direct, pages = Chart(), [Chart() for _ in range(VIEWERS)]
        async with proxy.running() as port:
            await asyncio.gather(
                watch(direct, broken.port, f"{run}events/", cookie),
                *(insist(page, port, run, cookie, 0.02) for page in pages),
            )
        return direct, pages, proxy

    with broken.guest() as guest:
        run = broken.start_run(guest, steps=steps, pause=0.03)
        direct, pages, proxy = asyncio.run(scenario(run, guest.cookie))
        assert_all_end_right([direct, *pages], guest, run, steps)
    tell(f"{proxy.cuts} cuts, {sum(p.messages for p in pages)} messages to {VIEWERS} viewers")
    assert proxy.cuts >= cuts
    assert direct.steps == list(range(1, steps + 1))
    seen = [page for page in pages if page.last_id == direct.last_id]
    assert seen and all(page.places == direct.places for page in seen)


def test_a_restart_of_web_in_mid_stream_is_gone_on_from(broken: Site) -> None:
    """Three times, once by force. The viewers come back to the new process by themselves."""
    steps, pages = 90, [Chart() for _ in range(3)]

    async def scenario(run: str, cookie: str) -> None:
        await asyncio.gather(*(insist(p, broken.port, run, cookie, 0.2) for p in pages))

    with broken.guest() as guest, ThreadPoolExecutor(1) as beside:
        run = broken.start_run(guest, steps=steps, pause=0.1)
        watching = beside.submit(asyncio.run, scenario(run, guest.cookie))
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            time.sleep(0.5)
            broken.restart("web", number)  # here: it ends with the thread that started it
        watching.result()
        assert_all_end_right(pages, guest, run, steps)


def test_who_comes_back_after_the_end_is_told_where_it_is_and_leaves(broken: Site) -> None:
    """Cut off in mid-run, back after the end, at any known place: one connection, no more."""
    with broken.guest() as guest:
        run = broken.start_run(guest, steps=3)
        broken.ledger.ended([run])
        dice = random.Random(20)
        for place in ("", "1-1", f"1-{dice.randint(2, 9)}", "2-0", "9-9"):
            page = Page(last_id=place)
            asyncio.run(watch(page, broken.port, f"{run}events/", guest.cookie))
            assert page.closed and set(page.places) == {"live"}
            assert f'hx-get="{run}panel/"' in page.places["live"]
        panel = guest.http.get(f"{run}panel/").text
        assert "hx-sse:connect" not in panel, "a finished panel opens no stream"
