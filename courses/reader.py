"""What a learner has made of the course: of one lecture, and of all."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists

from courses.atlas import Atlas, Stop
from courses.models import Answer, Progress
from courses.prepared import Prepared
from labs.models import Run, State

ANSWER = ("id", "name", "variant", "tries", "hints", "given", "solved", "gave_up")


@dataclass(frozen=True)
class Reader:
    """A learner in one lecture: their answers, and whether they marked it as read."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    is_read: bool = False
    right: int = 0
    labs_run: frozenset[str] = frozenset()


def _asked(learner_id: uuid.UUID, lecture: int, lab: str) -> Any:
    """Progress in a lecture, whether a run of its lab has succeeded, each answer: a row each."""
    answers = (f"answers__{name}" for name in ANSWER)
    progress: Any = Progress.objects.filter(learner_id=learner_id, lecture_id=lecture)
    ran = Exists(succeeded(learner_id).filter(lab=lab))
    return progress.annotate(ran=ran).values_list("pk", "read_at", "right", "ran", *answers)


ASKED = Prepared(_asked, learner_id=uuid.UUID(int=7), lecture=-7, lab="a lab of no name")


def reader_of(learner_id: uuid.UUID | None, stop: Stop) -> Reader:
    """A query, or two; none for a guest who has done nothing on this site yet."""
    if learner_id is None:
        return Reader()
    lab = stop.labs[0] if stop.labs else ""
    rows = ASKED.rows(learner_id=learner_id, lecture=stop.pk, lab=lab)
    if not rows:
        return Reader(labs_run=labs_run(learner_id, stop.labs))
    pk, read_at, right, ran, *_ = rows[0]
    return Reader(
        answers={row[5]: _answer(pk, row[4:]) for row in rows if row[4] is not None},
        is_read=read_at is not None,
        right=right,
        labs_run=frozenset((lab,) if ran else ()),
    )


def _answer(progress: int, row: tuple[Any, ...]) -> Answer:
    pk, name, variant, tries, hints, given, solved, gave_up = row
    numbers = {"variant": variant, "tries": tries, "hints": hints}
    over = {"solved": bool(solved), "gave_up": bool(gave_up)}
    return Answer(pk=pk, progress_id=progress, name=name, given=given, **numbers, **over)


def succeeded(learner_id: uuid.UUID) -> Any:
    return Run.objects.filter(learner_id=learner_id, job__state=State.SUCCEEDED)


def labs_run(learner_id: uuid.UUID, labs: tuple[str, ...] | None = None) -> frozenset[str]:
    """The labs of which the learner has a run that succeeded, of these or of all."""
    if labs == ():
        return frozenset()
    runs = succeeded(learner_id)
    runs = runs if labs is None else runs.filter(lab__in=labs)
    return frozenset(runs.order_by().values_list("lab", flat=True).distinct())


@dataclass(frozen=True)
class Journey:
    """A learner in the course: what is read, answered and run, and what is next."""

    read: frozenset[int] = frozenset()
    right: Mapping[int, int] = field(default_factory=dict)
    labs_run: frozenset[str] = frozenset()
    next: Stop | None = None

    @property
    def has_begun(self) -> bool:
        return bool(self.read or self.right)

    def reads(self, stop: Stop) -> bool:
        return stop.pk in self.read


def journey_of(learner_id: uuid.UUID | None, atlas: Atlas) -> Journey:
    """Two queries. The next lecture is the one last touched, or, if that is read, what follows."""
    first = atlas.road[0] if atlas.road else None
    if learner_id is None:
        return Journey(next=first)
    rows = list(Progress.objects.of(learner_id).order_by("-touched"))
    read = frozenset(row.lecture_id for row in rows if row.read_at)
    last = next((s for row in rows if (s := atlas.by_pk(row.lecture_id)) in atlas.road), None)
    return Journey(
        read=read,
        right={row.lecture_id: row.right for row in rows},
        labs_run=labs_run(learner_id),
        next=_next(atlas, last, read) if last else first,
    )


def _next(atlas: Atlas, last: Stop, read: frozenset[int]) -> Stop | None:
    """From the lecture last touched on, the first that is not read; then from the beginning."""
    here = atlas.road.index(last)
    order = (*atlas.road[here:], *atlas.road[:here])
    return next((stop for stop in order if stop.pk not in read), None)
