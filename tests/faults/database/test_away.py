"""The database is away, or held by somebody: what can be answered is, the rest is told as 503."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import running, stop_all
from tests.faults.site import Site
from tests.faults.streams.client import Guest, tell
from tests.servers import Postgres, wait_for
from tests.stack import Stack

pytestmark = pytest.mark.faults
PAGES = ("/", "/course/convolution/stride/", "/labs/steady/", "/runs/", "/sign-in/")
READ = ("/healthz", "/readyz", "/", "/labs/", "/labs/steady/", "/runs/", "/static/css/site.css")


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """One that this test may kill."""
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def site(tmp_path: Path, postgres: Postgres) -> Iterator[Stack]:
    made = Stack(tmp_path / "stack", {}, postgres.new_database("site"))
    running.append(made)
    try:
        made.start("web")
        made.manage("load_course")
        yield made
    finally:
        stop_all([made])


def test_while_the_database_is_away_everything_says_so_and_then_goes_on(
    site: Stack, postgres: Postgres
) -> None:
    with Guest(site.base_url) as guest:
        run = guest.start("steady", steps=1)
        before = {path: guest.http.get(path).status_code for path in (*PAGES, run)}
        assert set(before.values()) == {200}
        postgres.kill()
        wait_for(
            "what is kept to be looked at anew", lambda: guest.http.get("/").status_code != 200
        )
        for path in (*PAGES, run, f"{run}events/", "/api/runs/"):
            answer = guest.http.get(path)
            if answer.status_code == 200 and path in ("/sign-in/",):
                continue  # it asks nothing of the database
            assert answer.status_code == 503, path
            assert int(answer.headers["Retry-After"]) > 0
            assert "Traceback" not in answer.text and "psycopg" not in answer.text
        started = guest.post("/labs/steady/run/", {"steps": 2})
        assert started.status_code == 503 and "Try again in half a minute" in started.text
        assert guest.http.get("/api/runs/").json()["error"]["code"] == "unavailable"
        assert guest.http.get("/healthz").status_code == 200
        ready = guest.http.get("/readyz")
        assert (ready.status_code, ready.json()["database"]) == (503, "does not answer")
        assert ready.json()["redis"] == "ok"
        postgres.serve()
        for path in (*PAGES, run):
            assert guest.http.get(path).status_code == 200, path
        assert guest.http.get("/readyz").status_code == 200
        guest.start("steady", steps=2)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody writes, and does not end."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_lock_that_is_held_stops_no_reader_and_no_question_of_health(broken: Site) -> None:
    """All threads that may write wait for it, and more starts behind them."""

    def start(number: int) -> httpx.Response:
        with contextlib.closing(httpx.Client(base_url=broken.base_url, timeout=60)) as http:
            http.cookies = guest.http.cookies
            headers = {"X-CSRFToken": guest.token}
            return http.post("/labs/steady/run/", data={"seed": number + 1}, headers=headers)

    with broken.guest() as guest, ThreadPoolExecutor(10) as people:
        guest.start("steady", seed=0)
        broken.ledger.ended([broken.start_run(steps=1)])
        with locked(broken.folder / "db.sqlite3"):
            waiting = [people.submit(start, number) for number in range(10)]
            took: list[tuple[float, str]] = []
            while not all(one.done() for one in waiting):
                for path in READ:
                    answer = guest.http.get(path)
                    assert answer.status_code == 200, path
                    took.append((answer.elapsed.total_seconds(), path))
            answers = [one.result() for one in waiting]
        tell(f"{len(took)} pages beside the lock, the slowest in {max(took)}")
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        assert guest.http.get("/readyz").status_code == 200
        broken.ledger.ended([guest.start("steady", seed=77, steps=1)])
