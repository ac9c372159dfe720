"""Lighthouse on a page, as a phone of its own invention sees it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tools.processes import ROOT

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run"
)

TRIES = 3
"""Now and then it asks to be run again: it has missed the beginning of its own trace."""


def report(url: str, *categories: str) -> dict[str, Any]:
    """Lighthouse's report on an address; `categories` such as "accessibility"."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is not here. `make dev` brings it, or says how to get it."
    command = [
        str(ROOT / "node_modules" / ".bin" / "lighthouse"),
        url,
        f"--only-categories={','.join(categories)}",
        f"--chrome-flags={FLAGS}",
        "--throttling-method=provided",
        "--max-wait-for-load=8000",  # a page with a stream is never done
        "--disable-full-page-screenshot",
        "--output=json",
        "--quiet",
        "--no-enable-error-reporting",
    ]
    for _ in range(TRIES):
        done = subprocess.run(
            command,
            env={**os.environ, "CHROME_PATH": chromium},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            cwd=Path("/tmp"),
        )
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def scores(found: dict[str, Any]) -> dict[str, int]:
    """Each category's score, 0 to 100."""
    return {name: round(100 * c["score"]) for name, c in found["categories"].items()}


def faults(found: dict[str, Any]) -> list[str]:
    """The audits that cost points, what they are about, and where."""
    return [
        f"{audit['id']}: {audit['title']} {[_place(item) for item in _items(audit)]}"
        for audit in found["audits"].values()
        if audit.get("score") is not None and audit["score"] < 1
    ]


def _items(audit: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = audit.get("details", {}).get("items", [])
    return found[:8]


def _place(item: dict[str, Any]) -> str:
    return str(item.get("node", {}).get("snippet") or item.get("url") or "")
