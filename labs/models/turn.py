"""Whose turn it is: a worker claims the next job of a lane in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from labs.lab import every_lab
from labs.models.job import Job, State
from labs.models.run import hold
from labs.version import code_version

MOST_PLACES = 500
"""Whoever waits further back is told that place."""


def next_in_turn(lane: str, versions: Iterable[str], host: str = "") -> QuerySet[Job]:
    """The jobs that may start now, the next one first.

    Of the learners with nothing running in the lane, the least recently served; theirs, the
    oldest. A job of another code version waits for a worker of that version. Where every child
    but one of the host is on a long job, long jobs wait, so that short ones find a child.
    """
    running = Job.objects.running().filter(lane=lane).order_by()
    busy = running.exclude(payer=None).values("payer").annotate(n=Count("pk"))
    full = busy.filter(n__gte=settings.RUNNING_A_LANE).values("payer")
    theirs = Job.objects.filter(payer=OuterRef("payer"), lane=lane, claimed_at__isnull=False)
    served = theirs.order_by("-claimed_at").values("claimed_at")[:1]
    jobs = (
        Job.objects.waiting()
        .filter(lane=lane, code_version__in=list(versions))
        .exclude(payer__in=full)
        .annotate(served=Subquery(served))
        .order_by(F("served").asc(nulls_first=True), "queued_at", "pk")
    )
    if lane == "interactive" and settings.INTERACTIVE_CHILDREN > 1:
        long = Job.objects.running().filter(lane=lane, heavy=True, worker__host=host).count()
        if long >= settings.INTERACTIVE_CHILDREN - 1:
            jobs = jobs.filter(heavy=False)
    return jobs


def claim(lane: str, versions: Iterable[str], worker: dict[str, Any]) -> Job | None:
    """Make the next job of the lane this worker's, with a new attempt and a lease; or None."""
    with transaction.atomic():
        hold(f"lane:{lane}")
        job = next_in_turn(lane, versions, str(worker.get("host", ""))).first()
        if job is None:
            return None
        taken = Job.objects.filter(pk=job.pk, state=State.QUEUED, attempt=job.attempt).update(
            state=State.RUNNING,
            attempt=F("attempt") + 1,
            claimed_at=Now(),
            lease_until=Now() + timedelta(seconds=settings.LEASE),
            worker=worker,
        )
        job.state, job.attempt, job.worker = State.RUNNING, job.attempt + 1, worker
        return job if taken else None


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
