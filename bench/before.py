"""The site as it was at an earlier commit, to be measured beside this one in the same run.

It runs from its own files, on this checkout's packages, front-end files and datasets.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.stack import Stack
from tools.processes import ROOT

COMMIT = "a984b96"
"""The last commit before the one that made the site sound and fast."""


def checkout() -> Path:
    """A folder with the files of that commit."""
    there = ROOT / "var" / "before" / COMMIT
    if not (there / "manage.py").exists():
        there.mkdir(parents=True, exist_ok=True)
        archive = ["git", "archive", "--format=tar", COMMIT]
        packed = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(there)], input=packed, check=True)
        (there / "static" / "vendor").symlink_to(ROOT / "static" / "vendor")
    return there


def environment() -> dict[str, str]:
    """Python finds that commit's packages first."""
    there = checkout()
    data = os.environ.get("CONVOLAB_DATA") or str(ROOT / "var" / "data")
    return {"PYTHONPATH": f"{there}{os.pathsep}{there / 'platform'}", "CONVOLAB_DATA": data}


@contextmanager
def site(env: Mapping[str, str]) -> Iterator[Stack]:
    """That commit's site, ready."""
    folder = Path(tempfile.mkdtemp(prefix="convolab-before-"))
    made = Stack(folder, {**env, **environment()}, "", root=checkout())
    try:
        made.start()
        made.wait_until_ready()
        time.sleep(8)  # the pools' children load torch
        yield made
    finally:
        made.stop()
