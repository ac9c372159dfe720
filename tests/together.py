"""Loaded by `-p tests.together`: under `--dist loadgroup`, tests of one `xdist_group` run in one
process, and groups begin before single tests.

pytest-xdist writes the group into a test's id, which pytest 9.2 does not let it: there each test
is sent on its own, in silence (pytest-dev/pytest-xdist#1386). Here the groups come beside the ids.
Once that is mended, this module can go.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.early import SCRATCH

GROUPS = SCRATCH / "groups"
"""In the process that starts the others: the group of each test that has one, by the test's id."""


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Sends what is of one scope to one process: a scope is a group, or a single test."""

    groups: dict[str, str] = {}

    def schedule(self) -> None:
        self.groups = json.loads(GROUPS.read_text())
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self.groups.get(nodeid, nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["groups"] = str(GROUPS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.option.dist == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)  # before the others are told that this one has collected
def pytest_collection_finish(session: pytest.Session) -> None:
    """In one of the processes that were started: write down who belongs to whom."""
    told = getattr(session.config, "workerinput", {})
    if told.get("workerid") == "gw0":
        marks = {item.nodeid: item.get_closest_marker("xdist_group") for item in session.items}
        groups = {name: str(mark.args[0]) for name, mark in marks.items() if mark}
        Path(told["groups"]).write_text(json.dumps(groups))
