"""A catalogue of a test's own, and a Python that knows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.processes import ROOT


def shelf_in(folder: Path) -> Path:
    """An empty package for labs. Its name is its own: modules of two tests must not meet."""
    package = folder / f"shelf_{folder.name.replace('-', '_')}"
    package.mkdir()
    (package / "__init__.py").touch()
    return package


def python(shelf: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(shelf.parent), "CONVOLAB_CATALOGUES": shelf.name}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True
    )


def pytest_on(shelf: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The contract tests on the shelf's labs, and the labs' own tests."""
    contract = "tests/contract/test_labs.py"
    return python(
        shelf, "-m", "pytest", "-q", "--rootdir", str(ROOT), contract, str(shelf), *arguments
    )
