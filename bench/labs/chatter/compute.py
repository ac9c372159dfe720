"""Events that say when they were made: what a benchmark may, and a lab of the course may not."""

import time
from collections.abc import Iterator

from bench.labs.chatter.lab import Chatter
from labs.context import Context
from labs.events import Event, Note

PADDING = "x" * 2_700


def run(params: Chatter, ctx: Context) -> Iterator[Event | None]:
    began = time.monotonic()
    for n in range(params.seconds * params.rate):
        while time.monotonic() < began + n / params.rate:
            time.sleep(0.01)
        yield Note(name="said", text=f"[{n} {time.time():.6f}] {PADDING}")
