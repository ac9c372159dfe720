"""From a changed kernel to its map: ours beside Gradio's queue, in turns.

Ours has the PNG in the event. Gradio's event has the PNG's address, and is fetched: only then is
there a picture to show.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.client import Guest, Stream, wait_for
from bench.clock import p50, p95
from bench.table import Row
from tests.stack import Stack
from tools.processes import free_port

ROOT = Path(__file__).parents[1]
ROUNDS, CLICKS = 4, 50


def fresh_kernel() -> list[list[float]]:
    return [[round(random.uniform(-2, 2), 3) for _ in range(3)] for _ in range(3)]


class Ours:
    def __init__(self, site: Stack) -> None:
        self.guest = Guest(site.base_url)
        page = self.guest.open("kernel-forge")
        self.url = re.findall(r'data-draft-url="([^"]+)"', page)[0]
        self.came, self.number = threading.Event(), 0
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
        env = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            [python, ROOT / "bench" / "gradio_app.py", str(port)], env=env
        )
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

    def click(self) -> float:
        session = uuid.uuid4().hex[:12]
        began = time.perf_counter()
        body = {"data": [self.picture, fresh_kernel()], "fn_index": 0, "session_hash": session}
        self.web.post("/queue/join", json=body).raise_for_status()
        with self.web.stream("GET", "/queue/data", params={"session_hash": session}) as answer:
            done = next(line for line in answer.iter_lines() if '"process_completed"' in line)
        said = json.loads(done.removeprefix("data: "))
        assert said["success"], done
        picture = self.web.get(said["output"]["data"][0]["url"])
        assert picture.headers["content-type"] == "image/png"
        return (time.perf_counter() - began) * 1000

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def in_turns(*clicks: Callable[[], float]) -> list[list[float]]:
    """Blocks of clicks, one program after the other and again: both meet the same machine."""
    seen: list[list[float]] = [[] for _ in clicks]
    for click in clicks:
        for _ in range(30):
            click()
    for _ in range(ROUNDS):
        for found, click in zip(seen, clicks, strict=True):
            for _ in range(CLICKS):
                found.append(click())
                time.sleep(0.02)
    return seen


def bench(site: Stack) -> list[Row]:
    ours, gradio = Ours(site), Gradio()
    try:
        idle = in_turns(ours.click, gradio.click)
        trainer = Guest(site.base_url)
        trainer.open("chatter")
        trainer.open("first-cnn")
        training = trainer.start("first-cnn", epochs=50, seed=random.randint(0, 9_999))
        time.sleep(3)
        beside = in_turns(ours.click, gradio.click)
        trainer.cancel(training)
    finally:
        gradio.stop()
    return [
        row("kernel-forge, idle: POST to result", p50, idle, "p50", 1 / 3),
        row("kernel-forge, idle: POST to result", p95, idle, "p95", 1 / 3),
        row("kernel-forge beside a training", p95, beside, "p95", 1 / 2),
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
