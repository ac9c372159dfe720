"""Run inside the site's settings: times of views in one process, as JSON in milliseconds.

The empty view stands behind the same middleware. Guest and account have the cookies of a second
visit; the account has answered a question.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from config.urls import urlpatterns
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from accounts.models import User

ROUNDS, VISITS = 15, 40
LECTURE = "/course/convolution/what-is-a-convolution/"
PACKED = {"Accept-Encoding": "gzip"}

urlpatterns.insert(0, path("empty/", lambda request: HttpResponse("ok"), name="empty"))


def visits(client: Client, url: str) -> float:
    began = time.perf_counter()
    for _ in range(VISITS):
        assert client.get(url, headers=PACKED).status_code == 200
    return (time.perf_counter() - began) / VISITS * 1000


def medians(client: Client) -> dict[str, float]:
    """The empty view and the lecture in turns."""
    found: dict[str, list[float]] = {"empty": [], "lecture": []}
    for _ in range(ROUNDS):
        found["empty"].append(visits(client, "/empty/"))
        found["lecture"].append(visits(client, LECTURE))
    return {name: statistics.median(times) for name, times in found.items()}


def main() -> None:
    guest, account = Client(), Client()
    account.force_login(User.objects.get_or_create(username="bench")[0])
    account.post(f"{LECTURE}questions/one-cell/", {"given": "1"})
    print(json.dumps({"guest": medians(guest), "account": medians(account)}))


main()
