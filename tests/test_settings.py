"""What the environment says is read as it is meant; what cannot be meant is refused by name."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import kombu.utils.url
import pytest
import redis
from django.core.exceptions import ImproperlyConfigured

from tools.processes import ROOT

SECRET = "5f0c9d3be7a1428c96d40e8b7f1a2c35d6e9084b7c2d51f8a03e6b94"
OURS = ("CONVOLAB_", "DATABASE_", "REDIS_", "DJANGO_")


def python(var: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A program in production, with this environment and nothing of the tests' own."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    whole = bare | {"CONVOLAB_PRODUCTION": "1", "CONVOLAB_VAR": str(var), **env}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=whole,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def settings_of(patch: pytest.MonkeyPatch, **env: str) -> dict[str, Any]:
    """What settings.py makes of this environment and of nothing of the tests' own."""
    for name in os.environ:
        if name.startswith(OURS):
            patch.delenv(name)
    patch.setenv("CONVOLAB_DATA", "/nowhere")
    for name, value in env.items():
        patch.setenv(name, value)
    return runpy.run_path(str(ROOT / "platform" / "config" / "settings.py"))


SAFE = {"CONVOLAB_PRODUCTION": "1", "CONVOLAB_SECRET_KEY": SECRET, "CONVOLAB_HOSTS": "a.example"}


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"CONVOLAB_SECRET_KEY": ""}, "CONVOLAB_SECRET_KEY"),
        ({"CONVOLAB_SECRET_KEY": SECRET[:49]}, "at least 50 random characters"),
        ({"CONVOLAB_SECRET_KEY": "please-change-me-" + SECRET}, "at least 50 random characters"),
        ({"CONVOLAB_SECRET_KEY_FILE": "/nowhere/key"}, "names /nowhere/key, which cannot be read"),
        ({"CONVOLAB_SECRET_KEY": "a1" * 30}, "at least 50 random characters"),
        ({"CONVOLAB_HOSTS": ""}, "CONVOLAB_HOSTS must name"),
        ({"CONVOLAB_HOSTS": " , "}, "CONVOLAB_HOSTS must name"),
        ({"CONVOLAB_HOSTS": "*"}, "With * in it anybody's name would do"),
        ({"CONVOLAB_HOSTS": "cnn.example.org, *"}, "With * in it anybody's name would do"),
        ({"CONVOLAB_HOSTS": "*.example.org"}, "A point before a name takes all below it"),
        ({"DJANGO_DEBUG": "1"}, "exclude each other"),
    ],
    ids=lambda value: ",".join(map("=".join, value.items())) if isinstance(value, dict) else "",
)
def test_what_is_unsafe_in_production_is_refused(
    env: dict[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape(says)):
        settings_of(monkeypatch, CONVOLAB_VAR=str(tmp_path), **SAFE | env)
    assert not list(tmp_path.iterdir()), "it made itself a secret"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CONVOLAB_LEASE", "abc", "is “abc”. It must be a number of seconds above 0."),
        ("CONVOLAB_LEASE", "0", "above 0"),
        ("CONVOLAB_REAP_EVERY", "nan", "above 0"),
        ("CONVOLAB_REAP_EVERY", "inf", "above 0"),
        ("CONVOLAB_KEEP_GUESTS", "1,5", "above 0"),
        ("CONVOLAB_TRUSTED_PROXIES", "-1", "is “-1”. It must be a whole number from 0 on."),
        ("CONVOLAB_TRIES", "2.5", "a whole number from 0 on"),
        ("CONVOLAB_TRIES", "9" * 5_000, "a whole number from 0 on"),
        ("CONVOLAB_SIGN_UP", "flase", "1 or 0 (or true, false"),
        ("CONVOLAB_PRODUCTION", "ja", "1 or 0 (or true, false"),
        ("CONVOLAB_LOG_LEVEL", "loud", "must be DEBUG, INFO"),
        ("CONVOLAB_HEARTBEAT_LOST", "30", "and that less than CONVOLAB_LEASE"),
        ("CONVOLAB_HEARTBEAT", "25", "must be less than CONVOLAB_HEARTBEAT_LOST"),
        ("DATABASE_URL", "mysql://a:s3cret@db/x", "begins with postgres:// or postgresql://"),
        ("DATABASE_URL", "postgres://a:s3cret/Zq9@db:5432/x", "neither a letter nor a digit"),
        ("REDIS_URL", "localhost:6379", "begins with redis:// or rediss://"),
        ("REDIS_URL", "redis://:s3cret/Zq9@redis:6379/0", "neither a letter nor a digit"),
        ("REDIS_URL", "redis://:12/s3cret@redis:6379/0", "neither a letter nor a digit"),
        ("REDIS_URL", "redis://:s3cret#Zq9@redis:6379/0", "neither a letter nor a digit"),
        ("CONVOLAB_EMAIL_URL", "mail://u:s3cret@x", "begins with smtp://"),
        ("CONVOLAB_EMAIL_URL", "smtp://u:s3cret/Zq9@x:25", "neither a letter nor a digit"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name_and_no_secret_is_shown(
    name: str, value: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape(says)) as refusal:
        settings_of(monkeypatch, CONVOLAB_VAR=str(tmp_path), **{name: value})
    assert name in str(refusal.value) and len(str(refusal.value)) < 400
    told = "".join(traceback.format_exception(refusal.value))
    assert "s3cret" not in told and "Zq9" not in told


def test_a_variable_that_is_empty_counts_as_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("CONVOLAB_LEASE", "CONVOLAB_TRIES", "CONVOLAB_HTTPS", "DATABASE_URL", "REDIS_URL")
    found = settings_of(monkeypatch, CONVOLAB_VAR=str(tmp_path), **dict.fromkeys(names, ""))
    assert (found["LEASE"], found["TRIES"]) == (30, 3)


PATHS = ["a b", "a#b", "a+b", "a?b=c", "a%41", "ä", "a'b\"c", "file:x", "a\\b", "*"]


@pytest.mark.parametrize("name", PATHS)
def test_the_database_is_in_the_folder_that_is_named_whatever_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for var in (name, str(tmp_path / name)):
        found = settings_of(monkeypatch, CONVOLAB_VAR=var)
        assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / name / "db.sqlite3")
    url = f"sqlite:///{quote(str(tmp_path / name))}"
    found = settings_of(monkeypatch, DATABASE_URL=url, CONVOLAB_VAR=str(tmp_path))
    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / name)


@pytest.mark.parametrize(
    "password",
    ["of-the-database", "k3/Zq9TgO+v1", "a%41b", "p@ss:w#rd?&=", "ein Geheimnis", "ñ“”", "$HOME"],
)
def test_a_password_that_a_file_holds_arrives_as_it_is(
    password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "held").write_text(f"{password}\n", encoding="utf-8")
    held = ("DATABASE_PASSWORD_FILE", "REDIS_PASSWORD_FILE", "CONVOLAB_EMAIL_PASSWORD_FILE")
    found = settings_of(
        monkeypatch,
        CONVOLAB_VAR=str(tmp_path),
        DATABASE_URL="postgres://convolab:PASSWORD@db:5432/convolab",
        REDIS_URL="redis://:PASSWORD@redis:6379/0",
        CONVOLAB_EMAIL_URL="smtp+tls://u@mail.example.org:587",
        **dict.fromkeys(held, str(tmp_path / "held")),
    )
    database = found["DATABASES"]["default"]
    assert (database["PASSWORD"], database["HOST"], database["PORT"]) == (password, "db", 5432)
    assert redis.Redis.from_url(found["REDIS_URL"]).get_connection_kwargs()["password"] == password
    assert kombu.utils.url.url_to_parts(found["REDIS_URL"]).password == password
    assert found["EMAIL_HOST_PASSWORD"] == password


def test_several_hosts_of_a_database_may_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgres://convolab:secret@one:5432,two:5433/convolab"
    found = settings_of(monkeypatch, DATABASE_URL=url, CONVOLAB_VAR=str(tmp_path))
    assert found["DATABASES"]["default"]["HOST"] == "one,two"


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-m", "uvicorn", "config.asgi:application", "--app-dir", "platform"],
        ["-m", "workers.reaper"],
        ["-m", "celery", "-A", "workers.app", "worker", "-Q", "interactive"],
    ],
    ids=["manage.py", "web", "reaper", "worker"],
)
def test_each_process_says_what_is_wrong_in_a_sentence_and_not_in_a_traceback(
    command: list[str], tmp_path: Path
) -> None:
    done = python(tmp_path, *command, CONVOLAB_HOSTS="", CONVOLAB_SECRET_KEY=SECRET)
    assert done.returncode != 0
    assert "CONVOLAB_HOSTS must name the site's host names, with commas." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", [["--root-path", "/convolab"], ["--root-path=/convolab"]])
def test_it_does_not_start_below_a_path(how: list[str], tmp_path: Path) -> None:
    served = ["-m", "uvicorn", "config.asgi:application", "--app-dir", "platform", *how]
    done = python(tmp_path, *served)
    assert done.returncode != 0 and "cannot be served below a path" in done.stderr
    assert "Traceback" not in done.stderr


def test_djangos_own_check_finds_nothing_but_what_is_accepted(tmp_path: Path) -> None:
    env = {"CONVOLAB_SECRET_KEY": SECRET, "CONVOLAB_HOSTS": "cnn.example.org"}
    done = python(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **env)
    assert done.returncode == 0, done.stderr
