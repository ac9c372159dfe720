"""A group of tests stays in one process, whatever pytest and pytest-xdist make of each other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.processes import ROOT

GROUPS = """
import pytest

@pytest.mark.parametrize("n", range(4))
@pytest.mark.parametrize("group", [pytest.param(g, marks=pytest.mark.xdist_group(g)) for g in "ab"])
def test(group, n):
    pass
"""


@pytest.mark.slow
def test_each_group_runs_in_one_process_and_two_in_two(tmp_path: Path) -> None:
    (tmp_path / "test_groups.py").write_text(GROUPS)
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup"]
    command += ["-p", "no:cacheprovider", "-c", "pyproject.toml", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    ran = re.findall(r"\[(gw\d)\].*\[(\w)-\d\]", done.stdout)
    assert done.returncode == 0 and len(ran) == 8, done.stdout + done.stderr
    assert len({worker for worker, _ in ran}) == 2
    assert len(set(ran)) == 2, "a group, a process"
