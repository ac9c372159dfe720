"""What a learner has made of a lecture: read it, answered its questions, run its labs."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models import NOBODY, Learner
from courses.expressions import BadExpression, one_budget
from courses.kept import kept
from courses.markdown import questions_in, say
from courses.models.lecture import Lecture
from courses.questions import Template
from labs.models.answer import Asked, Standing, asked_now
from labs.questions import Question


class ProgressQuerySet(models.QuerySet["Progress"]):
    def of(self, learner_id: uuid.UUID | None) -> ProgressQuerySet:
        return self.filter(learner_id=learner_id or NOBODY)


class Progress(models.Model):
    """A learner in a lecture. `right` counts the questions that they have answered right."""

    learner = models.ForeignKey(Learner, models.CASCADE, related_name="progress")
    lecture = models.ForeignKey(Lecture, models.CASCADE, related_name="progress")
    read_at = models.DateTimeField(null=True, blank=True)
    right = models.PositiveSmallIntegerField(default=0)
    touched = models.DateTimeField(auto_now=True, db_index=True)

    objects: ClassVar[Any] = ProgressQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["learner", "lecture"], name="one_progress_a_lecture")
        ]

    def __str__(self) -> str:
        return f"{self.learner} in {self.lecture}"

    def mark_read(self, is_read: bool) -> None:
        self.read_at = (self.read_at or Now()) if is_read else None
        self.save()
        self.refresh_from_db()

    def count(self) -> None:
        """Count the right answers anew; only those to questions that the lecture still asks."""
        solved = self.answers.filter(solved=True).values_list("name", flat=True)
        self.right = len(set(solved) & set(self.lecture.questions))
        self.save()

    def take_in(self, other: Progress) -> None:
        """What a guest has made of the same lecture; of two answers the better stays."""
        mine = {answer.name: answer for answer in self.answers.all()}
        for answer in other.answers.all():
            kept = mine.get(answer.name)
            if kept is None or (answer.solved and not kept.solved):
                if kept is not None:
                    kept.delete()
                answer.progress = self
                answer.save()
        self.read_at = self.read_at or other.read_at
        self.count()


class Answer(Standing):
    """Where a learner stands with one question of a lecture."""

    progress = models.ForeignKey(Progress, models.CASCADE, related_name="answers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["progress", "name"], name="one_answer_of_a_lecture")
        ]

    def __str__(self) -> str:
        return f"{self.progress_id} {self.name}"


DRAWS = 20


@kept
def question(source: str, name: str, variant: int) -> Question | None:
    """A lecture's question with the numbers of a try: the same for everybody, so it is kept.

    Numbers that its template can make nothing of (a division by zero) are drawn again.
    """
    template = questions_in(source).get(name)
    if template is None:
        return None
    with one_budget():
        return _made(template, f"{name}/{variant}")


def _made(template: Template, seed: str) -> Question | None:
    for draw in range(DRAWS):
        with suppress(BadExpression):
            return template.made(seed + f"/{draw}" * (draw > 0), say)
    return None


def asked(source: str, name: str, answer: Answer | None = None) -> Asked | None:
    """A question as it is asked now; None where the lecture cannot ask anything of that name."""
    answer = answer or Answer(name=name)
    found = question(source, name, answer.variant)
    return asked_now(found, answer) if found else None


def take_in(learner: Learner, guest: Learner) -> None:
    """Everything that a guest has made of the course becomes the learner's."""
    mine = {progress.lecture_id: progress for progress in learner.progress.all()}
    for other in Progress.objects.filter(learner=guest).prefetch_related("answers"):
        own = mine.get(other.lecture_id)
        if own is None:
            Progress.objects.filter(pk=other.pk).update(learner=learner)
        else:
            own.take_in(other)
