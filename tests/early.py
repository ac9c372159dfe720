"""Loaded by `-p tests.early`, before pytest-django reads the settings: what the tests run on.

A Redis of their own (tests/conftest.py starts it at this address), files in a folder that goes
away, and, with CONVOLAB_TEST_DATABASE=postgres, a throwaway PostgreSQL: then only the tests that
touch the database run, and they commit for real: the lease's thread and the streams have
connections of their own, which see nothing of a test's open transaction.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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


TERMINAL = os.dup(2)  # before pytest captures it
HANGS = 300
"""Seconds after which a test is taken to hang: the run ends and shows where every thread is."""
LONG = {"slow", "compose"}
"""Tests that may take longer than that on a slow machine."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if os.environ.get("CONVOLAB_FULL") != "1" and not LONG & set(item.keywords):
        faulthandler.dump_traceback_later(HANGS, exit=True, file=TERMINAL)
    yield
    faulthandler.cancel_dump_traceback_later()


def touches_the_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "admin_client", "admin_user"}
    return "django_db" in item.keywords or bool(fixtures & set(getattr(item, "fixturenames", ())))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not ON_POSTGRES:
        return
    left_out = [item for item in items if not touches_the_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if touches_the_database(item)]
    for item in items:
        item.add_marker(pytest.mark.django_db(transaction=True), append=False)


def pytest_report_header() -> str:
    return f"database: {'PostgreSQL' if ON_POSTGRES else 'SQLite'}; redis: port {REDIS_PORT}"
