"""How an answer is read and marked, and where a learner stands with a question."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from labs import readings
from labs.lab import Lab
from labs.models import Answer, Run
from labs.questions import Choice, Goal, Number, Option, Question, Shape
from labs.words import fixed, number, short
from tests.engine import cast

HALF = Number(name="half", ask="?", answer=0.5, tolerance=0.01, traps={-0.5: "Mind the sign."})


@pytest.mark.parametrize("text", ["0.5", " .5 ", "0,5", "5e-1", "+0.505", "0.5 ", "1/2", "-1 / −2"])
def test_a_number_is_read_as_people_write_it(text: str) -> None:
    assert HALF.mark(text).right


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,024", 1_024),
        ("1,609", 1.609),
        ("4.900", 4_900),
        ("4'900", 4_900),
        ("4’900,5", 4_900.5),
        ("1.234.567,5", 1_234_567.5),
        ("−1,234,567.5", -1_234_567.5),
        ("12,34,567", 1_234_567),
        ("12 345", 12_345),
        ("1\u202f234\u00a0567,5", 1_234_567.5),
        ("1\u2009024", 1_024),
        ("50 %", 50),
        ("1,5", 1.5),
        ("0,125", 0.125),
        ("–0,855", -0.855),
        ("− 3", -3),
        ("12,3456", 12.3456),
        ("2.1 × 10⁻⁵", 2.1e-5),
        ("10^-3", 1e-3),
        ("\u200e١٬٢٣٤٫٥", 1_234.5),
    ],
)
def test_every_way_to_part_thousands_and_decimals_is_understood(text: str, value: float) -> None:
    assert Number(name="n", ask="?", answer=value).mark(text).right


VALUES = st.integers(-(10**12), 10**12) | st.decimals(-(10**9), 10**9, places=6)


@given(VALUES, st.sampled_from([",.", ".,", " ,", "\u202f,", "\u00a0,", "’.", "'.", "_."]))
def test_a_number_in_the_form_of_any_country_is_read_as_itself(
    value: int | Decimal, form: str
) -> None:
    text = f"{value:,}".translate(str.maketrans(",.-", f"{form[:2]}−"))
    assert float(value) in readings.numbers(text), text


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_what_the_site_itself_writes_is_read_as_itself(value: float, digits: int) -> None:
    cut = 0.6 * 10.0**-digits + abs(value) * 1e-15
    for text, near in [
        (number(value, digits), cut),
        (fixed(value, digits), cut),
        (short(value, 6), abs(value) * 1e-5),
        (repr(value), 0),
    ]:
        assert any(abs(read - value) <= near for read in readings.numbers(text)), text


@given(
    st.text(st.sampled_from("0123456789.,'’ +-−–/%eE×x^⁻³[]()torch.Size\u00a0") | st.characters())
)
def test_any_text_at_all_can_be_marked(text: str) -> None:
    assert all(map(math.isfinite, readings.numbers(text)))
    shape = readings.shape(text)
    assert shape is None or all(0 <= side < 10**6 for side in shape)


def test_a_number_that_fits_neither_way_is_told_how_it_was_read() -> None:
    assert Number(name="n", ask="?", answer=1.7).mark("−1.609").says == (
        "It was read as −1.609 and as −1609: neither is it."
    )
    assert HALF.mark("0.0000002").says == "2 × 10⁻⁷ is not it."


def test_a_likely_mistake_is_told_why_it_is_wrong() -> None:
    assert HALF.mark("−0.5").says == "Mind the sign."
    assert HALF.mark("0.7").right is False
    trap = Number(name="n", ask="?", answer=4_800, traps={4_900: "One too many."})
    assert trap.mark("4.900").says == "One too many."


@pytest.mark.parametrize(
    "text", ["", "half", "1/0", "1/2/3", "1,024,5", "5 10", "nan", "inf", "1e999", "x" * 10_000]
)
def test_what_is_no_number_is_no_try(text: str) -> None:
    mark = HALF.mark(text)
    assert not mark.was_read and "such as" in mark.says


@pytest.mark.parametrize(
    "text",
    [
        *("16×28×28", "16x28x28", "16 X 28 X 28", "16·28·28", "16*28*28", "16х28х28"),
        *("(16, 28, 28)", "[16,28,28]", "16 28 28", "16\u00a028\u00a028", "16;28;28", "16×28,28"),
        *("torch.Size([16, 28, 28])", "TensorShape([16, 28, 28])", " (16, 28, 28,) "),
    ],
)
def test_a_shape_is_read_as_people_write_it(text: str) -> None:
    assert Shape(name="s", ask="?", answer=(16, 28, 28)).mark(text).right


def test_a_shape_of_another_length_is_told_so() -> None:
    shape = Shape(name="s", ask="?", answer=(16, 28, 28))
    assert "3 numbers, yours 2" in shape.mark("28×28").says
    assert not shape.mark("16×-1×2").was_read


def test_thousands_in_a_shape_are_not_two_sides() -> None:
    assert Shape(name="s", ask="?", answer=(1_024, 28)).mark("1,024×28").right
    assert not Shape(name="s", ask="?", answer=(1_024,)).mark("1,024").was_read


@pytest.mark.parametrize("text", ["", "9", "-1", "one", "²"])
def test_a_choice_that_there_is_not_is_no_try(text: str) -> None:
    choice = Choice(name="c", ask="?", options=(Option("a", "why", True), Option("b", "why")))
    assert not choice.mark(text).was_read


# --- on the site


ASKED: list[Question] = [
    Number(
        name="half",
        ask="What is a half?",
        answer=0.5,
        hints=("Less than one.", "One divided by two."),
        solution="1 / 2 = 0.5.",
        fresh=True,
    ),
    Choice(
        name="view",
        ask="Do you like it?",
        options=(Option("Yes <b>", "Good.", None), Option("No", "Why?", None)),
    ),
    Goal(name="far", ask="Go far.", met=False, says="Not yet."),
]


@pytest.fixture
def run(commits: None, monkeypatch: pytest.MonkeyPatch) -> tuple[Client, Run]:
    """A finished run of a lab that asks these, and its learner's browser."""
    monkeypatch.setattr(Lab, "questions", lambda *_: list(ASKED))
    client = Client()
    client.get("/labs/steady/")
    client.post("/labs/steady/run/", {"steps": "2"})
    assert cast.work() is not None
    return client, Run.objects.select_related("job").get()


def say(run: tuple[Client, Run], name: str, **data: str) -> str:
    client, mine = run
    answer = client.post(f"/runs/{mine.pk}/questions/{name}/", data, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_answer_is_not_on_the_page_before_it_was_given(run: tuple[Client, Run]) -> None:
    client, mine = run
    page = client.get(f"/runs/{mine.pk}/").content.decode()
    assert "What is a half?" in page and "Yes &lt;b&gt;" in page
    for secret in ("0.5.", "Less than one", "One divided", "Good."):
        assert secret not in page
    assert "Not yet." in page, "a goal tells how far this run came"


def test_wrong_then_hints_then_right_is_kept(run: tuple[Client, Run]) -> None:
    client, mine = run
    assert "0.3 is not it." in say(run, "half", given="0.3")
    first = say(run, "half", help="1")
    assert "Less than one." in first and "One divided" not in first
    assert "Show the solution" in say(run, "half", help="1")
    right = say(run, "half", given="0.5")
    assert "Right." in right and "1 / 2 = 0.5." in right and "Check" not in right
    kept = Answer.objects.get()
    assert (kept.tries, kept.hints, kept.solved) == (2, 2, True)
    assert "Right." in client.get(f"/runs/{mine.pk}/").content.decode()
    say(run, "half", given="0.9")
    assert Answer.objects.get().solved, "what is solved stays so"


def test_the_solution_comes_after_the_hints_or_three_tries(run: tuple[Client, Run]) -> None:
    for _ in range(3):
        said = say(run, "half", help="1")
    assert "1 / 2 = 0.5." in said and "Again with other numbers" in said
    kept = Answer.objects.get()
    assert kept.gave_up and not kept.solved
    fresh = say(run, "half", another="1")
    assert "1 / 2" not in fresh and Answer.objects.get().variant == 1


def test_what_cannot_be_read_counts_as_no_try(run: tuple[Client, Run]) -> None:
    assert "That is no number" in say(run, "half", given="<script>\0")
    assert Answer.objects.get().tries == 0


def test_spaces_of_any_kind_stay_between_the_parts_of_an_answer(run: tuple[Client, Run]) -> None:
    assert "1,234 is not it." in say(run, "half", given="1\u202f234\n")
    assert Answer.objects.get().given == "1 234"


def test_a_view_is_answered_and_not_marked(run: tuple[Client, Run]) -> None:
    said = say(run, "view", given="1")
    assert "Why?" in said and "Right" not in said and "✗" not in said


def test_without_scripts_the_page_comes_back_at_the_question(run: tuple[Client, Run]) -> None:
    client, mine = run
    answer: Any = client.post(f"/runs/{mine.pk}/questions/half/", {"given": "0.4"})
    assert answer.status_code == 302 and answer["Location"].endswith("#question-half")
    assert "0.4 is not it." in client.get(f"/runs/{mine.pk}/").content.decode()


def test_a_question_that_there_is_not_is_not_found(run: tuple[Client, Run]) -> None:
    client, mine = run
    assert client.post(f"/runs/{mine.pk}/questions/nothing/").status_code == 404
    assert Client().post(f"/runs/{mine.pk}/questions/half/").status_code == 404
    assert not Answer.objects.exists()
