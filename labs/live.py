"""The live stream: one Redis reader a process, fanned out to every viewer of that process.

A feed is one stream that somebody here follows: it holds the state now, each event rendered once.
A follower has at most one message a name waiting, the newest: who reads slowly skips snapshots,
and never holds more than one panel.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import redis
import redis.asyncio
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from accounts.sessions import still_open
from labs import stream
from labs.feed import Feed, Message, load_feed, look_at
from labs.follower import Follower, Wish
from labs.models import Run

log = logging.getLogger(__name__)
T = TypeVar("T")

BLOCK_MS = 4_000
CHECK_EVERY = 30.0
PING = b"event: ping\n\n"
"""A sign of life that a page's script sees; to an EventSource an event without data is none."""


class Hub:
    """The feeds of this process, its one reader, and the thread that asks the database."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.followers: dict[str, set[Follower]] = {}
        self.wake_key = f"wake:{uuid.uuid4().hex}"
        self.redis = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=10
        )
        self.waking: asyncio.Task[None] | None = None
        self.wake_again = False
        self.open_streams: Counter[str] = Counter()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="live-db")
        duties = (self._read, self._look, self._ping)
        self.tasks = [asyncio.create_task(duty()) for duty in duties]

    async def ask(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function that touches the database, in the one thread that does."""

        def run() -> T:
            close_old_connections()
            return function(*args)

        return await asyncio.get_running_loop().run_in_executor(self.thread, run)

    def has_room_for(self, wish: Wish) -> bool:
        """Whether this session may open one stream more."""
        return self.open_streams[wish.session] < settings.STREAMS_A_SESSION

    async def follow(self, wish: Wish) -> AsyncGenerator[bytes, None]:
        """Messages of a feed, from what is newer than the wish's place on, to the feed's end."""
        feed = self._feed(wish.key, wish.job_id)
        follower = Follower(wish)
        self.followers.setdefault(wish.key, set()).add(follower)
        self.open_streams[wish.session] += 1
        try:
            yield PING
            await asyncio.shield(feed.ready)
            follower.waiting.clear()
            for name, place, message in feed.newer_than(wish.after):
                follower.offer(name, place, message)
            follower.over = feed.over
            self._wake()
            while messages := await follower.next():
                yield messages
            yield wish.finish
        finally:
            self._leave(wish.key, follower)
            self.open_streams[wish.session] -= 1
            self.open_streams += Counter()  # drops what is at zero

    def _feed(self, key: str, job_id: int | None) -> Feed:
        """The feed of a key. The first follower loads it; who comes meanwhile waits for that."""
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = Feed(key, job_id)
            feed.ready = asyncio.create_task(self._load(feed))
        return feed

    async def _load(self, feed: Feed) -> None:
        entries, job = await self.ask(load_feed, feed.key, feed.job_id)
        feed.fill(entries, job)

    def _leave(self, key: str, follower: Follower) -> None:
        left = self.followers.get(key, set())
        left.discard(follower)
        if not left:
            self.followers.pop(key, None)
            self.feeds.pop(key, None)

    def _wake(self) -> None:
        """End the reader's blocked read, so that it takes up the new feed at once.

        Nobody waits for it, and one call at a time serves all who came meanwhile.
        """
        self.wake_again = True
        if self.waking is None or self.waking.done():
            self.waking = asyncio.create_task(self._ring_the_reader())

    async def _ring_the_reader(self) -> None:
        while self.wake_again:
            self.wake_again = False
            with contextlib.suppress(redis.RedisError):
                await self.redis.xadd(self.wake_key, {"w": "1"}, maxlen=1, approximate=False)
                await self.redis.expire(self.wake_key, 60)

    # --- the one reader

    async def _read(self) -> None:
        woken = "0"
        while True:
            keys = {self.wake_key: woken} | {
                key: feed.last_id for key, feed in self.feeds.items() if feed.is_filled
            }
            try:
                found = await self.redis.xread(keys, block=BLOCK_MS, count=500)  # type: ignore[arg-type]
            except redis.RedisError as error:
                log.warning("the live streams cannot be read: %s", error)
                await asyncio.sleep(1)
                continue
            for raw_key, entries in _pairs(found):
                key = raw_key.decode()
                if key == self.wake_key:
                    woken = entries[-1][0].decode()
                elif (feed := self.feeds.get(key)) is not None:
                    await self._take(feed, entries)

    async def _take(self, feed: Feed, entries: list[Any]) -> None:
        try:
            for entry_id, fields in entries:
                if stream.place_of_id(entry_id.decode()) <= stream.place_of_id(feed.last_id):
                    continue  # a reload had read it already
                feed.last_id = entry_id.decode()
                entry = stream.placed(entry_id, fields)
                if entry["kind"] in ("attempt", "closed"):
                    await self._reload(feed)
                else:
                    self._send(feed, feed.take(entry))
        except Exception:
            log.exception("an event of %s could not be shown", feed.key)

    async def _reload(self, feed: Feed) -> None:
        """An attempt began or the job ended: the state is made anew, and sent where it differs."""
        last, before = feed.last_id, dict(feed.newest)
        await self._load(feed)
        feed.last_id = max(last, feed.last_id, key=stream.place_of_id)
        self._send(feed, feed.changed_since(before))
        if feed.over:
            for follower in self.followers.get(feed.key, set()):
                follower.end()

    def _send(self, feed: Feed, messages: list[Message]) -> None:
        for follower in self.followers.get(feed.key, set()):
            for name, place, message in messages:
                follower.offer(name, place, message)

    # --- looking after: silence, job states, sessions, viewers that do not read

    async def _ping(self) -> None:
        """A sign of life in silence: a page gives a silent stream up, and so do proxies. To write
        is also how a client shows that is dead."""
        while True:
            await asyncio.sleep(settings.STREAM_SILENT * 3 / 8)
            for group in self.followers.values():
                for follower in group:
                    if not follower.waiting:
                        follower.offer("", (0, 0), PING)

    async def _look(self) -> None:
        checked = time.monotonic()
        while True:
            await asyncio.sleep(settings.LOOK_EVERY)
            try:
                await self._look_at_jobs()
                if time.monotonic() - checked > CHECK_EVERY:
                    checked = time.monotonic()
                    await self._look_at_sessions()
            except DatabaseError as error:
                log.warning("states could not be looked at: %s", error)
            except Exception:
                log.exception("looking after the live streams failed")
            self._drop_stuck()

    async def _look_at_jobs(self) -> None:
        """A close that was lost, a place in the queue that moved: the database knows."""
        jobs = {f.job_id: f for f in self.feeds.values() if f.job_id and f.is_filled}
        for job_id, seen in (await self.ask(look_at, list(jobs))).items():
            feed = jobs[job_id]
            if seen.is_over and not feed.over:
                await self._reload(feed)
            else:
                self._send(feed, feed.show_status(seen))
        everyone = [f for group in self.followers.values() for f in group]
        runs = {f.wish.run_id for f in everyone if f.wish.run_id}
        ended = set(await self.ask(_cancelled, list(runs)))
        for follower in everyone:
            if follower.wish.run_id in ended:
                follower.end()

    async def _look_at_sessions(self) -> None:
        everyone = [f for group in self.followers.values() for f in group if f.wish.session]
        alive = await self.ask(still_open, {f.wish.session for f in everyone})
        for follower in everyone:
            if follower.wish.session not in alive:
                follower.end()

    def _drop_stuck(self) -> None:
        for group in list(self.followers.values()):
            for follower in list(group):
                if follower.is_stuck and follower.task:
                    follower.task.cancel()


def _pairs(found: Any) -> list[tuple[bytes, list[Any]]]:
    """XREAD's answer is a dict or a list of pairs, as the protocol's version has it."""
    return list(found.items()) if isinstance(found, dict) else list(found or [])


def _cancelled(run_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """The runs that their learner has ended, while the job goes on for others."""
    return [
        pk
        for start in range(0, len(run_ids), 500)
        for pk in Run.objects.filter(
            pk__in=run_ids[start : start + 500], cancelled_at__isnull=False
        ).values_list("pk", flat=True)
    ]


_hubs: dict[int, Hub] = {}


def hub() -> Hub:
    """The hub of this process (of this event loop: tests have several)."""
    loop = asyncio.get_running_loop()
    if id(loop) not in _hubs:
        _hubs.clear()
        _hubs[id(loop)] = Hub()
    return _hubs[id(loop)]
