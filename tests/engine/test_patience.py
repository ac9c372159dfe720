"""SQLite's lock is waited for in Python: nothing else of the process waits with it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from config.environment import database
from labs.models import Job
from labs.patience import patiently


@pytest.fixture
def own(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[DatabaseWrapper]:
    """A connection as the settings make it, to a file of this test's own."""
    like = connections.create_connection("default").settings_dict
    made = DatabaseWrapper({**like, **database("", tmp_path / "own.sqlite3")}, "own")
    made.inc_thread_sharing()
    with django_db_blocker.unblock():
        made.cursor().execute("CREATE TABLE t (x)")
        yield made
        made.close()


@contextlib.contextmanager
def locked(own: DatabaseWrapper) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(own.settings_dict["NAME"], isolation_level=None)) as o:
        o.execute("BEGIN IMMEDIATE")
        yield o
        if o.in_transaction:
            o.execute("ROLLBACK")


def test_who_waits_for_the_lock_gets_it_when_it_is_free(own: DatabaseWrapper) -> None:
    with locked(own) as other:
        done = threading.Event()

        def write() -> None:
            own.cursor().execute("INSERT INTO t VALUES (1)")
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        assert not done.wait(0.5)
        other.execute("ROLLBACK")
        writer.join(20)
    assert own.cursor().execute("SELECT x FROM t").fetchall() == [(1,)]


def test_patience_has_an_end(own: DatabaseWrapper, settings: Settings) -> None:
    settings.LOCK_PATIENCE = 0.3
    with locked(own), pytest.raises(OperationalError, match="locked"):
        own.cursor().execute("INSERT INTO t VALUES (1)")
    own.cursor().execute("INSERT INTO t VALUES (2)")
    assert own.cursor().execute("SELECT x FROM t").fetchall() == [(2,)]


def test_sqlite_itself_waits_a_tenth_of_a_second_once_it_is_open(own: DatabaseWrapper) -> None:
    assert own.cursor().execute("PRAGMA busy_timeout").fetchone() == (100,)


def test_within_a_transaction_nothing_is_tried_again(own: DatabaseWrapper) -> None:
    tried: list[str] = []

    def fails(sql: str, *_: object) -> None:
        tried.append(sql)
        raise OperationalError("database is locked")

    own.connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        patiently(fails, "INSERT", None, False, {"connection": own})
    assert tried == ["INSERT"]
    own.connection.execute("ROLLBACK")


@pytest.mark.django_db
def test_the_sites_own_connection_is_watched() -> None:
    with transaction.atomic():
        assert not Job.objects.exists()
    on_sqlite = connections["default"].vendor == "sqlite"
    assert len(connections["default"].execute_wrappers) == on_sqlite
