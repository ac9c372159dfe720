"""Sends the event streams that views wish for, outside Django's request.

Django's own streaming keeps the request open: a thread for each viewer, and six layers between an
event and its socket. Here a view answers at once; its head goes out, and the hub sends the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from labs.follower import Wish
from labs.live import hub

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class FewAtOnce(ASGIHandler):
    """Django, with at most AT_ONCE views at work: each has a thread and a database connection.

    A place is taken when the whole body is here, so who sends slowly holds none.
    """

    async def run_get_response(self, request: HttpRequest) -> HttpResponseBase:
        async with hub().places:
            return await super().run_get_response(request)


class Streams:
    """Wraps Django: where a view left a wish, what it wished for becomes the response's body."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head: Message = {}

        async def hold(message: Message) -> None:
            """Keep the head of a stream back, and drop its stand-in body; send all else."""
            if "convolab.wish" not in scope:
                await send(message)
            elif message["type"] == "http.response.start":
                head.update(message)

        await self.app(scope, receive, hold)
        if head:
            wish: Wish = scope["convolab.wish"]
            await self._stream(wish, head, receive, send)

    async def _stream(self, wish: Wish, head: Message, receive: Receive, send: Send) -> None:
        kept = [(k, v) for k, v in head["headers"] if k.lower() != b"content-length"]
        await send({**head, "headers": kept})
        sending = asyncio.ensure_future(self._send_all(wish, send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.cancelled():  # by the hub: nobody reads
                _cut(send)
        finally:
            for task in (sending, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _send_all(self, wish: Wish, send: Send) -> None:
        async with contextlib.aclosing(hub().follow(wish)) as messages:
            async for message in messages:
                await send({"type": "http.response.body", "body": message, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _cut(send: Send) -> None:
    """End the connection with what its client did not read: a mere close waits for that for ever.

    ASGI has no word for it; uvicorn's `send` knows its transport.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()


async def _gone(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue
