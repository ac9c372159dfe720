"""A guest, a viewer of an event stream, and a network that breaks, for tests on a real site."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import random
import re
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

FULL = os.environ.get("CONVOLAB_FULL") == "1"
PARTIAL = re.compile(r'<hx-partial hx-target="#([^"]+)" hx-swap="\w+">(.*)</hx-partial>', re.S)


def size(ci: int, full: int) -> int:
    """How many: as CI can bear it, or as the row of the faults asks (CONVOLAB_FULL=1)."""
    return full if FULL else ci


def tell(seen: str) -> None:
    """Print what was measured: `pytest -s` and the report of a failure show it."""
    sys.stdout.write(seen + "\n")


class Guest:
    """A guest of the site, by HTTP, with a session of its own."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)
        self.http.get("/labs/kernel-forge/").raise_for_status()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def token(self) -> str:
        return str(self.http.cookies["csrftoken"])

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        headers = {"X-CSRFToken": self.token, **more.pop("headers", {})}
        return self.http.post(path, data=data, headers=headers, **more)

    def start(self, lab: str, **params: Any) -> str:
        """Start a run; gives its address."""
        answer = self.post(f"/labs/{lab}/run/", params)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["Location"])

    def state(self, run: str) -> str:
        found = re.search(r'data-state="(\w+)"', self.http.get(f"{run}panel/").text)
        assert found
        return found[1]


@dataclass
class Page:
    """What a page shows, place by place, after the messages that have come."""

    places: dict[str, str] = field(default_factory=dict)
    last_id: str = ""
    closed: bool = False
    messages: int = 0

    def apply(self, message: bytes) -> None:
        lines = [line.partition(": ")[::2] for line in message.decode().splitlines()]
        data = "\n".join(value for name, value in lines if name == "data")
        for name, value in lines:
            if name == "id":
                self.last_id = value
            elif name == "event":
                self.closed |= value == "done"
        found = PARTIAL.fullmatch(data)
        if found:
            self.messages += 1
            self.places[found[1]] = found[2]

    @property
    def slots(self) -> dict[str, str]:
        return {name: html for name, html in self.places.items() if name.startswith("slot-")}


def request(path: str, cookie: str, last_id: str = "") -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: {cookie}"]
    lines += ["Accept: text/event-stream"] + ([f"Last-Event-ID: {last_id}"] if last_id else [])
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def watch(page: Page, port: int, path: str, cookie: str) -> None:
    """Follow a stream once, from where the page is, until it ends or breaks."""
    async for message in messages(port, path, cookie, page.last_id):
        page.apply(message)


async def messages(
    port: int, path: str, cookie: str, last_id: str = ""
) -> AsyncGenerator[bytes, None]:
    """Whole messages (comments too) of one connection, to its end. Ends where the network does."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    except OSError:
        return
    try:
        writer.write(request(path, cookie, last_id))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split()[1])
        assert status == 200 or status in (502, 503), head
        buffer = b""
        async for chunk in chunks(reader, head):
            *whole, buffer = (buffer + chunk).split(b"\n\n")
            for message in whole if status == 200 else ():
                yield message
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def chunks(reader: asyncio.StreamReader, head: bytes) -> AsyncIterator[bytes]:
    """The body of an answer, chunked or of a known length."""
    known = re.search(rb"content-length: (\d+)", head)
    if known:
        yield await reader.readexactly(int(known[1]))
        return
    while length := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(length)
        await reader.readexactly(2)


class BreakingProxy:
    """A TCP proxy that cuts each connection after a random number of bytes to the client.

    After `cuts` cuts it is a good network.
    """

    def __init__(self, port: int, cuts: int, seed: int) -> None:
        self.target, self.left, self.dice = port, cuts, random.Random(seed)
        self.cuts = 0
        self.swallowed = 0
        self.open: set[asyncio.Task[Any] | None] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            yield int(server.sockets[0].getsockname()[1])
        await asyncio.gather(*filter(None, self.open), return_exceptions=True)
        await asyncio.sleep(0.1)  # for the sockets to close

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        left = int(self.dice.expovariate(1 / 6_000)) if self.left > 0 else None
        up = asyncio.create_task(self._pump(reader, back_writer, None))
        self.open.add(task := asyncio.current_task())
        try:
            if await self._pump(back_reader, writer, left):
                self.cuts, self.left = self.cuts + 1, self.left - 1
        finally:
            self.open.discard(task)
            up.cancel()
            for side in (writer, back_writer):
                side.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
    ) -> bool:
        """True where it stopped because enough had passed."""
        swallowed = self.swallowed
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                if swallowed != self.swallowed:
                    continue
                writer.write(data if left is None else data[:left])
                await writer.drain()
                if left is not None and (left := left - len(data)) <= 0:
                    return True
            writer.write_eof()
            await asyncio.sleep(0.05)
        return False


class SwitchedProxy(BreakingProxy):
    """A network that is there or away, for a browser: it runs in a thread of its own."""

    def __init__(self, port: int) -> None:
        super().__init__(port, cuts=0, seed=0)
        self.here, self.loop = True, asyncio.new_event_loop()
        self.port: concurrent.futures.Future[int] = concurrent.futures.Future()
        self.done = asyncio.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with self.running() as port:
            self.port.set_result(port)
            await self.done.wait()
            self._cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.here:
            await super()._connected(reader, writer)
        else:
            writer.transport.abort()

    def _cut(self) -> None:
        for task in filter(None, self.open):
            task.cancel()

    def go_away(self) -> None:
        self.here = False
        self.loop.call_soon_threadsafe(self._cut)

    def swallow(self) -> None:
        """Of all connections that are open now nothing comes through any more, and none is cut."""
        self.swallowed += 1

    def come_back(self) -> None:
        self.here = True

    def __enter__(self) -> SwitchedProxy:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join()
        self.loop.close()


def open_files(pid: int, part: str = "") -> int:
    """How many file descriptors a process has whose target contains `part`."""
    return sum(part in target for target in _targets(pid))


def _targets(pid: int) -> Iterator[str]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            yield str(link.readlink())


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
