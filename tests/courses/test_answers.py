"""What a reader does in a lecture: answers, hints, fresh numbers, progress; and an account's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Learner, User
from courses.expressions import BadExpression
from courses.markdown import render, say
from courses.models import Answer, Lecture, Progress, Section
from courses.models.progress import question
from labs.lab import catalog
from tests.courses.specimen import CHOICE, NUMERIC, file, lecture
from tests.courses.visits import URL, give, right_answer, text_of, wrong_answer
from tests.engine import cast
from tests.test_templates import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def window() -> Lecture:
    return lecture()


@pytest.fixture
def alice() -> Client:
    return Client()


# --- answers


@pytest.mark.parametrize("name", ["width", "edge", "maps"])
def test_no_answer_is_in_the_page_before_the_try(window: Lecture, alice: Client, name: str) -> None:
    page = text_of(alice, URL)
    asked: Any = question(window.published, name, 0)
    for secret in (*asked.hints, asked.solution, *(getattr(asked, "traps", None) or {}).values()):
        assert secret not in page
    for option in getattr(asked, "options", ()):
        assert option.text in page and option.says not in page


@pytest.mark.parametrize("name", ["width", "edge", "maps"])
def test_wrong_hint_right(window: Lecture, alice: Client, name: str) -> None:
    said = give(alice, name, wrong_answer(window, name)).content.decode()
    assert "✗" in said and "✓</span> Right" not in said
    said = give(alice, name, "", help="1").content.decode()
    assert "Hint 1." in said
    said = give(alice, name, right_answer(window, name)).content.decode()
    assert "✓</span> Right" in said
    assert 'hx-partial hx-target="#progress"' in said and "1 of 3 questions" in said
    again = text_of(alice, URL)
    assert "✓</span> Right" in again and "1 of 3 questions answered right" in again


def test_fresh_numbers_come_with_each_new_try(window: Lecture, alice: Client) -> None:
    give(alice, "width", right_answer(window, "width"))
    said = give(alice, "width", "", another="1").content.decode()
    assert "Check" in said and "Right" not in said
    assert "✗" in give(alice, "width", right_answer(window, "width")).content.decode()
    assert "Right" in give(alice, "width", right_answer(window, "width", 1)).content.decode()


def test_without_javascript_an_answer_comes_back_to_its_place(
    window: Lecture, alice: Client
) -> None:
    answer: Any = alice.post(f"{URL}questions/width/", {"given": right_answer(window, "width")})
    assert (answer.status_code, answer["Location"]) == (302, f"{URL}#question-width")
    assert "✓</span> Right" in text_of(alice, URL)
    answer = alice.post(f"{URL}read/")
    assert (answer.status_code, answer["Location"]) == (302, f"{URL}#progress")
    assert "✓</span> Read" in text_of(alice, URL)
    alice.post(f"{URL}read/", {"undo": "1"})
    assert "Not marked as read" in text_of(alice, URL)


@pytest.mark.parametrize("given", ["", "\0", "9" * 5_000, "<script>", "NaN", "1e999", "٣", "-"])
def test_odd_answers_are_no_try_and_no_fault(window: Lecture, alice: Client, given: str) -> None:
    said = give(alice, "width", given)
    assert said.status_code == 200 and "<script>" not in said.content.decode()
    assert Answer.objects.get().solved is False


def test_what_one_answers_nobody_else_sees(window: Lecture, alice: Client) -> None:
    give(alice, "width", right_answer(window, "width"))
    bob = Client()
    assert "Right" not in text_of(bob, URL)
    give(bob, "edge", wrong_answer(window, "edge"))
    assert "0 of 3 questions" in text_of(bob, URL) and "1 of 3" in text_of(alice, URL)


def test_numbers_that_make_no_question_are_drawn_again() -> None:
    asks = NUMERIC.replace("k: [3, 5]", "k: 0..600").replace("answer: n - k + 1", "answer: n / k")
    asks = asks.partition("tolerance")[0] + "tolerance: 0\nhints: [Divide.]\nsolution: Done.\n:::\n"
    source = file(asks)
    template = render(source).questions["width"]
    refused = []
    for variant in range(3_000):
        try:
            template.made(f"width/{variant}", say)
        except BadExpression:
            refused.append(variant)
    assert refused, "some tries draw k = 0"
    assert all(question(source, "width", variant) for variant in refused)


def test_an_unknown_question_is_not_found(window: Lecture, alice: Client) -> None:
    assert give(alice, "nothing", "1").status_code == 404
    assert give(alice, "width", "1", "/course/convolution/nothing/").status_code == 404
    assert not Progress.objects.exists()


def test_a_question_that_is_taken_out_counts_no_more(window: Lecture, alice: Client) -> None:
    for name in ("width", "edge"):
        give(alice, name, right_answer(window, name))
    window.source = file(f"## How wide?\n\n{NUMERIC}\n")
    window.publish()
    give(alice, "width", "", help="1")
    page = text_of(alice, URL)
    assert "1 of 1 questions answered right" in page and "question-edge" not in page


# --- progress


def test_home_goes_on_where_the_learner_stopped(window: Lecture, alice: Client) -> None:
    lecture(CHOICE, "second", 2, title="Second")
    lecture(CHOICE, "third", 3, title="Third")
    give(alice, "edge", "0", "/course/convolution/second/")
    assert "Go on with 5.2 Second" in Page(text_of(alice, "/")).text
    alice.post("/course/convolution/second/read/")
    assert "Go on with 5.3 Third" in Page(text_of(alice, "/")).text
    alice.post("/course/convolution/third/read/")
    assert "Go on with 5.1 A window" in Page(text_of(alice, "/")).text
    assert 'aria-label="read"' in text_of(alice, "/")
    assert "Read" in text_of(alice, "/course/convolution/")


@pytest.mark.usefixtures("commits")
def test_a_lab_counts_as_run_when_its_run_has_succeeded(alice: Client) -> None:
    lecture(":::lab steady\nTry.\n:::\n", labs="[steady]")
    alice.post("/labs/steady/run/", {"steps": "2"})
    assert "not run yet" in text_of(alice, URL)
    assert 'aria-label="run"' not in text_of(alice, "/")
    cast.work()
    assert "not run yet" not in text_of(alice, URL)
    section = Section.objects.get()
    section.number = catalog()["steady"].section
    section.save()
    home = text_of(alice, "/")
    assert 'aria-label="run"' in home and "Start with" in home
    assert "</span> Run" in text_of(alice, "/course/convolution/")


def test_a_guests_answers_move_into_the_account(window: Lecture, alice: Client) -> None:
    user = User.objects.create_user("alice", password="a long password")
    own = Learner.objects.create(user=user)
    kept = Progress.objects.create(learner=own, lecture=window, right=1)
    Answer.objects.create(progress=kept, name="edge", solved=True, given="0")
    Answer.objects.create(progress=kept, name="width", tries=2, given="1")
    give(alice, "width", right_answer(window, "width"))
    give(alice, "edge", wrong_answer(window, "edge"))
    alice.post(f"{URL}read/")
    signed: Any = alice.post("/sign-in/", {"username": "alice", "password": "a long password"})
    assert signed.status_code == 302, signed.content.decode()
    kept.refresh_from_db()
    answers = {answer.name: answer for answer in kept.answers.all()}
    assert answers["width"].solved and answers["edge"].solved, "of two the better stays"
    assert kept.right == 2 and kept.read_at is not None
    assert Progress.objects.count() == 1
