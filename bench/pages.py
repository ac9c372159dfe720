"""The course's pages: their time beside an empty view's, their weight, and Lighthouse's scores."""

from __future__ import annotations

import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from bench import before
from bench.table import Row
from tests import lighthouse
from tests.stack import Stack

HERE = Path(__file__).parent
ROOT = HERE.parent
LAB_PAGE = 10.0
PAGES = {
    "home": "/",
    "lecture": "/course/convolution/what-is-a-convolution/",
    "lab": "/labs/kernel-forge/",
}
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 95}
TIMES = {"guest": 1.5, "account": 5.0}
TRIES = 3
STARTS, FIRST_MS = 7, 60


def bench(site: Stack) -> list[Row]:
    site.manage("load_course")
    command = [sys.executable, str(HERE / "inside.py")]
    said = subprocess.run(
        command, env=site.env, capture_output=True, encoding="utf-8", check=True
    ).stdout
    rows = [_first(site)]
    rows += [_time(who, times) for who, times in json.loads(said.splitlines()[-1]).items()]
    return [*rows, *_labs(), *_scores()]


def _labs() -> list[Row]:
    """A lab's page; and the same at the commit before, in this very run."""
    now, then = _processor(ROOT), _processor(before.checkout())
    return [
        Row(
            f"a lab's page, {slug}, processor time",
            f"{took:.1f} ms",
            f"the commit before: {then[slug]:.1f} ms",
            took / then[slug],
            f"≤ {LAB_PAGE:g} ms",
            took <= LAB_PAGE,
        )
        for slug, took in now.items()
    ]


def _processor(checkout: Path) -> dict[str, float]:
    command = [sys.executable, str(HERE / "lab_page.py"), str(checkout)]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def _first(site: Stack) -> Row:
    """The median of some starts, in turns with the commit before."""
    now, then = [], []
    with before.site({}) as earlier:
        earlier.manage("load_course")
        for _ in range(STARTS):
            now.append(_after_a_start(site))
            then.append(_after_a_start(earlier))
    ours, theirs = statistics.median(now), statistics.median(then)
    return Row(
        "the first lecture that anybody opens after a start",
        f"{ours:.0f} ms",
        f"the commit before: {theirs:.0f} ms",
        ours / theirs,
        f"≤ {FIRST_MS} ms",
        ours <= FIRST_MS,
    )


def _after_a_start(site: Stack) -> float:
    """Milliseconds: web is up, and nobody has opened a page yet."""
    site.restart("web")
    began = time.perf_counter()
    assert httpx.get(f"{site.base_url}{PAGES['lecture']}", timeout=60).status_code == 200
    return (time.perf_counter() - began) * 1000


def _time(who: str, times: dict[str, float]) -> Row:
    ratio = times["lecture"] / times["empty"]
    return Row(
        f"a lecture for {'a guest' if who == 'guest' else 'an account'}, in one process",
        f"{times['lecture']:.2f} ms",
        f"empty view, same middleware: {times['empty']:.2f} ms",
        ratio,
        f"≤ {TIMES[who]:g}",
        ratio <= TIMES[who],
    )


def _scores() -> list[Row]:
    """Lighthouse's mobile scores, the median of three, on a site set up as for production."""
    folder = Path(tempfile.mkdtemp(prefix="convolab-bench-"))
    env = {
        "CONVOLAB_PRODUCTION": "1",
        "CONVOLAB_HTTPS": "0",
        "CONVOLAB_HOSTS": "127.0.0.1",
        "CONVOLAB_SECRET_KEY": secrets.token_urlsafe(60),
        "CONVOLAB_STATIC": str(folder / "static"),
    }
    site = Stack(folder / "site", env, "")
    try:
        site.manage("collectstatic", "--noinput", "--verbosity", "0")
        site.start()
        site.manage("load_course")
        site.wait_until_ready()
        return [row for name, url in PAGES.items() for row in _page(name, f"{site.base_url}{url}")]
    finally:
        site.stop()


def _page(name: str, url: str) -> list[Row]:
    httpx.get(url)  # the first visit of a process draws the page
    tries = [lighthouse.scores(lighthouse.report(url, *GOALS)) for _ in range(TRIES)]
    rows = []
    for category, goal in GOALS.items():
        score = sorted(found[category] for found in tries)[TRIES // 2]
        what = f"Lighthouse, mobile: {name}, {category.replace('-', ' ')}"
        rows.append(Row(what, str(score), goal=f"≥ {goal}", reached=score >= goal))
    return rows
