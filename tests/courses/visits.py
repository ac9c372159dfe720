"""A reader of the course, by a client: pages, answers, and which answer is right."""

from __future__ import annotations

from typing import Any

from django.test import Client

from courses.models import Lecture
from courses.models.progress import question

HTMX = {"HX-Request": "true"}
URL = "/course/convolution/window/"


def text_of(client: Client, url: str, status: int = 200) -> str:
    answer: Any = client.get(url)
    assert answer.status_code == status, answer.content[:400]
    return str(answer.content.decode())


def give(client: Client, name: str, given: str, url: str = URL, **more: str) -> Any:
    return client.post(f"{url}questions/{name}/", {"given": given, **more}, headers=HTMX)


def right_answer(row: Lecture, name: str, variant: int = 0) -> str:
    asked: Any = question(row.published, name, variant)
    if asked.kind == "choice":
        return next(str(n) for n, option in enumerate(asked.options) if option.right)
    return "×".join(map(str, asked.answer)) if asked.kind == "shape" else str(asked.answer)


def wrong_answer(row: Lecture, name: str) -> str:
    asked: Any = question(row.published, name, 0)
    if asked.kind == "choice":
        return next(str(n) for n, option in enumerate(asked.options) if not option.right)
    return "1"
