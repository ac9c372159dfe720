"""Fixtures for everybody: real Redis, real PostgreSQL, the real site, a real browser.

| fixture | is |
| --- | --- |
| `redis_server` | the Redis that the settings name (on in every test); emptied by nobody |
| `redis_factory` | `redis_factory()` starts another, to be killed and started again |
| `postgres` | a throwaway PostgreSQL: `.url(name)`, `.new_database(name)` |
| `stack` | `stack(env={}, postgres=False)` starts the whole site for this test |
| `site` | one such site for the whole session, for tests that break nothing |
| `page`, `new_context` | Chromium, on `site`; fails where a page complains or asks another host |
| `commits` | a database in which a second connection sees what the first has written |
| `complaints` | `complaints.allow("text")`: what this test makes the page complain about |
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

from tests import early
from tests.servers import Postgres, Redis
from tests.stack import WORKERS, Stack

HERE = {"127.0.0.1", "localhost"}
running: list[Stack] = []


@pytest.fixture(autouse=True)
def course_as_it_is() -> None:
    """No test sees the road map that one before it has seen, and rolled back."""
    from courses.atlas import look_again

    look_again()


@pytest.fixture
def commits(db: None) -> None:
    """On PostgreSQL, where tests/early.py sees to it: on SQLite there is one writer at a time."""


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[Redis]:
    server = Redis(early.SCRATCH / "redis", early.REDIS_PORT)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_factory(tmp_path: Path) -> Iterator[Callable[[], Redis]]:
    started: list[Redis] = []

    def start() -> Redis:
        started.append(Redis(tmp_path / f"redis-{len(started)}"))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """An empty database of this test's own."""
    return postgres.new_database(f"test_{uuid.uuid4().hex}")


@pytest.fixture
def stack(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Stack]]:
    started: list[Stack] = []

    def start(*names: str, env: Mapping[str, str] | None = None, postgres: bool = False) -> Stack:
        url = str(request.getfixturevalue("postgres_url")) if postgres else ""
        made = Stack(tmp_path / f"stack-{len(started)}", env or {}, url)
        started.append(made)
        running.append(made)
        made.start(*names)
        return made

    yield start
    stop_all(started)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("site"), {}, "")
    running.append(made)
    try:
        made.start()
        made.manage("load_course")
        made.wait_until_ready()
        yield made
    finally:
        stop_all([made])


def stop_all(stacks: list[Stack]) -> None:
    """Stop every one of them, also where one of them complains; then complain."""
    wrong: list[AssertionError] = []
    for made in stacks:
        running.remove(made)
        try:
            made.stop()
        except AssertionError as error:
            wrong.append(error)
    if wrong:
        raise wrong[0]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """A failed test shows where workers are, and the end of each log of the sites that ran."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed:
        for made in running:
            for name in set(WORKERS) & set(made.processes):
                if made.says(name, " ready."):
                    with suppress(OSError):  # it has ended
                        report.sections.append((f"stacks of {name}", made.stacks(name)))
            for name in ("redis", *made.processes):
                report.sections.append((f"log of {name}", made.log(name, lines=30)))


class Complaints:
    """What pages did that none should: console errors, CSP violations, requests elsewhere."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.allowed: list[str] = []

    def allow(self, text: str) -> None:
        self.allowed.append(text)

    def watch(self, context: BrowserContext) -> BrowserContext:
        context.on("console", self.on_console)
        context.on("weberror", self.on_error)
        context.on("request", self.on_request)
        return context

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.made.append(f"console: {message.text} ({message.location['url']})")

    def on_error(self, error: WebError) -> None:
        self.made.append(f"script: {error.error}")

    def on_request(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in ("data", "blob") and asked.hostname not in HERE:
            self.made.append(f"request to another host: {request.url}")

    def left(self) -> list[str]:
        return [c for c in self.made if not any(re.search(a, c) for a in self.allowed)]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    found = Complaints()
    yield found
    assert not found.left(), "\n".join(found.left())


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
    request: pytest.FixtureRequest,
) -> Callable[..., BrowserContext]:
    """A guest's browser, on `site` unless `base_url=` says otherwise."""

    def make(**options: Any) -> BrowserContext:
        if "base_url" not in options:
            options["base_url"] = request.getfixturevalue("site").base_url
        return complaints.watch(new_context(**options))

    return make


@pytest.fixture(scope="session")
def base_url() -> None:
    """`new_context` names the site. The plugin's own is of a deprecated form."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is not here. `python3 tools/setup.py --dev` says how to get it."
    # Here, not in a folder's own conftest: the session's first browser test launches it for all.
    calm = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    camera = ["--use-fake-device-for-media-stream"]
    return {**browser_type_launch_args, "executable_path": found, "args": [*calm, *camera]}
