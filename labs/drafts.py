"""Drafts: what is computed while a control moves. The newest change wins; nothing is kept."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from accounts.models import Learner
from labs import stream
from labs.lab import Lab
from labs.models import Job, Run, State
from labs.models.run import Refused, Work, check_day
from labs.params import Params
from labs.version import code_version

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


def change(learner: Learner, lab: Lab, nonce: str, params: Params, number: int) -> bool:
    """The page's controls moved. False: a newer change was here before. Raises Refused, Missing."""
    check_day(learner)
    work = Work.of(learner, lab, params, seed=0)
    draft = draft_id(learner.pk, lab.slug, nonce)
    return _put(work.job(learner, draft=draft, number=number))


def ask(learner: Learner, run: Run, follow_up: str, params: Params, number: int) -> bool:
    """Ask something of a finished run: its lab's follow-up of that name, in the quick lane."""
    if run.job.code_version != code_version(run.job.declared):
        raise Refused(OUTDATED)
    check_day(learner)
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
        number=number,
    )
    return _put(job)


def now_number() -> int:
    """Numbers grow with the clock (milliseconds), in the page and here alike."""
    return int(time.time() * 1000)


def _put(job: Job) -> bool:
    """Make the draft's row, or change it where this number is newer; then ring."""
    changes: dict[str, Any] = {
        "params": job.params,
        "code_version": job.code_version,
        "follow_up": job.follow_up,
        "number": job.number,
        "queued_at": Now(),
        # A draft that is being computed stays so: its worker sees the newer number at its end.
        "state": Case(When(state=State.RUNNING, then=F("state")), default=Value(State.QUEUED)),
    }
    with transaction.atomic():
        known = Job.objects.filter(draft=job.draft)
        newer = known.filter(number__lt=job.number).update(**changes)
        if not newer and known.exists():
            return False
        if not newer:
            try:
                with transaction.atomic():
                    job.save(force_insert=True)
            except IntegrityError:
                return False  # the same page's first two changes, at once
        transaction.on_commit(lambda: stream.ring(job.lane))
    return True
