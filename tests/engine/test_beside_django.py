"""What labs.asgi answers itself, asked as uvicorn asks: by ASGI, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labs.asgi import App, Views


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(app: App, path: str, method: str = "GET", **headers: str) -> Answer:
    sent: list[Mapping[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"testserver")]
        + [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    head, *rest = sent
    said = {k.decode().lower(): v.decode() for k, v in head["headers"]}
    return Answer(head["status"], said, b"".join(part.get("body", b"") for part in rest))


def test_head_says_how_long_the_content_is_and_sends_none() -> None:
    views = Views()
    got, head = ask(views, "/healthz"), ask(views, "/healthz", "HEAD")
    assert (got.status, got.body) == (200, b"ok\n")
    assert (head.status, head.headers, head.body) == (200, got.headers, b"")
    assert head.headers["content-length"] == "3"
