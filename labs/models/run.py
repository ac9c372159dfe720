"""A run: a learner's look at a job. Starting, joining, replaying and cancelling."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now

from accounts.models import NOBODY, Learner
from labs import stream
from labs.data import registry
from labs.data.pictures import PICTURES
from labs.lab import Lab
from labs.models.files import Artifact, Picture
from labs.models.job import FINAL, LIVE, SHARED, Job, State
from labs.params import Params, picture_fields
from labs.version import code_version

TWICE = timedelta(seconds=5)
"""Within that time the same start by the same learner, from a page, is the same press."""


class Refused(Exception):
    """A start that a limit refuses: a sentence, and after how many seconds to try again."""

    def __init__(self, sentence: str, retry_after: int = 30) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after = retry_after


class Missing(Exception):
    """A param names something that the learner has not: `field`, and a sentence."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True)
class Work:
    """What is to be computed, resolved against who asks."""

    lab: Lab
    params: dict[str, Any]
    seed: int
    key: str

    @classmethod
    def of(cls, learner: Learner, lab: Lab, params: Params, seed: int) -> Work:
        pictures = _own_pictures(learner, params)
        dataset = lab.dataset(params) if lab.dataset else ""
        values = params.model_dump(mode="json")
        facts = {
            "lab": lab.slug,
            "code": code_version(lab),
            "params": values,
            "seed": seed,
            "dataset": registry.digest(dataset) if dataset else "",
            "pictures": pictures,
            # A private picture is never shared: not its result, and not that it was seen before.
            "learner": str(learner.pk) if pictures else "",
        }
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        key = hashlib.sha256(canonical.encode()).hexdigest()
        return cls(lab=lab, params=values, seed=seed, key=key)

    def job(self, learner: Learner, **more: Any) -> Job:
        return Job(
            lab=self.lab.slug,
            lane=self.lab.lane,
            params=self.params,
            seed=self.seed,
            code_version=code_version(self.lab),
            heavy=self.lab.seconds > 1,
            payer=learner,
            **more,
        )


def _own_pictures(learner: Learner, params: Params) -> list[str]:
    """SHA-256 of each own picture that the params name. Raises Missing."""
    found = []
    for name in picture_fields(type(params)):
        value = getattr(params, name)
        if value.startswith("own:"):
            found.append(own_picture(learner, name, value))
        elif value not in PICTURES:
            raise Missing(name, f"There is no picture named “{value}” here. Choose one of ours.")
    return found


def own_picture(learner: Learner, field: str, value: str) -> str:
    try:
        picture = Picture.objects.get(pk=uuid.UUID(value[4:]), learner=learner)
    except (ValueError, Picture.DoesNotExist):
        raise Missing(
            field, "That picture is not among yours any more. Choose another, or upload it again."
        ) from None
    rebuilt = picture.rebuilt
    if rebuilt is None:
        raise Missing(field, "That picture is not ready yet. Wait a moment, or choose another.")
    return rebuilt.sha256


class RunQuerySet(models.QuerySet["Run"]):
    def of(self, learner_id: uuid.UUID | None) -> RunQuerySet:
        """The runs that a learner may see: their own."""
        return self.filter(learner_id=learner_id or NOBODY).select_related("job")

    def live(self) -> RunQuerySet:
        return self.filter(cancelled_at=None, job__state__in=LIVE)


class Run(models.Model):
    """One start by one learner. Private to that learner; its id is its permalink."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    learner = models.ForeignKey(Learner, models.CASCADE, related_name="runs")
    job = models.ForeignKey(Job, models.PROTECT, related_name="runs")
    lab = models.CharField(max_length=64)
    replay = models.BooleanField(default=False)
    started_at = models.DateTimeField(db_default=Now(), db_index=True)
    cancelled_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = RunQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.lab} {self.pk}"

    @property
    def state(self) -> str:
        return State.CANCELLED if self.cancelled_at else self.job.state

    @property
    def word(self) -> str:
        """Its state, as a student reads it."""
        return str(State(self.state).label)

    @property
    def is_over(self) -> bool:
        return self.state in FINAL

    @classmethod
    def start(
        cls,
        learner: Learner,
        lab: Lab,
        params: Params,
        seed: int = 0,
        address: str = "",
        once: bool = False,
    ) -> Run:
        """Join the live job, replay the finished one, or queue a new one.

        With `once` the same asked again within seconds is the same run: a second press of the
        button, which a browser without scripts sends as well.

        Raises Refused (a limit) and Missing (a picture that is not there).
        """
        check_pace(learner)
        work = Work.of(learner, lab, params, seed)
        for _ in range(5):
            try:
                with transaction.atomic():
                    return cls._join(learner, work, once) or cls._queue(learner, work, address)
            except IntegrityError:
                continue  # somebody queued the same at this moment: join theirs
        raise Refused("Many are starting this very run. Try again in a few seconds.", 3)

    @classmethod
    def _join(cls, learner: Learner, work: Work, once: bool) -> Run | None:
        job = Job.objects.select_for_update().filter(key=work.key, state__in=SHARED).first()
        if job is None:
            return None
        done = job.state == State.SUCCEEDED  # since the first press: then this one is a replay
        lately = job.runs.filter(learner=learner, replay=done, started_at__gt=Now() - TWICE)
        if once and (run := lately.filter(cancelled_at=None).first()):
            return run
        return cls.objects.create(learner=learner, job=job, lab=work.lab.slug, replay=done)

    @classmethod
    def _queue(cls, learner: Learner, work: Work, address: str) -> Run:
        check_limits(learner, address)
        job = work.job(learner, key=work.key, address=address if learner.is_guest else "")
        job.save(force_insert=True)
        run = cls.objects.create(learner=learner, job=job, lab=work.lab.slug)
        transaction.on_commit(lambda: stream.ring(job.lane))
        return run

    def cancel(self) -> bool:
        """End this run. Its job ends with the last live run; else another learner pays on."""
        with transaction.atomic():
            job = Job.objects.select_for_update().get(pk=self.job_id)
            ended = Run.objects.live().filter(pk=self.pk)
            if not Run.objects.filter(pk__in=ended.values("pk")).update(cancelled_at=Now()):
                return False
            left = Run.objects.live().filter(job=job).order_by("started_at").first()
            if left is not None:
                Job.objects.filter(pk=job.pk).update(payer=left.learner_id)
            elif job.cancel():
                transaction.on_commit(lambda: stream.close(job, State.CANCELLED))
        self.refresh_from_db()
        return True

    def discard(self) -> None:
        """Delete this run for its learner, ending it first; its job goes with its last run."""
        self.cancel()
        with transaction.atomic():
            job = Job.objects.select_for_update().get(pk=self.job_id)
            self.delete()
            if job.is_final and not job.runs.exists():
                job.delete()  # the reaper sweeps its files


def check_pace(learner: Learner) -> None:
    """Raise Refused where a program starts runs faster than a person can: each leaves a row."""
    lately = Run.objects.filter(learner=learner, started_at__gt=Now() - timedelta(minutes=1))
    if lately.count() >= settings.STARTS_A_MINUTE:
        raise Refused(
            f"You have started {settings.STARTS_A_MINUTE} runs within a minute, the most that "
            "this site takes. Wait a moment."
        )


def check_limits(learner: Learner, address: str) -> None:
    """Raise Refused where the learner, or a guest's address, waits for enough already.

    Inside a transaction: it holds the learner's row (and the address) until the end, so that
    parallel starts are counted one after the other.
    """
    Learner.objects.select_for_update().get(pk=learner.pk)
    waiting = Job.objects.kept().waiting()
    if waiting.filter(payer=learner).count() >= settings.WAITING_A_LEARNER:
        raise Refused(
            f"You have {settings.WAITING_A_LEARNER} runs waiting, which is the most at a time. "
            "Wait until one has started, or cancel one under My runs."
        )
    if learner.is_guest and address:
        hold(f"address:{address}")
        if waiting.filter(address=address).count() >= settings.WAITING_AN_ADDRESS:
            raise Refused(
                "Many guests at your address have runs waiting. Try again in a minute, or sign in."
            )
    check_day(learner)
    check_files(learner)


def check_files(learner: Learner) -> None:
    """Raise Refused where the files of the learner's runs take all the room that they may."""
    kept = Artifact.objects.filter(job__payer=learner, job__picture=None)
    used = kept.aggregate(used=Sum("size"))["used"] or 0
    if used >= settings.FILES_A_LEARNER:
        raise Refused(
            f"The files of your runs take {used / 1e6:.0f} MB, and "
            f"{settings.FILES_A_LEARNER / 1e6:.0f} MB is the most. Delete runs that you no longer "
            "need under My runs, then start again."
        )


def check_day(learner: Learner) -> None:
    """Raise Refused where the learner's seconds of computing of the last 24 hours are used up."""
    today = Q(payer=learner, claimed_at__gt=Now() - timedelta(days=1))
    spent = Job.objects.filter(today).aggregate(spent=Sum("seconds"))["spent"] or 0
    if spent >= settings.SECONDS_A_DAY:
        raise Refused(
            f"Your {settings.SECONDS_A_DAY / 60:.0f} minutes of computing for the last 24 hours "
            "are used up. Finished runs and replays stay open to you; new ones start tomorrow.",
            3600,
        )


def hold(name: str) -> None:
    """A lock until the transaction ends. SQLite needs none: one transaction writes at a time."""
    if connection.vendor == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
