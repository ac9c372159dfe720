"""A lecture's Python, run block after block: in a process that nothing else runs in."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterable
from io import FileIO, TextIOWrapper
from pathlib import Path

LIBRARIES = "courses.libraries"


def execute(blocks: Iterable[tuple[int, str]], results: Path, errors: Path) -> None:
    """Run blocks (line and code). `results` gets a line of JSON for each that came to its end: what
    it printed, and its fault or "". `errors` gets what was written to standard error."""
    importlib.import_module(LIBRARIES)  # where nothing was loaded before the fork
    warnings.simplefilter("ignore")
    with (
        tempfile.TemporaryFile(buffering=0) as out,
        errors.open("wb", buffering=0) as told,
        results.open("w", buffering=1, encoding="utf-8") as said,
    ):
        os.dup2(told.fileno(), 2)
        os.dup2(out.fileno(), 1)  # so is what a process prints that a block starts
        sys.stdout = TextIOWrapper(FileIO(1, "w", closefd=False), "utf-8", write_through=True)
        names: dict[str, object] = {"__name__": "lecture"}
        for line, code in blocks:
            out.truncate(0)
            out.seek(0)
            fault = ""
            try:
                exec(compile(code, f"block at line {line}", "exec"), names)  # noqa: S102
            except BaseException:
                fault = traceback.format_exc().strip().splitlines()[-1]
            out.seek(0)
            said.write(json.dumps([out.read().decode(errors="replace"), fault]) + "\n")
