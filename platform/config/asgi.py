"""The ASGI application that uvicorn serves: Django behind a limit on the size of a body."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

LARGEST_BODY = 7_000_000
LOCKED = 5.0
"""Seconds that a view waits to write where SQLite is locked; then 503."""
BELOW_A_PATH = (
    "This site cannot be served below a path: its addresses begin at the root of a host name. "
    "Start it without --root-path, and give it a host name of its own."
)
TOO_LARGE = "What was sent is larger than 7 MB. A picture may have 6 MB."


class BodyTooLarge(Exception):
    pass


class LimitBody:
    """Answers 413 as soon as a body is known to be too large: Django would first store it whole.

    What Content-Length says is believed only when it condemns; the bytes are counted in any case.
    """

    def __init__(self, app: App, largest: int = LARGEST_BODY) -> None:
        self.app = app
        self.largest = largest

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope.get("root_path"):
            return await refuse(send, 500, BELOW_A_PATH)
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if said.isdigit() and int(said) > self.largest:
            return await refuse(send, 413, TOO_LARGE)
        try:
            return await self.app(scope, self._counting(receive), send)
        except BodyTooLarge:
            return await refuse(send, 413, TOO_LARGE)

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.largest:
                raise BodyTooLarge
            return message

        return counted


async def refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})


if os.environ.get("UVICORN_ROOT_PATH") or any(a.startswith("--root-path") for a in sys.argv):
    sys.exit(BELOW_A_PATH)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
from django.conf import settings  # noqa: E402

import workers.app  # noqa: E402 (sets Django up; and the first Start must not wait for Celery)
from courses.warm import warm  # noqa: E402
from labs.asgi import site  # noqa: E402
from labs.lab import every_lab  # noqa: E402
from labs.version import code_version  # noqa: E402

# A view waits neither for a lock of SQLite's nor for a hung broker, as a worker does.
settings.LOCK_PATIENCE = LOCKED
workers.app.app.conf.broker_transport_options["socket_timeout"] = 2
for lab in every_lab().values():
    code_version(lab)  # of the code that is loaded now, and not first in eight threads at once
warm()

application = LimitBody(site())
