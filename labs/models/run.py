"""A run: a learner's look at a job. Starting, joining, replaying and cancelling."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from accounts.limits import Refused as Refused
from accounts.models import NOBODY, Learner
from labs import stream
from labs.data import registry
from labs.data.pictures import PICTURES
from labs.lab import Lab
from labs.models.files import Picture
from labs.models.job import FINAL, LIVE, SHARED, Job, State
from labs.models.limits import check_limits, check_pace
from labs.params import Params, picture_fields
from labs.version import code_version

TWICE = timedelta(seconds=5)
"""Within that time the same start by the same learner, from a page, is the same press."""


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
    if not picture.used:
        Picture.objects.filter(pk=picture.pk).update(used=True)
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

    class Meta:
        indexes = [models.Index(fields=["learner", "started_at"], name="runs_of_a_learner")]

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
        address = learner.counts_for(address)
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
        job = work.job(learner, key=work.key, address=address)
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
            others = Run.objects.live().filter(job=job).select_related("learner")
            left = others.order_by("started_at").first()
            if left is not None:
                pays = left.learner
                address = pays.address if pays.is_guest else ""
                Job.objects.filter(pk=job.pk).update(payer=pays, address=address)
            elif job.cancel():
                transaction.on_commit(lambda: stream.close(job, State.CANCELLED))
        self.refresh_from_db()
        return True

    def discard(self) -> None:
        """Delete this run for its learner, ending it first; with its last run go job and files."""
        self.cancel()
        with transaction.atomic():
            job = Job.objects.select_for_update().get(pk=self.job_id)
            self.delete()
            if job.is_final and not job.runs.exists():
                job.delete()
