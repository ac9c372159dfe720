"""What a learner has made of the course: of one lecture, and of all."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, F

from courses.atlas import Atlas, Stop
from courses.models import Answer, Progress
from labs.models import Run, State

ANSWER = ("id", "name", "variant", "tries", "hints", "given", "solved", "gave_up")


@dataclass(frozen=True)
class Reader:
    """A learner in one lecture: their answers, and when they marked it as read."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    read_at: Any = None
    right: int = 0
    labs_run: frozenset[str] = frozenset()


def reader_of(learner_id: uuid.UUID | None, stop: Stop) -> Reader:
    """A query, or two; none for a guest who has done nothing on this site yet."""
    if learner_id is None:
        return Reader()
    progress: Any = Progress.objects.of(learner_id).filter(lecture=stop.pk)
    if len(stop.labs) == 1:
        ran = succeeded(learner_id).filter(lab=stop.labs[0])
        progress = progress.annotate(ran=Exists(ran))
    columns = {f"a_{name}": F(f"answers__{name}") for name in ANSWER}
    asked = ("pk", "read_at", "right", *(("ran",) if len(stop.labs) == 1 else ()))
    rows: list[dict[str, Any]] = list(progress.values(*asked, **columns))
    found = [
        Answer(progress_id=row["pk"], **{name: row[f"a_{name}"] for name in ANSWER})
        for row in rows
        if row["a_id"] is not None
    ]
    first = rows[0] if rows else {"read_at": None, "right": 0}
    return Reader(
        answers={answer.name: answer for answer in found},
        read_at=first["read_at"],
        right=int(first["right"] or 0),
        labs_run=_labs_run(learner_id, stop, rows),
    )


def _labs_run(learner_id: uuid.UUID, stop: Stop, rows: list[dict[str, Any]]) -> frozenset[str]:
    if rows and "ran" in rows[0]:
        return frozenset(stop.labs if rows[0]["ran"] else ())
    return labs_run(learner_id, stop.labs)


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
