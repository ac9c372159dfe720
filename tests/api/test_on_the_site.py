"""The API as a program of somebody's uses it, on the whole site with its workers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.stack import Stack


@contextmanager
def program(site: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.base_url, timeout=30, trust_env=False) as client:
        client.get("/api/labs/").raise_for_status()
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        yield client


def follow(client: httpx.Client, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Every event of a run, asked for until it is over."""
    events: list[dict[str, Any]] = []
    after, end = "0-0", time.monotonic() + 60
    while time.monotonic() < end:
        answer = client.get(run["events"], params={"after": after, "limit": 3}).json()
        events += answer["events"]
        after = answer["next"]
        if answer["over"] and not answer["more"]:
            return events
        if not answer["more"]:
            time.sleep(0.1)
    raise TimeoutError(f"{run['id']} is not over: {answer}")


def test_a_program_starts_a_run_follows_it_to_its_end_and_takes_its_file(site: Stack) -> None:
    with program(site) as client:
        asked = {"lab": "steady", "params": {"steps": 4, "pause": 0.3}, "seed": 3}
        run = client.post("/api/runs/", json=asked).json()
        events = follow(client, run)
        steps = [e["done"] for e in events if e["kind"] == "progress"]
        assert steps == [1, 2, 3, 4]
        run = client.get(f"/api/runs/{run['id']}/").json()
        assert run["state"] == "succeeded"
        (file,) = run["files"]
        content = client.get(file["url"]).content
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_a_program_cancels_a_run_that_is_going_on(site: Stack) -> None:
    with program(site) as client:
        asked = {"lab": "steady", "params": {"steps": 500, "pause": 0.3}, "seed": 4}
        run = client.post("/api/runs/", json=asked).json()
        while not client.get(run["events"]).json()["events"]:
            time.sleep(0.1)
        assert client.post(f"/api/runs/{run['id']}/cancel/").json()["state"] == "cancelled"
        assert follow(client, run), "what it had shown stays"


def test_a_large_body_is_refused_before_it_is_read(site: Stack) -> None:
    with program(site) as client:
        answer = client.post("/api/runs/", content=b" " * 300_000 + b"{}", headers=JSON)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"
        assert client.post("/api/runs/", content=b"x" * 7_100_000, headers=JSON).status_code == 413


JSON = {"Content-Type": "application/json"}
