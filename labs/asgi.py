"""Around Django: a few threads for its views, static files beside it, and the event streams.

Django's own ASGI handler gives each request a thread and a database connection of its own, hops
between threads at each middleware, and keeps all of it for as long as a stream is open. Here a
request runs whole in one of a few threads that keep their connection. A view that wishes for a
stream answers at once; its head goes out, and the hub sends the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import IO, Any

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from accounts.limits import counted
from labs.bodies import Gate, Unread
from labs.follower import Wish
from labs.live import hub
from labs.static import Files
from labs.views.address import address_in

THREADS = 8
WRITERS = 6
"""Of the threads, those that may be at what writes. All may wait for a lock: readers go on."""
HEALTH = {"/healthz": 5.0, "/readyz": 5.0}
"""Each is asked of a thread of its own, so that it answers also when all others are at work; and
the seconds after which the answer is no."""
NO_ANSWER = "This part of the site did not answer within 5 seconds."
MANY_STREAMS = (
    "This browser has many pages of runs open. Close one; this one then goes on by itself."
)

CLOSE = (b"connection", b"close")

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Views(ASGIHandler):
    """Django in a pool of threads: the whole of a request in one, middleware and all.

    A thread is taken when the whole body is here, so who sends slowly holds none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="view")
        self.health = {path: ThreadPoolExecutor(1, thread_name_prefix=path) for path in HEALTH}
        self.writers = asyncio.Semaphore(WRITERS)
        self.gate = Gate()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 (never async here)
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.gate.take(counted(address_in(scope)), receive)
        except RequestAborted:
            return
        except Unread as why:
            late = [(b"retry-after", str(why.retry_after).encode())] if why.retry_after else []
            await _refuse(send, why.status, why.sentence, CLOSE, *late)
            return
        try:
            response = await self._answer(scope, body.file)
        except TimeoutError:
            await _refuse(send, 503, NO_ANSWER, (b"retry-after", b"5"))
            return
        finally:
            body.close()
        await self.send_response(response, send)

    async def _answer(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """In one of the views' threads, or in that of a question of health. Raises TimeoutError."""

        async def within(pool: Executor) -> HttpResponseBase:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, self._respond, scope, body)

        if scope["path"] in HEALTH:
            async with asyncio.timeout(HEALTH[scope["path"]]):
                return await within(self.health[scope["path"]])
        if scope["method"] in ("GET", "HEAD"):
            return await within(self.pool)
        async with self.writers:
            return await within(self.pool)

    def _respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """A response that is whole, so that nothing of this thread is needed to send it."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body)
        response = self.get_response(request) if request is not None else refused
        assert response is not None  # create_request gives the one or the other
        whole = _bare(response) if scope["method"] == "HEAD" else _whole(response)
        response.close()  # sends request_finished: this thread's connections are looked after
        return whole


def _whole(response: HttpResponseBase) -> HttpResponseBase:
    """A file that was to be read while it is sent, read (the largest model has 20 MB)."""
    if not response.streaming:
        return response
    content = b"".join(response)
    read = HttpResponse(content, status=response.status_code, headers=dict(response.items()))
    read.cookies = response.cookies
    return read


def _bare(response: HttpResponseBase) -> HttpResponseBase:
    """What HEAD is answered: everything that GET says of the content, and nothing of it."""
    bare = HttpResponse(status=response.status_code, headers=dict(response.items()))
    bare.cookies = response.cookies
    return bare


def site() -> App:
    """Everything that the site answers: streams and views, and below STATIC_URL its files."""
    files, pages = Files(), Streams(Views())

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # before it is accepted: answered 403
            return
        if scope["type"] != "http":
            raise ValueError(f"This site answers HTTP only, not {scope['type']}.")
        static = scope["path"].startswith(settings.STATIC_URL)
        await (files if static else pages)(scope, receive, send)

    return route


class Streams:
    """Wraps Django: where a view left a wish, what it wished for becomes the response's body."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head: dict[str, Any] = {}

        async def hold(message: Message) -> None:
            """Keep the head of a stream back, and drop its stand-in body; send all else."""
            if "convolab.wish" not in scope:
                await send(message)
            elif message["type"] == "http.response.start":
                head.update(message)

        await self.app(scope, receive, hold)
        if not head:
            return
        wish: Wish = scope["convolab.wish"]
        if hub().has_room_for(wish):
            await self._stream(wish, head, receive, send)
        else:
            await _refuse(send, 429, MANY_STREAMS, (b"retry-after", b"5"))

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


async def _refuse(send: Send, status: int, says: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{says}\n".encode()})


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
