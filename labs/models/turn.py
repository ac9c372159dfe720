"""Whose turn it is: a worker claims the next job of a lane in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from labs.models.job import Job, State
from labs.models.run import hold


def next_in_turn(lane: str, versions: Iterable[str], host: str = "") -> QuerySet[Job]:
    """The jobs that may start now, the next one first.

    Of the learners with nothing running in the lane, the least recently served; theirs, the
    oldest. A job of another code version waits for a worker of that version. Where every child
    but one of the host is on a long job, long jobs wait, so that short ones find a child.
    """
    mine = Job.objects.filter(payer=OuterRef("payer"), lane=lane).order_by()
    busy = mine.filter(state=State.RUNNING).values("payer").annotate(n=Count("pk")).values("n")
    served = mine.values("payer").annotate(last=Max("claimed_at")).values("last")
    jobs = (
        Job.objects.waiting()
        .filter(lane=lane, code_version__in=list(versions))
        .annotate(busy=Coalesce(Subquery(busy), 0), served=Subquery(served))
        .filter(Q(payer=None) | Q(busy__lt=settings.RUNNING_A_LANE))
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


def place(job: Job) -> int:
    """How many jobs of the lane came before this one and still wait, plus one."""
    return Job.objects.waiting().filter(lane=job.lane, draft=None, pk__lt=job.pk).count() + 1
