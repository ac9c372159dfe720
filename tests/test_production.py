"""CONVOLAB_PRODUCTION=1: what is unsafe is refused by name, and what is served is closed."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import httpx
import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from labs.views.address import address_in, address_of
from tests.conftest import running, stop_all
from tests.stack import Stack
from tools.processes import ROOT

SECRET = "5f0c9d3be7a1428c96d40e8b7f1a2c35d6e9084b7c2d51f8a03e6b94"
OURS = ("CONVOLAB_", "DATABASE_", "REDIS_", "DJANGO_")
HTTPS = {"X-Forwarded-Proto": "https", "Host": "cnn.example.org"}


def manage(var: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """manage.py in production, with this environment and nothing of the tests' own."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    whole = bare | {"CONVOLAB_PRODUCTION": "1", "CONVOLAB_VAR": str(var), **env}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=whole, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "CONVOLAB_SECRET_KEY"),
        ({"CONVOLAB_SECRET_KEY": SECRET[:49]}, "at least 50 random characters"),
        ({"CONVOLAB_SECRET_KEY": "please-change-me-" + SECRET}, "at least 50 random characters"),
        ({"CONVOLAB_SECRET_KEY_FILE": "/nowhere/key"}, "names /nowhere/key, which cannot be read"),
        ({"CONVOLAB_SECRET_KEY": "a1" * 30}, "at least 50 random characters"),
        ({"CONVOLAB_SECRET_KEY": SECRET}, "CONVOLAB_HOSTS must name"),
        ({"CONVOLAB_SECRET_KEY": SECRET, "DJANGO_DEBUG": "1"}, "exclude each other"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value) or "nothing",
)
def test_it_refuses_to_start_and_says_why(env: dict[str, str], says: str, tmp_path: Path) -> None:
    done = manage(tmp_path, "check", **env)
    assert done.returncode != 0
    assert says in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir()), "it made itself a secret"


LOOK = """
from django.conf import settings as s
print(s.SECRET_KEY, s.DATABASES["default"]["PASSWORD"], s.REDIS_URL)
"""


def test_secrets_are_read_from_the_files_that_are_named(tmp_path: Path) -> None:
    held = {"secret_key": SECRET, "database": "of-the-database", "redis": "of-redis"}
    for name, secret in held.items():
        (tmp_path / name).write_text(f"{secret}\n")
    done = manage(
        tmp_path,
        "shell",
        "--no-imports",
        "-c",
        LOOK,
        CONVOLAB_HOSTS="cnn.example.org",
        CONVOLAB_SECRET_KEY_FILE=str(tmp_path / "secret_key"),
        DATABASE_URL="postgres://convolab:PASSWORD@db:5432/convolab",
        DATABASE_PASSWORD_FILE=str(tmp_path / "database"),
        REDIS_URL="redis://:PASSWORD@redis:6379/0",
        REDIS_PASSWORD_FILE=str(tmp_path / "redis"),
    )
    assert done.stdout.split() == [SECRET, "of-the-database", "redis://:of-redis@redis:6379/0"]


def test_djangos_own_check_finds_nothing_but_what_is_accepted(tmp_path: Path) -> None:
    env = {"CONVOLAB_SECRET_KEY": SECRET, "CONVOLAB_HOSTS": "cnn.example.org"}
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **env)
    assert done.returncode == 0, done.stderr


PEER, CLIENT, PROXY, FORGED = "192.0.2.1", "198.51.100.7", "203.0.113.2", "10.6.6.6"


@pytest.mark.parametrize(
    ("hops", "forwarded", "seen"),
    [
        (0, "", PEER),
        (0, FORGED, PEER),
        (1, CLIENT, CLIENT),
        (1, f"{FORGED}, {CLIENT}", CLIENT),
        (1, f"{FORGED}, {FORGED} , {CLIENT} ", CLIENT),
        (2, f"{CLIENT}, {PROXY}", CLIENT),
        (2, f"{FORGED}, {CLIENT}, {PROXY}", CLIENT),
        (2, FORGED, PEER),
        (1, "", PEER),
        (1, f"{FORGED}, ", PEER),
        (1, f"{CLIENT}:49152", CLIENT),
        (2, f"{CLIENT}:49152, {PROXY}:1", CLIENT),
        (1, f'"{CLIENT}:49152"', CLIENT),
        (1, "2001:DB8:0::7", "2001:db8::7"),
        (1, "[2001:db8::7]", "2001:db8::7"),
        (1, '"[2001:db8::7]:49152"', "2001:db8::7"),
        (1, "fe80::7%eth0", "fe80::7"),
        (1, f"::ffff:{CLIENT}", CLIENT),
        (1, f"[::ffff:{CLIENT}]:49152", CLIENT),
        (1, "unknown", PEER),
        (1, "_hidden", PEER),
        (1, f"for={CLIENT}", PEER),
        (1, f"{CLIENT}:49152:1", PEER),
        (1, "[]:80", PEER),
        (1, "198.51.100.256", PEER),
    ],
)
def test_only_what_our_own_proxies_saw_is_believed_and_one_address_has_one_spelling(
    hops: int, forwarded: str, seen: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = hops
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=PEER)
    assert address_of(request) == seen
    lines = [(b"x-forwarded-for", hop.encode()) for hop in forwarded.split(",") if forwarded]
    assert address_in({"client": (PEER, 1), "headers": lines}) == seen


@pytest.mark.parametrize(
    ("peer", "seen"), [("::ffff:192.0.2.1", PEER), ("::1", "::1"), ("", ""), ("/run/socket", "")]
)
def test_a_peer_is_spelt_the_same_way(peer: str, seen: str) -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=peer)) == seen


# --- As it is served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The web process behind two proxies of its operator's own."""
    folder = tmp_path_factory.mktemp("production")
    (folder / "secret").write_text(SECRET)
    env = {
        "CONVOLAB_PRODUCTION": "1",
        "CONVOLAB_HOSTS": "cnn.example.org,127.0.0.1",
        "CONVOLAB_SECRET_KEY_FILE": str(folder / "secret"),
        "CONVOLAB_TRUSTED_PROXIES": "2",
    }
    made = Stack(folder, env, "")
    running.append(made)
    try:
        made.manage("collectstatic", "--noinput", "--verbosity", "0")
        made.start("web")
        yield made
    finally:
        stop_all([made])


def ask(served: Stack, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{served.base_url}{path}", headers=HTTPS | headers, trust_env=False)


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    found: dict[str, Morsel[str]] = {}
    for line in answer.headers.get_list("set-cookie"):
        found |= SimpleCookie(line)
    return found


def test_its_cookies_are_for_this_host_and_for_https_alone(served: Stack) -> None:
    cookies = cookies_of(ask(served, "/labs/kernel-forge/"))
    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    for cookie in cookies.values():
        assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]
        assert cookie["samesite"] == "Lax"
    assert cookies["__Host-session"]["httponly"]


def test_browsers_are_told_to_come_by_https_alone_for_a_year(served: Stack) -> None:
    assert ask(served, "/").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_its_static_files_are_kept_by_browsers_for_ever(served: Stack) -> None:
    link = re.search(r'href="(/static/[^"]+\.css)"', ask(served, "/").text)
    assert link
    file = ask(served, link[1])
    assert file.status_code == 200 and "immutable" in file.headers["Cache-Control"]


def test_another_host_name_is_refused(served: Stack) -> None:
    for path in ("/", "/api/labs/"):
        answer = ask(served, path, Host="elsewhere.example")
        assert answer.status_code == 400
        assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("192.0.2.7, 198.51.100.2", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.8, 198.51.100.2", "192.0.2.8"),
        ("203.0.113.9", "127.0.0.1"),  # not by way of the two proxies; uvicorn would believe it
    ],
)
def test_a_forged_address_changes_nothing(served: Stack, forwarded: str, seen: str) -> None:
    token = cookies_of(ask(served, "/api/labs/"))["__Host-csrf"].value
    more = {
        "Cookie": f"__Host-csrf={token}",
        "X-CSRFToken": token,
        "Referer": "https://cnn.example.org/",
        "X-Forwarded-For": forwarded,
    }
    body = {"lab": "kernel-forge", "params": {"bias": len(forwarded)}}
    answer = httpx.post(
        f"{served.base_url}/api/runs/", json=body, headers=HTTPS | more, trust_env=False
    )
    assert answer.status_code == 201, answer.text
    with sqlite3.connect(served.folder / "db.sqlite3") as database:
        newest = "select address from labs_job order by id desc limit 1"
        assert database.execute(newest).fetchone() == (seen,)
    database.close()
