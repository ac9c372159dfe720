"""The course's pages: their time beside an empty view's, their weight, and Lighthouse's scores."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from bench.table import Row
from tests import lighthouse
from tests.stack import Stack

HERE = Path(__file__).parent
PAGES = {
    "home": "/",
    "lecture": "/course/convolution/what-is-a-convolution/",
    "lab": "/labs/kernel-forge/",
}
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 95}
TIMES = {"guest": 1.5, "account": 5.0}
TRIES = 3


def bench(site: Stack) -> list[Row]:
    site.manage("load_course")
    command = [sys.executable, str(HERE / "inside.py")]
    said = subprocess.run(
        command, env=site.env, capture_output=True, encoding="utf-8", check=True
    ).stdout
    rows = [_time(who, times) for who, times in json.loads(said.splitlines()[-1]).items()]
    return [*rows, *_scores()]


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
