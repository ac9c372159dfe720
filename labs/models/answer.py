"""A learner's answers to questions: tries, hints, and what came of them; and those about a run."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F

from labs.models.run import Run
from labs.questions import Mark, Question
from labs.readings import LONGEST

TRIES_TO_SOLUTION = 3
"""After so many wrong answers the solution may be seen, also without all hints."""


class Standing(models.Model):
    """Where a learner stands with one question."""

    name = models.CharField(max_length=64)
    variant = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    hints = models.PositiveIntegerField(default=0)
    given = models.CharField(max_length=LONGEST, blank=True)
    solved = models.BooleanField(default=False)
    gave_up = models.BooleanField(default=False)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Answer(Standing):
    """Where a learner stands with one question about one run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="answers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="one_answer_a_question")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.name}"


@dataclass(frozen=True)
class Asked:
    """A question as it is asked now, and what the learner has made of it."""

    question: Question
    answer: Standing
    mark: Mark | None

    @property
    def hints(self) -> tuple[str, ...]:
        return self.question.hints[: self.answer.hints]

    @property
    def is_over(self) -> bool:
        return self.answer.solved or self.answer.gave_up

    @property
    def next_help(self) -> str:
        """What can be asked for now: "hint", "solution" or nothing."""
        if self.is_over or self.question.kind == "goal":
            return ""
        if self.answer.hints < len(self.question.hints):
            return "hint"
        tried = self.answer.tries >= TRIES_TO_SOLUTION or self.answer.hints
        return "solution" if self.question.solution and tried else ""


def questions_of(run: Run, figures: dict[str, Any]) -> list[Asked]:
    """All that is asked about a finished run, in the lab's order."""
    answers = {answer.name: answer for answer in run.answers.all()}
    names = [question.name for question in _questions(run, figures, "", 0)]
    return [asked for name in names if (asked := _asked(run, figures, name, answers.get(name)))]


def question_of(run: Run, figures: dict[str, Any], name: str) -> Asked | None:
    """The question of that name, its answer's row made; or None."""
    asked = _asked(run, figures, name, run.answers.filter(name=name).first())
    if asked is not None and asked.answer.pk is None:
        Answer.objects.get_or_create(run=run, name=name)
        return question_of(run, figures, name)
    return asked


def _asked(run: Run, figures: dict[str, Any], name: str, answer: Answer | None) -> Asked | None:
    answer = answer or Answer(run=run, name=name)
    found = _questions(run, figures, name, answer.variant)
    question = next((q for q in found if q.name == name), None)
    if question is None:
        return None
    return asked_now(question, answer)


def asked_now(question: Question, answer: Standing) -> Asked:
    """A question, and where its learner stands with it."""
    given = answer.given or question.kind == "goal"
    return Asked(question, answer, question.mark(answer.given) if given else None)


def _questions(run: Run, figures: dict[str, Any], name: str, variant: int) -> list[Question]:
    """The lab's questions; the same try at the same question has the same numbers."""
    lab = run.job.declared
    chance = random.Random(f"{run.pk}/{name}/{variant}")  # noqa: S311 (no secret)
    return lab.questions(lab.params.model_validate(run.job.params), figures, chance)


def give(asked: Asked, text: str) -> Asked:
    """Take an answer in; what cannot be read counts as no try."""
    text = " ".join(text.split())  # also no-break and thin spaces, which part numbers
    text = "".join(c for c in text if c.isprintable()).strip()[:LONGEST]
    answer, mark = asked.answer, asked.question.mark(text)
    if not asked.is_over:
        answer.given = text
        answer.solved = mark.was_read and mark.right is not False
        answer.save()
        if mark.was_read:
            type(answer)._default_manager.filter(pk=answer.pk).update(tries=F("tries") + 1)
            answer.tries += 1
    return Asked(asked.question, answer, mark)


def help_with(asked: Asked) -> Asked:
    """The next hint; after the last, the solution."""
    if asked.next_help == "hint":
        asked.answer.hints += 1
    elif asked.next_help == "solution":
        asked.answer.gave_up = True
    asked.answer.save()
    return asked


def another(asked: Asked) -> Standing:
    """The same question with fresh numbers."""
    answer = asked.answer
    if asked.question.fresh:
        answer.variant += 1
        answer.tries = answer.hints = 0
        answer.given, answer.solved, answer.gave_up = "", False, False
        answer.save()
    return answer
