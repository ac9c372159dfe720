"""What labs.asgi answers itself, asked as uvicorn asks: by ASGI, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from labs.asgi import App, Views
from labs.static import Files
from tools.processes import ROOT


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

    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())
    head, *rest = sent
    said = {k.decode().lower(): v.decode() for k, v in head["headers"]}
    return Answer(head["status"], said, b"".join(part.get("body", b"") for part in rest))


def test_head_says_how_long_the_content_is_and_sends_none() -> None:
    views = Views()
    got, head = ask(views, "/healthz"), ask(views, "/healthz", "HEAD")
    assert (got.status, got.body) == (200, b"ok\n")
    assert (head.status, head.headers, head.body) == (200, got.headers, b"")
    assert head.headers["content-length"] == "3"


# --- static files


@pytest.fixture(scope="module")
def files() -> Files:
    return Files()


def test_a_static_file_is_sent_whole_and_not_again_where_it_is_known(files: Files) -> None:
    there = (ROOT / "static/js/told.js").read_bytes()
    got = ask(files, "/static/js/told.js")
    assert (got.status, got.body) == (200, there)
    assert got.headers["content-length"] == str(len(there))
    assert got.headers["content-type"].startswith("text/javascript")
    assert got.headers["x-content-type-options"] == "nosniff"
    known = ask(files, "/static/js/told.js", if_none_match=got.headers["etag"])
    assert (known.status, known.body) == (304, b"")


def test_a_part_of_a_static_file_is_sent(files: Files) -> None:
    part = ask(files, "/static/js/told.js", range="bytes=3-9")
    assert (part.status, part.body) == (206, (ROOT / "static/js/told.js").read_bytes()[3:10])


def test_head_says_what_a_static_file_is_and_sends_none(files: Files) -> None:
    got, head = (ask(files, "/static/js/told.js", method) for method in ("GET", "HEAD"))
    assert (head.status, head.headers, head.body) == (200, got.headers, b"")


@pytest.mark.parametrize(
    "path",
    ["/static/nothing.js", "/static/", "/static/../manage.py", "/static/js/", "/static/\x00"],
)
def test_what_is_no_static_file_is_a_plain_404(files: Files, path: str) -> None:
    answer = ask(files, path)
    assert (answer.status, answer.body) == (404, b"There is no such file.\n")
    assert ask(files, path, "HEAD").body == b""


def test_a_static_file_takes_no_post(files: Files) -> None:
    answer = ask(files, "/static/js/told.js", "POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
