"""Authors at their desks, for tests: who is signed in, and what they send."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

from accounts.models import User
from courses.models import Lecture


class Author:
    """A signed-in author. `htmx`: as the page asks when its script is there."""

    def __init__(self, name: str = "ada") -> None:
        self.user = User.objects.create_user(name)
        self.user.make_author()
        self.client = Client()
        self.client.force_login(self.user)

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, htmx: bool = False, **data: Any) -> Any:
        headers = {"HX-Request": "true"} if htmx else {}
        return self.client.post(path, data, headers=headers)

    def send(self, row: Lecture, source: str, htmx: bool = True, **more: Any) -> Any:
        """Press a button of the desk (`do="publish"`); by default with the row's own version."""
        data = {"do": "save", "version": row.version, **more, "source": source}
        return self.post(desk(row), htmx=htmx, **data)


def desk(row: Lecture) -> str:
    return f"/admin/courses/lecture/{row.pk}/change/"


def text_of(answer: Any) -> str:
    """What a reader sees of an answer: no tags, one space between words."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def source_in(answer: Any) -> str:
    """What is in the editor, as a browser reads it."""
    found = re.search(
        r'<textarea name="source"[^>]*>\n(.*?)</textarea>', answer.content.decode(), re.S
    )
    assert found
    return unescape(found[1])
