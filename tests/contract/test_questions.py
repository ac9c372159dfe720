"""What every lab asks about a run: over many seeds, one right answer, and help that helps."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest

from labs.lab import Lab
from labs.questions import Choice, Goal, Number, Question, Shape
from tests.contract.test_labs import LABS, small_run, tiny

SEEDS = 200
ASKING = [lab for lab in LABS if (lab.path / "questions.py").is_file()]
each_lab = pytest.mark.parametrize("lab", ASKING, ids=lambda lab: lab.slug)


def figures(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = small_run(lab).events[-1].get("figures", {})
    return found


def asked(lab: Lab, seed: int) -> list[Question]:
    return lab.questions(tiny(lab), figures(lab), Random(seed))


def written(question: Question) -> str:
    """The right answer as a student would give it."""
    if isinstance(question, Number):
        return f"{question.answer:.6f}"
    if isinstance(question, Shape):
        return "×".join(map(str, question.answer))
    assert isinstance(question, Choice)
    return str(next(n for n, option in enumerate(question.options) if option.right is not False))


@each_lab
def test_its_questions_have_one_right_answer_whatever_the_numbers(lab: Lab) -> None:
    for seed in range(SEEDS):
        found = asked(lab, seed)
        names = [question.name for question in found]
        assert len(names) == len(set(names)) and found
        for question in found:
            assert question.ask and all(question.hints)
            if isinstance(question, Goal):
                continue
            mark = question.mark(written(question))
            assert mark.was_read and mark.right is not False, (question, written(question))
            if mark.right:
                assert mark.says, f"{question.name}: the right answer is explained"


@each_lab
def test_its_numbers_are_finite_and_no_trap_is_the_answer(lab: Lab) -> None:
    for seed in range(SEEDS):
        for question in asked(lab, seed):
            if isinstance(question, Number):
                assert math.isfinite(question.answer) and question.tolerance >= 0
                for trap in question.traps or {}:
                    assert abs(trap - question.answer) > question.tolerance, question.ask
            if isinstance(question, Shape):
                assert question.answer not in (question.traps or {}), question.ask
                assert all(side > 0 for side in question.answer)


@each_lab
def test_its_choices_differ_and_each_says_what_follows(lab: Lab) -> None:
    for seed in range(SEEDS):
        for question in asked(lab, seed):
            if isinstance(question, Choice):
                assert len({option.text for option in question.options}) == len(question.options)
                assert all(option.says for option in question.options)
                rights = [option.right for option in question.options]
                assert rights.count(True) == 1 or set(rights) == {None}


@each_lab
def test_what_is_fresh_differs_and_what_is_not_stays(lab: Lab) -> None:
    tries = [asked(lab, seed) for seed in range(20)]
    for group in zip(*tries, strict=True):
        versions = {question.ask + str(question.grids) for question in group}
        assert (len(versions) > 1) == group[0].fresh, group[0].name


@each_lab
def test_the_same_try_asks_the_same(lab: Lab) -> None:
    assert asked(lab, 7) == asked(lab, 7)
