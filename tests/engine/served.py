"""The site's own ASGI application in the test's loop, on a real port, with real Redis.

No worker is here: tests write a run's events by hand, so that each moment can be chosen.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeVar

import pytest
import uvicorn
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

from accounts.models import Learner
from labs import live, stream
from labs.models import Job, Run
from tests.engine import cast
from tests.faults.streams.client import Page, watch

T = TypeVar("T")


def note(text: str, name: str = "draws") -> dict[str, Any]:
    plain = {"title": "", "sentence": "", "lines": [], "tone": "plain"}
    return {"kind": "note", "name": name, "text": text, **plain}


@dataclass
class Viewer:
    """A page that follows a stream; `ended` is true once the connection is over."""

    page: Page
    task: asyncio.Task[None]

    @property
    def ended(self) -> bool:
        return self.task.done()

    def shows(self, text: str) -> bool:
        return any(text in html for html in self.page.places.values())

    async def leave(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@dataclass
class Site:
    """The application on a port, its hub, and the two people of these tests."""

    port: int
    server: uvicorn.Server
    viewers: list[Viewer] = field(default_factory=list)

    async def ask(self, function: Callable[..., T], *args: Any, **more: Any) -> T:
        """Use the database in the hub's own thread: on SQLite in memory, two would collide."""
        return await live.hub().ask(lambda: function(*args, **more))

    async def guest(self) -> tuple[Learner, str]:
        """A learner and the cookie of their session."""

        def make() -> tuple[Learner, str]:
            who, session = cast.learner(), SessionStore()
            session["learner"] = str(who.pk)
            session.save()
            return who, f"{settings.SESSION_COOKIE_NAME}={session.session_key}"

        return await self.ask(make)

    async def running(self, who: Learner, seed: int = 0) -> tuple[Run, Job]:
        """A run whose job a worker has claimed and begun."""
        run = await self.ask(cast.start, who, seed=seed)
        job = await self.ask(cast.take)
        assert job is not None
        stream.begin(job)
        return run, job

    def watch(self, run: Run, cookie: str, page: Page | None = None) -> Viewer:
        page = page or Page()
        coming = watch(page, self.port, f"/runs/{run.pk}/events/", cookie)
        self.viewers.append(Viewer(page, asyncio.create_task(coming)))
        return self.viewers[-1]

    async def finish(self, job: Job, tail: list[dict[str, Any]] | None = None) -> None:
        await self.ask(job.succeed, {}, tail or [])


@contextlib.asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Serve until the block ends; then nothing of it is left. The test's database is flushed."""
    options = connections.settings["default"].get("OPTIONS", {})
    if "init_command" in options:  # SQLite in memory: who reads does not wait for who writes
        command = f"{options['init_command']}; PRAGMA read_uncommitted=1"
        monkeypatch.setitem(options, "init_command", command)
    views = ThreadPoolExecutor(1)  # one thread, whose connection can be closed at the end
    monkeypatch.setattr("labs.asgi.ThreadPoolExecutor", lambda *_, **__: views)
    whole = import_module("config.asgi")
    config = uvicorn.Config(
        whole.LimitBody(whole.site()),
        lifespan="off",
        log_config=None,
        timeout_keep_alive=1,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    listening = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    made = Site(listening.getsockname()[1], server)
    yield made
    for viewer in made.viewers:
        await viewer.leave()
    hub = live.hub()
    await until(lambda: not hub.followers)
    server.should_exit = True
    await running
    for task in hub.tasks:
        task.cancel()
    await asyncio.gather(*hub.tasks, return_exceptions=True)
    await hub.redis.aclose()
    for thread in (hub.thread, views):
        thread.submit(connections.close_all).result()
        thread.shutdown()
    live._hubs.clear()


async def until(ready: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not come to that"
        await asyncio.sleep(0.01)


def say(job: Job, seq: int, text: str, name: str = "draws") -> None:
    stream.append(job, seq, note(text, name))
