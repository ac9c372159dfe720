"""What is printed while something is set up or served, on any terminal, or where there is none."""

from __future__ import annotations

import io
import sys
import threading
import time


def speak_anywhere() -> None:
    """Print "?" for a sign that the terminal's encoding has not, rather than fail."""
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")


class Line:
    """A step's line: rewritten in place on a terminal, printed now and then elsewhere."""

    def __init__(self, title: str) -> None:
        self.title, self.detail, self.began = title, "", time.monotonic()
        self.over = threading.Event()
        self.ticking = threading.Thread(target=self.tick, daemon=True)

    def __enter__(self) -> Line:
        self.ticking.start()
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        self.over.set()
        self.ticking.join()
        self.show("failed" if kind else self.detail, end="\n")

    def tick(self) -> None:
        on_terminal = sys.stdout.isatty()
        while not self.over.wait(0.5 if on_terminal else 15):
            self.show(self.detail, end="" if on_terminal else "\n")

    def show(self, detail: str, end: str) -> None:
        start = "\r\033[K" if sys.stdout.isatty() else ""
        took = time.monotonic() - self.began
        print(f"{start}{self.title} … {took:.0f} s  {detail}".rstrip(), end=end, flush=True)
