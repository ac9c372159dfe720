"""A reader with several tabs of one lecture, who does everything at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from courses.content import CONTENT
from courses.models.progress import question
from labs.questions import Choice, Number
from tests.faults.streams.client import Guest, size
from tests.stack import Stack

pytestmark = pytest.mark.faults
LECTURE = "/course/convolution/what-is-a-convolution/"
SOURCE = (CONTENT / "05-convolution/01-what-is-a-convolution.md").read_text()


def right_answers() -> dict[str, str]:
    number, choice = (question(SOURCE, name, 0) for name in ("one-cell", "unchanged"))
    assert isinstance(number, Number) and isinstance(choice, Choice)
    right = next(n for n, option in enumerate(choice.options) if option.right)
    return {"one-cell": str(number.answer), "unchanged": str(right)}


@pytest.mark.parametrize("on_postgres", [False, True], ids=["sqlite", "postgres"])
def test_two_answers_and_read_of_one_moment_are_all_kept(
    stack: Callable[..., Stack], on_postgres: bool
) -> None:
    site = stack("web", postgres=on_postgres)
    site.manage("load_course")
    posts = [(f"questions/{name}/", {"given": given}) for name, given in right_answers().items()]
    posts.append(("read/", {}))
    with ThreadPoolExecutor(len(posts)) as pool:
        for _ in range(size(15, 100)):
            with Guest(site.base_url) as guest:
                guest.post(f"{LECTURE}read/", {"undo": "1"})
                sent = pool.map(lambda post: guest.post(f"{LECTURE}{post[0]}", post[1]), posts)
                assert [answer.status_code for answer in sent] == [302, 302, 302]
                page = guest.http.get(LECTURE).text
            assert "2 of 4 questions answered right" in page and "</span> Read" in page
