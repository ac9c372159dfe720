"""A whole site that tests may break: it is mended before the next one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from labs import stream
from tests.faults.ledger import Ledger
from tests.faults.streams.client import Guest
from tests.servers import wait_for
from tests.stack import WORKERS, Stack

CLOCKS = {
    "CONVOLAB_LEASE": "6",
    "CONVOLAB_HEARTBEAT": "1",
    "CONVOLAB_HEARTBEAT_LOST": "5",
    "CONVOLAB_CANCEL_GRACE": "2",
    "CONVOLAB_REAP_EVERY": "1",
    "CONVOLAB_LOOK_EVERY": "1",
    "CONVOLAB_SECONDS_A_DAY": "1000000",
    "CONVOLAB_STARTS_A_MINUTE": "100000",
    "CONVOLAB_STREAMS_A_SESSION": "100000",
    "OMP_NUM_THREADS": "1",
}
"""The engine's waits, shorter than an operator would have them."""

seeds = itertools.count(1)


class Site(Stack):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CLOCKS, "")
        self.ledger = Ledger(self)

    def guest(self) -> Guest:
        return Guest(self.base_url)

    def start_run(self, guest: Guest | None = None, lab: str = "steady", **params: Any) -> str:
        """Start a run that no other test has started (its seed is new); gives its address."""
        if guest is not None:
            return guest.start(lab, seed=next(seeds), **params)
        with self.guest() as somebody:
            return somebody.start(lab, seed=next(seeds), **params)

    @contextmanager
    def held(self) -> Iterator[None]:
        """No steady run ends within the block, however slow the machine: it waits in its last step.

        A worker that is told to stop ends the wait, too.
        """
        sign = self.folder / "held"
        sign.touch()
        try:
            yield
        finally:
            sign.unlink()

    def start_again(self, name: str) -> None:
        """Start a process and wait until it does its work."""
        before = self.log(name).count(" ready.")
        self.start_one(name)
        if name in WORKERS:
            wait_for(f"{name} ready", lambda: self.log(name).count(" ready.") > before, 90)
        elif name == "web":
            self.wait_until_healthy()

    def is_up(self, name: str) -> bool:
        process = self.redis.process if name == "redis" else self.processes[name]
        return process is not None and process.poll() is None

    def mend(self) -> None:
        """Everything runs again and nothing is left to do."""
        for name in ("redis", "web", "interactive", "training", "reaper"):
            if not self.is_up(name):
                self.start_again(name)
        wait_for("an idle site", lambda: not self.ledger.live_jobs(), 60)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis.url)

    def streamed(self, key: str) -> list[dict[str, Any]]:
        """The entries that the live stream of a job still has."""
        found: Any = self.client().xrange(key)
        return [stream.placed(entry_id, fields) for entry_id, fields in found]

    def ring(self, lane: str = "training", times: int = 1, named: str | None = None) -> None:
        """Put bells into a lane's queue, all of one id where it is `named`."""
        from celery import Celery

        with Celery(broker=self.redis.url, set_as_current=False) as app:
            for _ in range(times):
                app.send_task(
                    "workers.tasks.work", [lane], queue=lane, ignore_result=True, task_id=named
                )
