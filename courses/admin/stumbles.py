"""What students make of a lecture's questions: counts, and nothing of anybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Q, Sum

from courses.models import Answer, Lecture


@dataclass(frozen=True)
class Stumble:
    """One question: of each learner the latest try counts."""

    name: str
    kind: str
    learners: int
    right: int
    tries: float
    hints: int
    gave_up: int

    @property
    def share(self) -> float:
        """Percent of the learners who tried and have it right in the end."""
        return 100 * self.right / self.learners if self.learners else 0.0


def stumbles_of(lecture: Lecture) -> list[Stumble]:
    """In the order in which students are asked; a question that nobody tried is there too."""
    return list(_stumbles(lecture))


def _stumbles(lecture: Lecture) -> Iterator[Stumble]:
    answers = Answer.objects.filter(progress__lecture=lecture).order_by()
    counted = answers.values("name").annotate(
        learners=Count("pk", filter=Q(tries__gt=0)),
        right=Count("pk", filter=Q(tries__gt=0, solved=True)),
        mean=Avg("tries", filter=Q(tries__gt=0)),
        helped=Sum("hints"),
        ended=Count("pk", filter=Q(gave_up=True)),
    )
    found = {row["name"]: row for row in counted}
    for name, template in lecture.questions.items():
        row: Any = found.get(name, {})
        yield Stumble(
            name=name,
            kind=template.kind,
            learners=row.get("learners", 0),
            right=row.get("right", 0),
            tries=row.get("mean") or 0.0,
            hints=row.get("helped") or 0,
            gave_up=row.get("ended", 0),
        )
