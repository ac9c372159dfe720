"""What nobody has checked yet is rendered apart from the site, in a process with limits.

A text of an author may take any time and memory to render: by mistake, or because a parser of ours
has a weak spot. Python has no way to stop a thread, so a child of a process of its own does it
(courses.sandboxed), with SECONDS and MEMORY at most; it says which line it is at.

That process starts with the first draft, forks for each, and ends after IDLE seconds without one,
and with the site, however that ends.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SECONDS = 5
MEMORY = 256_000_000
IDLE = 120
AT_ONCE = 2
"""More would take all threads of the site, and more memory than its container has."""
PATIENCE = 2.0
START_SECONDS = 30.0
MOST_BYTES = 5_000_000
"""Of an answer: forty times the page of the longest lecture."""
BROKEN = b"broken"
"""What a child says when it fails in a way that nobody foresaw."""
PASSED_ON = {"PATH", "LANG", "LC_ALL", "CONVOLAB_CATALOGUES", "CONVOLAB_TEST_STACK"}
PASSED_ON |= {"CONVOLAB_DATA"}  # which datasets are here: a lab of a lecture may name one


class NotRenderedError(Exception):
    """Why there is no answer, and the line that was being rendered; 0 where none was."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


class GoneError(Exception):
    """The process that forks was not there any more."""


class Sandbox:
    """The process, started when it is needed, with its limits for each text. Safe among threads."""

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.seconds, self.memory = seconds, memory
        self.lock = threading.Lock()
        self.places = threading.BoundedSemaphore(AT_ONCE)
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What courses.draft makes of a request. Raises NotRenderedError."""
        if not self.places.acquire(timeout=PATIENCE):
            raise NotRenderedError("The site is rendering other texts; try again in a moment")
        try:
            with suppress(GoneError):
                return self._asked(request)
            return self._asked(request)  # it was idle for long, and ended meanwhile
        except (GoneError, OSError):
            raise NotRenderedError("The text cannot be rendered now; try again") from None
        finally:
            self.places.release()

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = time.monotonic()
        with self._child() as child:
            child.settimeout(START_SECONDS)
            with suppress(OSError):  # it may be gone already
                child.sendall(json.dumps(request).encode())
                child.shutdown(socket.SHUT_WR)
            return self._answer(child, asked)

    @contextmanager
    def _child(self) -> Iterator[socket.socket]:
        """A connection to a new child, closed in the end. Raises OSError."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, self.lock:
                try:
                    socket.send_fds(self._running(), [b"."], [theirs.fileno()])
                except OSError:  # it has just ended
                    self._end()
                    socket.send_fds(self._running(), [b"."], [theirs.fileno()])
            yield ours

    def _running(self) -> socket.socket:
        if self.process is None or self.control is None or self.process.poll() is not None:
            self._end()
            self.control, theirs = socket.socketpair()
            limits = self.seconds, self.memory
            with theirs:
                self.process = subprocess.Popen(  # noqa: S603 (our own interpreter)
                    [sys.executable, "-m", "courses.sandboxed", *map(str, limits)],
                    cwd=ROOT,
                    env=_environment(),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                )
        return self.control

    def _end(self) -> None:
        """It ends itself when nobody is there any more to ask it."""
        if self.control is not None:
            self.control.close()
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
        self.process = self.control = None

    def _answer(self, child: socket.socket, asked: float) -> dict[str, Any]:
        """Lines with a number say where the child is, the last is the answer in JSON."""
        said = _read(child, self.seconds)
        *lines, last = said.rstrip(b"\n").split(b"\n")
        if last.startswith(b"{") and said.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(last)
            return answer
        at = next((int(line) for line in (last, *reversed(lines)) if line.isdigit()), 0)
        if len(said) > MOST_BYTES:
            most = MOST_BYTES // 1_000_000
            raise NotRenderedError(f"The page that this text makes has more than {most} MB", at)
        if last == BROKEN:
            raise NotRenderedError("This text cannot be rendered; the site's log says why", at)
        if time.monotonic() - asked >= self.seconds:
            says = f"This text takes more than {self.seconds:g} seconds to render"
            raise NotRenderedError(says, at)
        most = self.memory // 1_000_000
        raise NotRenderedError(f"This text takes more than {most} MB of memory to render", at)

    def close(self) -> None:
        with self.lock:
            self._end()


def _environment() -> dict[str, str]:
    """Without what is secret: it renders, and neither the database nor Redis is its business."""
    given = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    return given | {
        "CONVOLAB_SECRET_KEY": secrets.token_urlsafe(60),
        "DATABASE_URL": "sqlite:///:memory:",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUTF8": "1",
    }


def _read(child: socket.socket, seconds: float) -> bytes:
    """All that a child says. Raises GoneError where that is nothing.

    It ends itself in time; a second more is waited for that.
    """
    try:
        said = bytearray(child.recv(65_536))
    except ConnectionError:
        said = bytearray()
    if not said:
        raise GoneError
    began = time.monotonic()
    more = b"."
    while more and len(said) <= MOST_BYTES:
        left = began + seconds + 1 - time.monotonic()
        child.settimeout(max(0.001, left))
        try:
            more = child.recv(65_536)
        except OSError:
            more = b""
        said += more
    return bytes(said)


SANDBOX = Sandbox()
atexit.register(SANDBOX.close)
