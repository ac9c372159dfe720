"""`bench/run [NAME …]`: each prints its table as it is measured, and puts it into the page."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import clicks, growth, memory, pages, starts, table, training, viewers
from tests import early  # noqa: F401 (the settings that a throwaway site runs on)
from tests.stack import Stack

BENCHES = {
    "clicks": clicks.bench,
    "starts": starts.bench,
    "training": training.bench,
    "viewers": viewers.bench,
    "memory": memory.bench,
    "pages": pages.bench,
}
WITHOUT_A_SITE = {"growth": growth.bench}


def main(names: list[str]) -> None:
    for name in names or [*BENCHES, *WITHOUT_A_SITE]:
        print(f"== {name}", flush=True)
        rows = WITHOUT_A_SITE[name]() if name in WITHOUT_A_SITE else on_a_site(BENCHES[name])
        print(table.table(rows), flush=True)
        table.write(name, rows)


def on_a_site(bench: Callable[[Stack], list[table.Row]]) -> list[table.Row]:
    env = {"CONVOLAB_CATALOGUES": "labs.catalog,bench.labs", "CONVOLAB_SECONDS_A_DAY": "100000"}
    site = Stack(Path(tempfile.mkdtemp(prefix="convolab-bench-")), env, "")
    try:
        site.start()
        site.wait_until_ready()
        time.sleep(8)  # the pools' children load torch
        return bench(site)
    finally:
        site.stop()


main(sys.argv[1:])
