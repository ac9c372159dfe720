"""Browsers of people with and without accounts, and what they do."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from accounts.models import User

PASSWORD = "some words that only ada knows"
OTHER = "quite other words, of a later day"


def ada(**more: Any) -> User:
    return User.objects.create_user("ada", "ada@example.org", PASSWORD, **more)


def sign_in(client: Client, name: str = "ada", password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/sign-in/", {"username": name, "password": password, **more})


def sign_up(client: Client, name: str = "ada", email: str = "", **more: Any) -> Any:
    data = {"username": name, "email": email, "password1": PASSWORD, **more}
    return client.post("/sign-up/", data)


def start(client: Client, steps: int) -> str:
    """Start a run of the steady lab; gives its address."""
    client.get("/labs/steady/")
    answer = client.post("/labs/steady/run/", {"steps": steps})
    assert answer.status_code == 302
    return str(answer["Location"])


def name_in(client: Client) -> str:
    """Who is signed in, as the page of the password says it; nobody: ""."""
    page = client.get("/password/change/")
    found = re.search(r"signed in as (\w+)", page.content.decode())
    return found[1] if found else ""


def text_of(answer: Any) -> str:
    return str(answer.content.decode())
