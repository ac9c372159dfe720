"""What requests and the reaper cost as a site grows old: CPU of the same work at ever more runs.

The load stays: as many wait and run, one learner has as many runs of their own. Only what others
have done before grows. Each database is measured by `bench/history.py`, in its own process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.table import Row
from tests.servers import Postgres

HERE = Path(__file__).parent
SIZES = (100, 10_000, 100_000)
FACTOR = 2.0

Times = dict[str, list[float]]


def bench() -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="convolab-growth-"))
    rows = _rows("SQLite", _measured(folder, f"sqlite:///{folder / 'db.sqlite3'}"))
    postgres = Postgres()
    postgres.start()
    try:
        return rows + _rows("PostgreSQL", _measured(folder, postgres.new_database("growth")))
    finally:
        postgres.stop()


def _measured(folder: Path, database_url: str) -> Times:
    """CPU milliseconds of each piece of work, at each of the SIZES."""
    env = os.environ | {"DATABASE_URL": database_url, "CONVOLAB_VAR": str(folder)}
    env |= {"CONVOLAB_FILES": str(folder / "files"), "CONVOLAB_CATALOGUES": "labs.catalog"}
    command = [sys.executable, str(HERE / "history.py"), *map(str, SIZES)]
    said = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, encoding="utf-8", check=True
    ).stdout
    times: Times = json.loads(said.splitlines()[-1])
    return times


def _rows(database: str, times: Times) -> list[Row]:
    return [
        Row(
            f"{database}: {what}, CPU at {', '.join(f'{n:,}' for n in SIZES)} runs",
            " · ".join(f"{ms:.1f}" for ms in found) + " ms",
            ratio=found[-1] / found[0],
            goal=f"≤ {FACTOR:g} × the first",
            reached=found[-1] <= FACTOR * found[0],
        )
        for what, found in times.items()
    ]
