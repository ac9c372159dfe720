"""A viewer of a stream: what was wished for, and what waits to be sent."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass

from labs.state import Place

UNREAD_BYTES = 256_000
UNREAD_SECONDS = 5.0
LAST_SECONDS = 60.0
CLOSE = b"event: done\ndata: done\n\n"


@dataclass(frozen=True)
class Wish:
    """What a view wants sent: a feed, from what is newer than `after` on, and `finish` at its end.

    The stream ends when the session does, and when the run `run_id` is cancelled by its learner.
    """

    key: str
    job_id: int | None
    after: Place | None = None
    session: str = ""
    run_id: uuid.UUID | None = None
    finish: bytes = CLOSE


class Follower:
    """One viewer of one feed: at most one message of each name waits, the newest."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.task = asyncio.current_task()
        self.waiting: dict[str, tuple[Place, bytes]] = {}
        self.over = False
        self.unread = 0
        self.unread_since: float | None = None
        self._idle: asyncio.Future[None] | None = None

    def offer(self, name: str, place: Place, message: bytes) -> None:
        self.waiting.pop(name, None)
        self.waiting[name] = (place, message)
        self.unread += len(message)
        self._wake()

    def end(self) -> None:
        self.over = True
        self._wake()

    def _wake(self) -> None:
        if self.unread_since is None:
            self.unread_since = time.monotonic()
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    async def next(self) -> bytes:
        """What waits, oldest first, as soon as there is something; nothing: the feed is over."""
        if not self.waiting and not self.over:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        ready = b"".join(message for _, message in sorted(self.waiting.values()))
        self.waiting.clear()
        self.unread, self.unread_since = 0, None
        return ready

    @property
    def is_stuck(self) -> bool:
        """Much has waited for long; or the end itself, after which nothing more will come."""
        if self.unread_since is None:
            return False
        late = time.monotonic() - self.unread_since
        return late > (UNREAD_SECONDS if self.unread > UNREAD_BYTES else LAST_SECONDS)
