"""Questions as authors write them, and with their numbers drawn."""

from __future__ import annotations

import math
import textwrap
from random import Random
from typing import Any

import pytest

from courses.content import sections_in
from courses.markdown import render, said, say
from courses.questions import Template, fill
from labs.questions import Choice, Number, Shape
from tests.courses.specimen import CHOICE, NUMERIC, SHAPE, file

SEEDS = 200
EVERY = [
    pytest.param(template, id=f"{lecture.slug}-{name}")
    for section in sections_in()
    for lecture in section.lectures
    for name, template in render(lecture.source).questions.items()
]


def template(text: str) -> Template:
    page = render(file(text))
    assert not page.problems, page.problems
    (found,) = page.questions.values()
    return found


def wrong_with(yaml: str, kind: str = "numeric") -> str:
    text = f":::question {kind} q\n{textwrap.dedent(yaml)}\n:::\n"
    return " | ".join(map(str, render(file(text)).problems))


GOOD = "hints: [h]\nsolution: s\n"
HEAVY = f"sum({', '.join('x' * 60)})"
MANY = {f"n{i}": 1 for i in range(31)}
GRIDS = 'let: {{n: 1..3}}\nask: a\nanswer: n\ngrids: [{{title: t, values: "{}"}}]\n'


def test_a_numeric_question_marks_its_answer_its_trap_and_others() -> None:
    asked = template(NUMERIC).made("1", say)
    assert isinstance(asked, Number)
    assert asked.mark(str(asked.answer)).right is True
    trap = asked.mark(str(asked.answer - 1))
    assert trap.right is False and "begins counts too" in trap.says
    assert asked.mark("7,777.5").says == "7,777.5 is not it."
    assert asked.mark("many").was_read is False


def test_the_same_try_has_the_same_numbers_and_another_has_others() -> None:
    found = template(NUMERIC)
    assert found.made("1", say) == found.made("1", say)
    assert len({found.made(str(n), say).ask for n in range(20)}) > 10


def test_a_choice_is_shuffled_and_each_option_says_its_reason() -> None:
    found = template(CHOICE)
    orders = set()
    for n in range(20):
        asked = found.made(str(n), say)
        assert isinstance(asked, Choice)
        rights = [str(i) for i, option in enumerate(asked.options) if option.right]
        assert [asked.mark(right).right for right in rights] == [True]
        assert all(option.says for option in asked.options)
        orders.add(rights[0])
    assert orders == {"0", "1"}


def test_a_shape_is_read_as_people_write_it() -> None:
    asked = template(SHAPE).made("1", say)
    assert isinstance(asked, Shape)
    f, n, _ = asked.answer
    assert asked.mark(f"({f}, {n}, {n})").right is True
    assert asked.mark(f"{f}x{n + 2}x{n + 2}").says == "Without padding the map is smaller."


def test_numbers_are_put_into_text_and_into_formulas() -> None:
    names = {"n": 1600, "x": 0.256, "shape": (3, 4)}
    assert fill("{{n}} and $n = {{n}}$", names) == "1,600 and $n = 1{,}600$"
    assert fill("{{x|2}} of {{shape}}, {{-n}}", names) == "0.26 of 3×4, −1,600"
    assert fill("$\\frac{{{n}}}{2}$", names) == "$\\frac{1{,}600}{2}$"


def test_a_grid_may_have_decimals() -> None:
    asked = template(
        ":::question numeric g\nlet:\n  x: grid 3x3 of [0.5, -1]\nask: a\nanswer: sum(x)\n"
        f"grids: [{{title: t, values: x}}]\n{GOOD}:::"
    ).made("g/0", say)
    assert {value for row in asked.grids[0].values for value in row} == {0.5, -1}


@pytest.mark.parametrize("broken", [0, 1, 17])
def test_a_question_that_breaks_at_one_of_a_students_first_tries_is_told(broken: int) -> None:
    """The tries are those that students get, whose seeds hold the question's name."""
    tries = {f"share-{n}": drawn(f"share-{n}") for n in range(400)}
    name = next(n for n, drawn in tries.items() if 0 in drawn and drawn.index(0) == broken)
    text = f":::question numeric {name}\nlet: {{n: 0..20}}\nask: a\nanswer: 12 / n\n{GOOD}:::"
    page = render(file(text))
    assert "divides by zero" in str(page.problems)
    assert bool(page.questions) == (broken > 0), "what cannot even be made first is not asked"


def drawn(name: str) -> list[int]:
    return [Random(f"{name}/{variant}").randrange(21) for variant in range(20)]


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("ask: a\nanswer: 1\n" + GOOD, "fresh numbers"),
        ("let: {n: 1..3}\nask: a\nanswer: n +\n" + GOOD, "no expression"),
        ("let: {n: 1..3}\nask: '{{m}}'\nanswer: n\n" + GOOD, "there is no “m” here"),
        ("let: {n: 3..1}\nask: a\nanswer: n\n" + GOOD, "draws nothing"),
        ("let: {n: 1..3}\nwhere: n > 5\nask: a\nanswer: n\n" + GOOD, "never held"),
        ("let: {n: 1..3}\nask: a\nanswer: n\nsolution: s\n", "hints"),
        ("let: {n: 1..3}\nask: a\nanswer: n\nhints: [h]\n", "solution"),
        ("let: {n: 1..3}\nask: a\nanswer: n / 0\n" + GOOD, "divides by zero"),
        ("let: {n: 3..9 step 0}\nask: a\nanswer: n\n" + GOOD, "“3..9 step 0” draws nothing"),
        (f"let: {{n: 0..{'9' * 5_000}}}\nask: a\nanswer: n\n" + GOOD, "draws nothing"),
        ("let: {n: 'grid 3x3 of []'}\nask: a\nanswer: 1\n" + GOOD, "draws nothing"),
        ("let: {n: 'grid 9x9 of grid 9x9 of 1..2'}\nask: a\nanswer: 1\n" + GOOD, "draws nothing"),
        ("let: {n: [010]}\nask: a {{n + 1}}\nanswer: 1\n" + GOOD, "a number is needed here"),
        ("let: {n: [{b: 1}]}\nask: '{{n[2]}}'\nanswer: 1\n" + GOOD, "under `let` is neither"),
        ("let: {n: " + "9" * 400 + "}\nask: a\nanswer: n\n" + GOOD, "a number is too large"),
        ("let: {n: 1..3}\nask: a\nanswer: 0x" + "F" * 300 + "\n" + GOOD, "is too large"),
        (GRIDS.format("((1, 2), 3)") + GOOD, "no grid of numbers with rows of one length"),
        (GRIDS.format("((1, 2), (3,))") + GOOD, "no grid of numbers with rows of one length"),
        (GRIDS.format("(('a', 2),)") + GOOD, "no grid of numbers with rows of one length"),
        ("let: {n: [" + "[" * 50 + "1" + "]" * 51 + "}\nask: '{{n}}'\nanswer: 1\n" + GOOD, "deep"),
        ("let: {n: [" + "a" * 6_000 + "]}\nask: '{{n}}{{n}}'\nanswer: 1\n" + GOOD, "10,000 char"),
        (f"let: {MANY}\nask: a\nanswer: 1\n" + GOOD, "at most 30"),
        ("let: &a {n: 1..3}\nask: a\nanswer: n\n" + GOOD, "no anchors (&) and aliases (*)"),
        ('let: {n: ["\\ud800"]}\nask: a\nanswer: 1\n' + GOOD, "surrogate"),
        ('ask: !!int ""\nanswer: 1\n' + GOOD, "a lecture has no tags (!)"),
        ("let: {n: 1..3}\nask: '## a'\nanswer: n\n" + GOOD, "A heading can stand"),
        ("let: {n: 1..3}\nask: a\nanswer: n\nhints: [':::note']\nsolution: s\n", "can stand in"),
        ("let: {n: 1..3}\nask: 'a $\\frac{1$'\nanswer: n\n" + GOOD, "Unexpected end"),
        ("ask: [a\n", "expected ',' or ']'"),
        ("", "is empty"),
        ("let: {n: 1..3}\nask: a\nanswer: n\ncolour: red\n" + GOOD, "colour"),
    ],
)
def test_what_is_wrong_with_a_question_is_told(yaml: str, says: str) -> None:
    assert says in wrong_with(yaml)


@pytest.mark.parametrize(
    ("yaml", "line", "says"),
    [
        ("let:\n  n: 1..3\nwhere: 1 == 2\nask: a\nanswer: n\n", 10, "never held"),
        (
            f"let:\n  x: grid 9x9 of 0..9\n  y: = {HEAVY}\nwhere: 1 == 2\nask: a\nanswer: y\n",
            10,
            "300,",
        ),
        ("let:\n  n: 1..3\nask: a\nanswer: >\n  product(10**9,\n  10**9)\n", 7, "too large"),
    ],
)
def test_what_takes_too_much_to_compute_is_told_at_its_line(
    yaml: str, line: int, says: str
) -> None:
    page = render(file(f":::question numeric q\n{yaml}{GOOD}:::\n"))
    (problem,) = page.problems
    assert says in problem.message and problem.line == line


def test_a_choice_needs_one_right_option_and_a_reason_for_each() -> None:
    two = "options: [{right: a, says: x}, {right: b, says: y}]"
    assert "one of them is right" in wrong_with(f"ask: a\n{two}\n{GOOD}", "choice")
    bare = "options: [{right: a, says: x}, {wrong: b}]"
    assert "says" in wrong_with(f"ask: a\n{bare}\n{GOOD}", "choice")
    same = "options: [{right: a, says: x}, {wrong: a, says: y}]"
    assert "two of its options are the same" in wrong_with(f"ask: a\n{same}\n{GOOD}", "choice")


def test_two_questions_of_one_name_are_refused() -> None:
    assert "Two questions are named" in str(render(file(NUMERIC + "\n" + NUMERIC)).problems)


@pytest.mark.parametrize("template", EVERY)
def test_every_question_of_the_course_holds_over_many_seeds(template: Template) -> None:
    """One right answer, distractors distinct, finite numbers, no formula that cannot be read.

    The seeds are those that students get.
    """
    problems: list[Any] = []

    def strict(text: str) -> Any:
        problems.extend(said(text).problems)
        return say(text)

    for variant in range(SEEDS):
        asked = template.made(f"{template.name}/{variant}", strict)
        assert asked.hints and asked.solution and "{{" not in f"{asked.ask}{asked.solution}"
        if isinstance(asked, Choice):
            assert [option.right for option in asked.options].count(True) == 1
            assert len({option.text for option in asked.options}) == len(asked.options)
        elif isinstance(asked, Number):
            assert math.isfinite(asked.answer) and math.isfinite(asked.tolerance)
            traps = asked.traps or {}
            assert all(abs(trap - asked.answer) > asked.tolerance for trap in traps)
            assert asked.mark(repr(asked.answer)).right is True
        else:
            assert isinstance(asked, Shape)
            assert asked.answer not in (asked.traps or {})
            assert asked.mark("×".join(map(str, asked.answer))).right is True
    assert problems == []
