"""Drafts: what is computed while a control moves. The newest change wins; nothing is kept."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Greatest, Now

from accounts.limits import of_address
from accounts.models import Learner
from labs import stream
from labs.lab import Lab
from labs.models import Job, Run, State
from labs.models.job import LIVE
from labs.models.limits import check_day, check_room
from labs.models.run import Refused, Work
from labs.params import Params
from labs.version import code_version

WAITING_PAGES = 8
"""Live pages of a learner that may wait at a time."""
LATELY, NEW_PAGES = timedelta(minutes=5), 40
"""A learner opens at most so many live pages in that time: each keeps its newest answer."""

OUTDATED = (
    "This run is of an earlier version of the lab, which can no longer be asked. "
    "Run it again with the same settings."
)


def draft_id(learner: uuid.UUID, slug: str, nonce: str) -> uuid.UUID:
    """The draft of one open page of a lab: a page has one, and only its learner finds it."""
    return uuid.uuid5(learner, f"{slug}/{nonce}")


def ask_id(learner: uuid.UUID, run: uuid.UUID) -> uuid.UUID:
    """The draft that answers what a learner asks of a finished run, in every tab of it."""
    return uuid.uuid5(learner, f"ask/{run}")


@dataclass(frozen=True)
class Put:
    """What became of a change. `taken` is False where a newer one, `number`, was here before."""

    taken: bool
    number: int


def change(
    learner: Learner, lab: Lab, nonce: str, params: Params, number: int, address: str = ""
) -> Put:
    """The page's controls moved. Raises Refused and Missing."""
    address = learner.counts_for(address)
    check_day(learner, address)
    work = Work.of(learner, lab, params, seed=0)
    draft = draft_id(learner.pk, lab.slug, nonce)
    return _put(work.job(learner, draft=draft, number=number), learner, address)


def ask(
    learner: Learner,
    run: Run,
    follow_up: str,
    params: Params,
    number: int | None,
    address: str = "",
) -> Put:
    """Ask something of a finished run: its lab's follow-up of that name, in the quick lane.

    Without a number it is the newest, whatever number the last had. Raises Refused.
    """
    if run.job.code_version != code_version(run.job.declared):
        raise Refused(OUTDATED)
    address = learner.counts_for(address)
    check_day(learner, address)
    job = Job(
        lab=run.lab,
        lane="interactive",
        params=params.model_dump(mode="json"),
        seed=run.job.seed,
        code_version=run.job.code_version,
        follow_up=follow_up,
        parent=run.job,
        payer=learner,
        draft=ask_id(learner.pk, run.pk),
        number=number or 0,
    )
    return _put(job, learner, address)


def now_number() -> int:
    """Numbers grow with the clock (milliseconds), in the page and here alike."""
    return int(time.time() * 1000)


def _put(job: Job, learner: Learner, address: str) -> Put:
    """Make the draft's row, or change it where this number is newer; then ring.

    A draft that is being computed stays so: its worker sees the newer number at its end, and needs
    no bell.
    """
    job.address = address
    changes: dict[str, Any] = {
        "params": job.params,
        "code_version": job.code_version,
        "follow_up": job.follow_up,
        "number": job.number or Greatest(F("number") + 1, now_number()),
        "queued_at": Now(),
        "tries": 0,
        "state": Case(When(state=State.RUNNING, then=F("state")), default=Value(State.QUEUED)),
    }
    with transaction.atomic():
        known = Job.objects.filter(draft=job.draft)
        before = known.values("state", "number").first()
        if before is None or before["state"] not in LIVE:
            check_drafts(learner, job.address, is_new=before is None)
        newer = known.filter(number__lt=job.number) if job.number else known
        if newer.update(**changes):
            number = job.number or known.values_list("number", flat=True).get()
        elif before is not None:
            return Put(False, before["number"])
        else:
            number = job.number = job.number or now_number()
            try:
                with transaction.atomic():
                    job.save(force_insert=True)
            except IntegrityError:
                return Put(False, number)  # the same page's first two changes, at once
        if before is None or before["state"] != State.RUNNING:
            transaction.on_commit(lambda: stream.ring(job.lane))
    return Put(True, number)


def check_drafts(learner: Learner, address: str, is_new: bool) -> None:
    """Raise Refused where a learner, or a guest's address, has many pages waiting or newly open."""
    check_room()
    if _has_many({"payer": learner}, WAITING_PAGES, NEW_PAGES if is_new else None):
        raise Refused("Many pages are being computed for you at once. Wait a moment.", 5)
    opened = 10 * NEW_PAGES if is_new else None
    if address and _has_many({"address": address}, settings.WAITING_AN_ADDRESS, opened):
        raise of_address("Many pages are being computed at once. Wait a moment", 5)


def _has_many(whose: dict[str, Any], waiting: int, opened: int | None) -> bool:
    """Whether so many drafts of theirs wait, or (where asked) were opened lately."""
    drafts = Job.objects.drafts().filter(**whose)
    if drafts.waiting().count() >= waiting:
        return True
    return opened is not None and drafts.filter(queued_at__gt=Now() - LATELY).count() >= opened
