"""`bench/run [NAME …]`: each prints its table as it is measured, and puts it into the page."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench import clicks, memory, pages, starts, table, training, viewers
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


def main(names: list[str]) -> None:
    for name in names or list(BENCHES):
        print(f"== {name}", flush=True)
        env = {"CONVOLAB_CATALOGUES": "labs.catalog,bench.labs", "CONVOLAB_SECONDS_A_DAY": "100000"}
        site = Stack(Path(tempfile.mkdtemp(prefix="convolab-bench-")), env, "")
        try:
            site.start()
            site.wait_until_ready()
            time.sleep(8)  # the pools' children load torch
            rows = BENCHES[name](site)
        finally:
            site.stop()
        print(table.table(rows), flush=True)
        table.write(name, rows)


main(sys.argv[1:])
