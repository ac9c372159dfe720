"""One misdeed a function."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator

import numpy as np

from labs.context import Context, LabError
from labs.events import Event, Image, Images, Note
from tests.faulty.unruly.lab import Misdeed


def run(params: Misdeed, ctx: Context) -> Iterator[Event | None]:
    yield Note(name="said", text=f"About to {params.way}.")
    yield from globals()[f"do_{params.way}"]()


def do_raise() -> Iterator[Event | None]:
    raise RuntimeError("a secret of the machine: /etc/passwd")
    yield None


def do_refuse() -> Iterator[Event | None]:
    raise LabError("Your picture has no pixels. Choose another.")
    yield None


def do_kill() -> Iterator[Event | None]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield None


def do_segfault() -> Iterator[Event | None]:
    ctypes.string_at(0)
    yield None


def do_sleep() -> Iterator[Event | None]:
    """Yields, and never ends: the time limit must end it."""
    while True:
        time.sleep(0.1)
        yield None


def do_deaf() -> Iterator[Event | None]:
    """Never yields again, and ignores every signal that can be ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(0.1)
    yield None


def do_memory() -> Iterator[Event | None]:
    raise MemoryError
    yield None


def do_flood() -> Iterator[Event | None]:
    noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8)
    for n in range(6):
        yield Images(name="noise", items=(Image(noise, label=str(n)),))
    yield Note(name="said", text="Still here.")
