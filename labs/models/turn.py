"""Whose turn it is: a worker claims the next job of a lane in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Now

from accounts.models import Learner
from labs.lab import every_lab
from labs.models.job import Job, State
from labs.models.limits import hold
from labs.version import code_version

MOST_PLACES = 500
"""Whoever waits further back is told that place."""
PATIENCE = timedelta(minutes=10)
"""So long accounts may keep all guests of a lane waiting; then one guest goes first."""
REMEMBERED = timedelta(days=1)
"""Who was served longer ago than that counts as never served: the reaper sweeps the row."""
INTERRUPTED = Q(draft=None, attempt__gt=0) | Q(tries__gt=0)
"""Of jobs that wait: their worker died or was told to stop. A draft waits again when it changes."""
AN_ACCOUNT, A_GUEST = 1, 2


class Turn(models.Model):
    """When a lane last served a learner, or (for guests) an address: one row each.

    Jobs of the past say the same, but there are ever more of those.
    """

    lane = models.CharField(max_length=16)
    learner = models.ForeignKey(  # a claim must not fail for a guest who signs in meanwhile
        Learner, models.CASCADE, null=True, related_name="+", db_constraint=False
    )
    address = models.CharField(max_length=45, null=True)  # noqa: DJ001 (of an account: NULLs are distinct)
    served_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lane", "learner"], name="one_turn_a_learner"),
            models.UniqueConstraint(fields=["lane", "address"], name="one_turn_an_address"),
        ]

    def __str__(self) -> str:
        return f"{self.lane}: {self.address or self.learner_id}"


def next_in_turn(lane: str, versions: Iterable[str], host: str = "") -> QuerySet[Job]:
    """The jobs that may start now, the next one first.

    First what was interrupted and goes on; then accounts; then guests. Of these, of whoever was
    least recently served, the oldest: of a learner, and for guests of an address. Who has enough
    running waits. A job of another code version waits for a worker of that version. Where every
    child but one of the host is on a long job, long jobs wait, so that short ones find a child.
    """
    running = Job.objects.running().filter(lane=lane)
    busy = list(running.values_list("payer", "address", "heavy", "worker"))
    turns = Turn.objects.filter(lane=lane).values("served_at")
    jobs = (
        Job.objects.waiting()
        .filter(lane=lane, code_version__in=list(versions))
        .exclude(payer__in=_full((payer for payer, *_ in busy), settings.RUNNING_A_LANE))
        .exclude(address__in=_full((at for _, at, *_ in busy), settings.RUNNING_AN_ADDRESS))
        .annotate(
            rank=Case(
                When(INTERRUPTED, then=0), When(payer__user__isnull=False, then=1), default=2
            ),
            served=Case(
                When(address="", then=Subquery(turns.filter(learner=OuterRef("payer"))[:1])),
                default=Subquery(turns.filter(address=OuterRef("address"))[:1]),
            ),
        )
        .order_by("rank", F("served").asc(nulls_first=True), "queued_at", "pk")
    )
    if lane == "interactive" and settings.INTERACTIVE_CHILDREN > 1:
        long = sum(heavy and worker.get("host") == host for *_, heavy, worker in busy)
        if long >= settings.INTERACTIVE_CHILDREN - 1:
            jobs = jobs.filter(heavy=False)
    return jobs


def _full(running: Iterable[Any], most: int) -> list[Any]:
    """Those of whom as many jobs run as may."""
    return [who for who, n in Counter(filter(None, running)).items() if n >= most]


def claim(lane: str, versions: Iterable[str], worker: dict[str, Any]) -> Job | None:
    """Make the next job of the lane this worker's, with a new attempt and a lease; or None."""
    with transaction.atomic():
        hold(f"lane:{lane}")
        job = _next(lane, versions, str(worker.get("host", "")))
        if job is None:
            return None
        taken = Job.objects.filter(pk=job.pk, state=State.QUEUED, attempt=job.attempt).update(
            state=State.RUNNING,
            attempt=F("attempt") + 1,
            claimed_at=Now(),
            lease_until=Now() + timedelta(seconds=settings.LEASE),
            worker=worker,
        )
        _serve(job)
        job.state, job.attempt, job.worker = State.RUNNING, job.attempt + 1, worker
        return job if taken else None


def _serve(job: Job) -> None:
    """Whoever the job counts for goes to the end of the line."""
    if not job.address and job.payer_id is None:
        return
    mine = {"address": job.address} if job.address else {"learner_id": job.payer_id}
    Turn.objects.bulk_create(
        [Turn(lane=job.lane, served_at=Now(), **mine)],
        update_conflicts=True,
        unique_fields=["lane", "address" if job.address else "learner"],
        update_fields=["served_at"],
    )


def _next(lane: str, versions: Iterable[str], host: str) -> Job | None:
    """The job whose turn it is. A guest goes before an account where none has gone for long."""
    jobs: Any = next_in_turn(lane, versions, host)
    job: Any = jobs.first()
    if job is None or job.rank != AN_ACCOUNT:
        return job  # type: ignore[no-any-return]
    served = Turn.objects.filter(lane=lane, learner__user=None, served_at__gt=Now() - PATIENCE)
    waited = jobs.filter(rank=A_GUEST, queued_at__lt=Now() - PATIENCE)
    found: Job = (None if served.exists() else waited.first()) or job
    return found


def take_over(worker: dict[str, Any], is_gone: Callable[[dict[str, Any]], bool]) -> list[Job]:
    """Jobs of this very host whose process is gone need not wait for their lease to lapse."""
    here = Job.objects.running().filter(worker__host=worker["host"], worker__boot=worker["boot"])
    return [job for job in here if is_gone(job.worker) and job.lapse()]


@dataclass(frozen=True)
class Queue:
    """Who waits in a lane, in the order of their turns: read once, asked for many jobs."""

    places: dict[int, int]
    seconds: list[float]
    """What the labs of those who wait declare to take, the next one first."""
    running: int

    @classmethod
    def of(cls, lane: str) -> Queue:
        versions = {code_version(lab) for lab in every_lab().values()}
        kept = next_in_turn(lane, versions).filter(draft=None)
        waiting = list(kept.values_list("pk", "lab")[:MOST_PLACES])
        return cls(
            places={pk: place for place, (pk, _) in enumerate(waiting, start=1)},
            seconds=[every_lab()[lab].seconds for _, lab in waiting],
            running=Job.objects.running().filter(lane=lane, draft=None).count(),
        )

    def place(self, job: Job) -> int:
        """1 is next. Who may not start yet (another run of theirs is running) comes last."""
        return self.places.get(job.pk, len(self.places) + 1)

    def seconds_until(self, job: Job) -> float:
        """Until a queued job starts, as the labs' declared times tell; an estimate."""
        return sum(self.seconds[: self.place(job) - 1]) + self.running * job.declared.seconds / 2
