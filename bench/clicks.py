"""From a changed kernel to its map: ours beside Gradio's queue, in turns.

Ours has the PNG in the event. Gradio's event has the PNG's address, and is fetched: only then is
there a picture to show. A training is measured in two ways: ours beside both, in its own process;
and each app with the training in its own queue.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from bench.client import Guest, Stream, wait_for
from bench.clock import p50, p95
from bench.table import Row
from tests.stack import Stack
from tools.processes import free_port

ROOT = Path(__file__).parents[1]
ROUNDS, CLICKS = 4, 50
TRAINS, SETTLES = 25.0, 3.0


def fresh_kernel() -> list[list[float]]:
    return [[round(random.uniform(-2, 2), 3) for _ in range(3)] for _ in range(3)]


class Ours:
    def __init__(self, site: Stack) -> None:
        self.guest = Guest(site.base_url)
        page = self.guest.open("kernel-forge")
        self.url = re.findall(r'data-draft-url="([^"]+)"', page)[0]
        self.came, self.number = threading.Event(), 0
        self.guest.post(self.url, number=1)  # the first change makes the session
        Stream(self.guest, f"{self.url}events/", self.see)

    def see(self, place: str, data: str) -> None:
        if "slot-map-body" in data and place.startswith(f"{self.number}-"):
            self.came.set()

    def click(self) -> float:
        self.came.clear()
        self.number = max(self.number + 1, int(time.time() * 1000))
        began = time.perf_counter()
        form = {"number": self.number, "kernel": json.dumps(fresh_kernel()), "size": "256"}
        assert self.guest.post(self.url, **form).status_code == 202
        return (wait_for(self.came) - began) * 1000


class Gradio:
    def __init__(self) -> None:
        port = free_port()
        python = ROOT / "var" / "bench-venv" / "bin" / "python"
        quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
        command = [python, "-m", "bench.gradio_app", str(port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | quiet)
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{port}/gradio_api", timeout=60)
        for _ in range(240):
            try:
                self.web.get("/info")
                break
            except httpx.HTTPError:
                time.sleep(0.25)
        photo = (ROOT / "labs" / "data" / "photos" / "coffee.jpg").read_bytes()
        uploaded = self.web.post("/upload", files={"files": ("coffee.jpg", photo, "image/jpeg")})
        self.picture = {"path": uploaded.json()[0], "meta": {"_type": "gradio.FileData"}}

    def join(self, function: int, *data: object) -> str:
        session = uuid.uuid4().hex[:12]
        body = {"data": data, "fn_index": function, "session_hash": session}
        self.web.post("/queue/join", json=body).raise_for_status()
        return session

    def click(self) -> float:
        began = time.perf_counter()
        session = self.join(0, self.picture, fresh_kernel())
        with self.web.stream("GET", "/queue/data", params={"session_hash": session}) as answer:
            done = next(line for line in answer.iter_lines() if '"process_completed"' in line)
        said = json.loads(done.removeprefix("data: "))
        assert said["success"], done
        picture = self.web.get(said["output"]["data"][0]["url"])
        assert picture.headers["content-type"] == "image/png"
        return (time.perf_counter() - began) * 1000

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        until = time.monotonic() + TRAINS
        self.join(1, TRAINS)
        time.sleep(SETTLES)
        yield
        assert time.monotonic() < until, "the training ended before the clicks did"
        time.sleep(until - time.monotonic() + 1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def our_training(trainer: Guest) -> Iterator[None]:
    run = trainer.start("first-cnn", epochs=50, seed=random.randint(0, 9_999))
    time.sleep(SETTLES)
    yield
    assert "status-running" in trainer.web.get(run).text, "the training ended before the clicks did"
    trainer.cancel(run)
    time.sleep(1)


def each_with_its_training(ours: Ours, gradio: Gradio, trainer: Guest) -> list[list[float]]:
    seen: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        with our_training(trainer):
            seen[0] += block(ours.click)
        with gradio.training():
            seen[1] += block(gradio.click)
    return seen


def block(click: Callable[[], float]) -> list[float]:
    found = []
    for _ in range(CLICKS):
        found.append(click())
        time.sleep(0.02)
    return found


def in_turns(*clicks: Callable[[], float]) -> list[list[float]]:
    """Blocks of clicks, one program after the other and again: both meet the same machine."""
    seen: list[list[float]] = [[] for _ in clicks]
    for click in clicks:
        for _ in range(30):
            click()
    for _ in range(ROUNDS):
        for found, click in zip(seen, clicks, strict=True):
            found += block(click)
    return seen


def bench(site: Stack) -> list[Row]:
    ours, gradio = Ours(site), Gradio()
    try:
        idle = in_turns(ours.click, gradio.click)
        trainer = Guest(site.base_url)
        trainer.open("chatter")
        trainer.open("first-cnn")
        with our_training(trainer):
            beside = in_turns(ours.click, gradio.click)
        own = each_with_its_training(ours, gradio, trainer)
    finally:
        gradio.stop()
    return [
        row("kernel-forge, idle: POST to result", p50, idle, "p50", 1 / 3),
        row("kernel-forge, idle: POST to result", p95, idle, "p95", 1 / 3),
        row("kernel-forge, our training in its process beside both", p95, beside, "p95", 1 / 2),
        row("kernel-forge, each with a training in its own queue", p95, own, "p95", 1 / 2),
    ]


def row(
    what: str, of: Callable[[list[float]], float], seen: list[list[float]], name: str, goal: float
) -> Row:
    mine, theirs = of(seen[0]), of(seen[1])
    return Row(
        what=f"{what}, {name}",
        ours=f"{mine:.0f} ms",
        against=f"Gradio 6.31: {theirs:.0f} ms",
        ratio=mine / theirs,
        goal=f"≤ {goal:.2f}",
        reached=mine / theirs <= goal,
    )
