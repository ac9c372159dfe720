"""Five hundred guests watch one run: delivery, processor time and losses beside a bare ASGI app."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import redis

from bench.clock import cpu_seconds, p95
from bench.table import Row
from tests.stack import Stack
from tools.processes import free_port

VIEWERS, RATE, SECONDS = 500, 5, 20
SAID = re.compile(rb"\[(\d+) (\d+\.\d+)\]")

GUESTS = """
import json, sys
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import Learner
from labs.lab import every_lab
from labs.models import Run
lab = every_lab()["chatter"]
params = lab.params(seconds={seconds}, rate={rate})
found = []
for _ in range({viewers}):
    learner = Learner.objects.create()
    session = SessionStore()
    session["learner"] = str(learner.pk)
    session.create()
    found.append([session.session_key, str(Run.start(learner, lab, params).pk)])
print(json.dumps(found))
"""


@dataclass
class Seen:
    """What viewers saw: delays in milliseconds, and by viewer the numbers that came."""

    delays: list[float] = field(default_factory=list)
    numbers: dict[int, set[int]] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Events that some viewer did not get (after the first that this viewer got)."""
        total = RATE * SECONDS
        return sum(total - min(n, default=0) - len(n) for n in self.numbers.values())


async def watch(port: int, path: str, cookie: str, who: int, seen: Seen) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={cookie}\r\n\r\n"
    writer.write(head.encode())
    numbers = seen.numbers.setdefault(who, set())
    left = b""
    while chunk := await reader.read(65_536):
        now, text = time.time(), left + chunk
        for found in SAID.finditer(text):
            if int(found[1]) not in numbers:
                numbers.add(int(found[1]))
                seen.delays.append((now - float(found[2])) * 1000)
        left = text[-64:]
        if b"event: done" in text or text.endswith(b"0\r\n\r\n"):
            break
    writer.close()


async def watch_all(
    port: int, pid: int, viewers: list[tuple[str, str]], go: Callable[[], None]
) -> tuple[Seen, float]:
    """Connect everybody, then let the events begin; gives what was seen, and from then on the
    processor seconds of the process that sends."""
    seen = Seen()
    tasks = [
        asyncio.create_task(watch(port, path, cookie, who, seen))
        for who, (path, cookie) in enumerate(viewers)
    ]
    await asyncio.sleep(6)
    before = cpu_seconds(pid)
    await asyncio.to_thread(go)
    await asyncio.wait_for(asyncio.gather(*tasks), SECONDS + 60)
    return seen, cpu_seconds(pid) - before


def watch_ours(site: Stack) -> tuple[Seen, float, int]:
    """The training worker starts only when everybody watches."""
    site.kill("training")
    code = GUESTS.format(seconds=SECONDS, rate=RATE, viewers=VIEWERS)
    guests = json.loads(site.manage("shell", "-v", "0", "-c", code).splitlines()[-1])
    viewers = [(f"/runs/{run}/events/", session) for session, run in guests]
    readers = []

    def go() -> None:
        clients = redis.Redis.from_url(site.redis.url).client_list()
        readers.extend(c for c in clients if c["cmd"] == "xread")
        site.start_one("training")

    seen, used = asyncio.run(watch_all(site.port, site.processes["web"].pid, viewers, go))
    return seen, used, len(readers)


def watch_bare() -> tuple[Seen, float]:
    port = free_port()
    env = os.environ | {"BARE_RATE": str(RATE), "BARE_SECONDS": str(SECONDS)}
    command = [sys.executable, "-m", "uvicorn", "bench.bare:application", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=env)
    time.sleep(2)

    def go() -> None:
        httpx.get(f"http://127.0.0.1:{port}/go")

    seen, used = asyncio.run(watch_all(port, process.pid, [("/", "")] * VIEWERS, go))
    process.terminate()
    process.wait()
    return seen, used


def bench(site: Stack) -> list[Row]:
    bare, bare_cpu = watch_bare()
    ours, cpu, readers = watch_ours(site)
    what = f"{VIEWERS} guests on one run, {RATE} events/s of 3 kB"
    return [
        Row(
            f"{what}: delivery p95",
            f"{p95(ours.delays):.0f} ms",
            f"bare ASGI app: {p95(bare.delays):.0f} ms",
            p95(ours.delays) / p95(bare.delays),
            "≤ 250 ms",
            p95(ours.delays) <= 250,
        ),
        Row(
            f"{what}: processor time of web, once all are connected",
            f"{cpu:.1f} s",
            f"bare ASGI app: {bare_cpu:.1f} s",
            cpu / bare_cpu,
            "≤ 2",
            cpu / bare_cpu <= 2,
        ),
        Row(
            f"{what}: events lost, Redis readers",
            f"{ours.lost}, {readers}",
            f"bare ASGI app: {bare.lost} lost",
            goal="0, 1",
            reached=(ours.lost, readers) == (0, 1),
        ),
    ]
