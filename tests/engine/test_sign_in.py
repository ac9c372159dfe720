"""Signing in: a guest's runs come along; an operator may ask for it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Learner, User
from labs.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_hashes_and_nothing_counted(settings: Any) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


PASSWORD = "a long enough phrase"


def sign_in(client: Client) -> None:
    answer = client.post("/sign-in/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 302


def start(client: Client, steps: int) -> str:
    client.get("/labs/steady/")
    answer = client.post("/labs/steady/run/", {"steps": steps})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_guests_runs_come_along_at_sign_in() -> None:
    User.objects.create_user("alice", password=PASSWORD)
    client = Client()
    address = start(client, 3)
    sign_in(client)
    assert client.get(address).status_code == 200
    assert Run.objects.get().learner.user == User.objects.get()


def test_another_browser_of_the_account_finds_the_same_runs_and_brings_its_own() -> None:
    User.objects.create_user("alice", password=PASSWORD)
    first, second = Client(), Client()
    runs = [start(first, 3)]
    sign_in(first)
    runs.append(start(second, 4))
    sign_in(second)
    for client in (first, second):
        assert [client.get(address).status_code for address in runs] == [200, 200]
    assert Learner.objects.get().user == User.objects.get(), "no guest is left"


def test_after_sign_out_the_runs_are_out_of_reach() -> None:
    User.objects.create_user("alice", password=PASSWORD)
    client = Client()
    sign_in(client)
    address = start(client, 3)
    client.post("/sign-out/")
    assert client.get(address).status_code == 404


def test_a_wrong_password_is_said_in_words() -> None:
    answer = Client().post("/sign-in/", {"username": "alice", "password": "no"})
    assert "do not go together" in answer.content.decode()


def test_an_operator_can_ask_for_a_sign_in() -> None:
    """What each page answers then is in tests/access; here, that the setting is heard."""
    code = (
        "import django; django.setup(); from django.test import Client; c = Client(); "
        "print([c.get(u).status_code for u in ('/healthz', '/sign-in/', '/sign-up/', "
        "'/password/reset/', '/labs/')], "
        "c.get('/labs/')['Location'])"
    )
    env = {"CONVOLAB_SIGN_IN_REQUIRED": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[200, 200, 200, 200, 302] /sign-in/?next=/labs/" in done.stdout
