"""Static files, beside Django: one look into a table, and one read.

servestatic makes the table when the site starts, and says what each file is sent with. Its own way
of sending them builds a Django request and takes a thread for each: 1.5 ms of the processor a file
instead of 0.01. In production the proxy sends them (deploy/Caddyfile), and these are what it lacks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from servestatic.middleware import ServeStaticMiddleware

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]

ASKED = ("accept-encoding", "if-modified-since", "if-none-match", "range")
MISSING = b"There is no such file.\n"


class Files:
    """An ASGI application that knows the files below STATIC_URL, and nothing else."""

    def __init__(self) -> None:
        self.table = ServeStaticMiddleware(_never)

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Send) -> None:  # noqa: ARG002
        status, headers, body = self._answer(scope)
        said = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Mapping[str, Any]) -> tuple[int, Headers, bytes]:
        path, asked = scope["path"], {k.decode("latin-1").lower(): v for k, v in scope["headers"]}
        # Where a developer asked for it (DJANGO_DEBUG), each is looked for anew.
        found = self.table.find_file(path) if self.table.autorefresh else self.table.files.get(path)
        environ = {
            f"HTTP_{name.upper().replace('-', '_')}": asked[name].decode("latin-1")
            for name in ASKED
            if name in asked
        }
        try:
            if found is None:
                raise FileNotFoundError(path)
            answer = found.get_response(scope["method"], environ)
        except OSError:
            return _missing(scope["method"])
        headers = [(name, value) for name, value in answer.headers if value is not None]
        if answer.file is None:
            return int(answer.status), headers, b""
        with answer.file as file:
            return int(answer.status), headers, file.read()


def _missing(method: str) -> tuple[int, Headers, bytes]:
    headers = [("Content-Type", "text/plain"), ("X-Content-Type-Options", "nosniff")]
    headers += [("Content-Length", str(len(MISSING)))]
    return HTTPStatus.NOT_FOUND, headers, b"" if method == "HEAD" else MISSING


async def _never(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """servestatic wants to know what comes after it. Nothing does."""
    return HttpResponseNotFound()
