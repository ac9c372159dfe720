"""Loaded by `-p tests.early`, before pytest-django reads the settings: what the tests run on.

A Redis of their own (tests/conftest.py starts it at this address), files in a folder that goes
away, and, with CONVOLAB_TEST_DATABASE=postgres, a throwaway PostgreSQL: then only the tests that
touch the database run. Most are rolled back there too. Those with the fixture `commits`, or
of django_db(transaction=True), commit for real: the lease's thread and the streams have connections
of their own, which see nothing of a test's open transaction. Emptying 30 tables after each costs.

Here too: in what order the tests run, which stay in one process, and how many examples they try.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import Postgres
from tools.processes import ROOT, free_port

SCRATCH = Path(tempfile.mkdtemp(prefix="convolab-tests-"))
REDIS_PORT = free_port()
ON_POSTGRES = os.environ.get("CONVOLAB_TEST_DATABASE") == "postgres"

atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
os.environ.update(
    CONVOLAB_CATALOGUES=os.environ.get("CONVOLAB_CATALOGUES") or "labs.catalog,tests.faulty",
    CONVOLAB_DATA=os.environ.get("CONVOLAB_DATA") or str(ROOT / "var" / "data"),
    CONVOLAB_FILES=str(SCRATCH / "files"),
    CONVOLAB_SECRET_KEY="of the tests, and of nothing else: 0123456789",
    CONVOLAB_VAR=str(SCRATCH),
    REDIS_URL=f"redis://127.0.0.1:{REDIS_PORT}/0",
)
if "PYTEST_XDIST_WORKER" in os.environ:  # others compute beside this one: no threads that spin
    os.environ["OMP_NUM_THREADS"] = "1"
if ON_POSTGRES:
    postgres = Postgres()
    postgres.start()
    atexit.register(postgres.stop)
    os.environ["DATABASE_URL"] = postgres.url("convolab")
else:
    os.environ["DATABASE_URL"] = ""  # SQLite, in CONVOLAB_VAR


FULL = os.environ.get("CONVOLAB_FULL") == "1"
"""`make faults`: every property and every fault at its full size."""
# In CI always the same examples: a new one is looked for where nobody waits for the answer.
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("full", max_examples=3_000, deadline=None, print_blob=True)
settings.load_profile("full" if FULL else "ci")

TERMINAL = os.dup(2)  # before pytest captures it
HANGS = 300
"""Seconds after which a test is taken to hang: the run ends and shows where every thread is."""
LONG = {"slow", "compose"}
"""Tests that may take longer than that on a slow machine."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if not FULL and not LONG & set(item.keywords):
        faulthandler.dump_traceback_later(HANGS, exit=True, file=TERMINAL)
    yield
    faulthandler.cancel_dump_traceback_later()


def touches_the_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "admin_client", "admin_user"}
    return "django_db" in item.keywords or bool(fixtures & set(getattr(item, "fixturenames", ())))


LONG_FIRST = {"slow", "faults", "hypothesis", "stack", "serve"}
"""Marks and fixtures of tests that take seconds: they begin first, so that what ends is short."""
ONCE = ("broken", "shaken", "served", "ended", "course", "site")
"""Fixtures for a whole session that one process has for all: each takes more than it would save.
A test that has two goes with the first. `site` is not once for the browser tests, which all use it.
"""


def is_long(item: pytest.Item) -> bool:
    return bool(LONG_FIRST & {*item.keywords, *getattr(item, "fixturenames", ())})


def group_of(item: pytest.Item) -> str | None:
    once = ONCE[:-1] if "browser" in item.keywords else ONCE
    return next((name for name in once if name in getattr(item, "fixturenames", ())), None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    if ON_POSTGRES:
        left_out = [item for item in items if not touches_the_database(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if touches_the_database(item)]
    for item in items:
        if ON_POSTGRES and "commits" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(transaction=True), append=False)
        if group := group_of(item):
            item.add_marker(pytest.mark.xdist_group(group))
    yield
    items.sort(key=lambda item: not is_long(item))


def pytest_report_header() -> str:
    return f"database: {'PostgreSQL' if ON_POSTGRES else 'SQLite'}; redis: port {REDIS_PORT}"
