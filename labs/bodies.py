"""Bodies of requests, taken in before a view's thread is: bounded in time and in bytes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestAborted

from labs.room import ran_out

SECONDS = 60.0
BYTES_UNDER_WAY = 70_000_000
"""Of all bodies that are here and not yet answered, in memory and in the temporary folder. Django's
parser writes a large upload there once more: with six views that write, 112 MB in all."""
BYTES_AN_ADDRESS = 28_000_000
"""Of those from one address: four of the largest, or a class's drawings and small pictures."""

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

TOO_SLOW = "The rest of what was sent did not come within a minute. Send it again."
MANY = "Much is being sent to this site at the moment. Send it again in a few seconds."
MANY_FROM_THERE = (
    "Much is being sent to this site from your address at the moment. Send it again in a few "
    "seconds."
)
NO_ROOM = (
    "There is no room left for what was sent: the disk of this site is full. Tell whoever runs it, "
    "and send it again later."
)


class Unread(Exception):
    """Why a body is not read to its end: a status, a sentence, and when to try again (seconds)."""

    def __init__(self, status: int, sentence: str, retry_after: int = 0) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after


class Body:
    """A body, as far as it is here. Close it when its request is answered: it takes room."""

    def __init__(self, gate: Gate, address: str) -> None:
        self.gate, self.address, self.size = gate, address, 0
        self.file: IO[bytes] = SpooledTemporaryFile(  # noqa: SIM115 (closed by `close`)
            settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        )

    def write(self, more: bytes) -> None:
        """Raises Unread."""
        self.gate.admit(self.address, len(more))
        self.size += len(more)
        try:
            self.file.write(more)
        except OSError as error:
            if ran_out(error):
                raise Unread(503, NO_ROOM, 60) from error
            raise

    def close(self) -> None:
        self.gate.release(self.address, self.size)
        self.size = 0
        self.file.close()


class Gate:
    """What is under way, by address as limits count it. In the event loop's thread alone."""

    def __init__(self) -> None:
        self.under_way: Counter[str] = Counter()

    def admit(self, address: str, size: int) -> None:
        """Raises Unread where that much more does not fit."""
        if not size:
            return
        if address and self.under_way[address] + size > BYTES_AN_ADDRESS:
            raise Unread(503, MANY_FROM_THERE, 5)
        if self.under_way.total() + size > BYTES_UNDER_WAY:
            raise Unread(503, MANY, 5)
        self.under_way[address] += size

    def release(self, address: str, size: int) -> None:
        self.under_way[address] -= size
        if not self.under_way[address]:
            del self.under_way[address]

    async def take(self, address: str, receive: Receive) -> Body:
        """The whole body, on the disk where it is large. Raises RequestAborted and Unread."""
        body = Body(self, address)
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestAborted
                    body.write(message.get("body", b""))
                    if not message.get("more_body"):
                        break
            body.file.seek(0)
        except TimeoutError:
            body.close()
            raise Unread(408, TOO_SLOW) from None
        except BaseException:
            body.close()
            raise
        return body
