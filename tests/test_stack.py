"""The fixtures themselves: what they start is real, and what they leave behind is noticed."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Callable

import psycopg
import pytest
import redis

from tests.servers import Redis, wait_for
from tests.stack import Stack


def test_the_site_starts_on_postgresql_and_restarts(stack: Callable[..., Stack]) -> None:
    site = stack("web", postgres=True)
    site.restart("web")
    with urllib.request.urlopen(f"{site.base_url}/healthz", timeout=5) as answer:
        assert answer.status == 200
    with psycopg.connect(site.env["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1 FROM django_migrations LIMIT 1").fetchone() == (1,)


def test_a_worker_is_ready_and_its_pool_ends_with_it(stack: Callable[..., Stack]) -> None:
    site = stack("interactive")
    site.wait_until_ready("interactive")
    wait_for("two children", lambda: len(site.children("interactive")) == 2)
    site.kill("interactive")


def test_a_stack_that_leaves_a_process_behind_fails(stack: Callable[..., Stack]) -> None:
    site = stack("web")
    left = subprocess.Popen(["sleep", "600"], env=site.env, start_new_session=True)
    with pytest.raises(AssertionError, match=r"orphans.*sleep 600"):
        site.stop()
    left.wait(5)


def test_a_redis_that_was_killed_has_its_data_again(redis_factory: Callable[[], Redis]) -> None:
    server = redis_factory()
    with redis.Redis.from_url(server.url) as client:
        client.config_set("appendfsync", "always")
        client.set("kept", "yes")
    server.kill()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"
