"""A job: its states, and every change of them as one conditional UPDATE whose row count decides."""

from __future__ import annotations

import json
import shutil
import uuid
import zlib
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver

from labs.lab import Lab, every_lab
from labs.state import place_of, state_at


class State(models.TextChoices):
    """The labels are what a student reads."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


LIVE = (State.QUEUED, State.RUNNING)
FINAL = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
SHARED = (*LIVE, State.SUCCEEDED)
TIMED_OUT = {"reason": "time"}
"""What `ran` holds where the lab's limit has passed: while a job is tried again, and at its end."""

GAVE_UP = (
    "The worker stopped {tries} times while it was on this run, so we stopped trying. "
    "A smaller setting may fit; if it goes on, tell whoever runs this site."
)


class JobQuerySet(models.QuerySet["Job"]):
    def kept(self) -> JobQuerySet:
        """Jobs of runs; not drafts."""
        return self.filter(draft=None)

    def drafts(self) -> JobQuerySet:
        return self.filter(draft__isnull=False)

    def waiting(self) -> JobQuerySet:
        return self.filter(state=State.QUEUED)

    def running(self) -> JobQuerySet:
        return self.filter(state=State.RUNNING)

    def lapsed(self) -> JobQuerySet:
        """Running, as the row says, but nobody has renewed the lease."""
        return self.running().filter(lease_until__lt=Now())


class Job(models.Model):
    """What workers compute: a run's job (with a key), or a page's draft (with a number)."""

    token = models.UUIDField(default=uuid.uuid4, unique=True)
    lab = models.CharField(max_length=64)
    lane = models.CharField(max_length=16)
    params = models.JSONField()
    seed = models.IntegerField(default=0)
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001 (drafts have none: NULLs are distinct)
    code_version = models.CharField(max_length=64)
    heavy = models.BooleanField(default=False)
    payer = models.ForeignKey(
        "accounts.Learner", models.SET_NULL, null=True, related_name="paid_jobs"
    )
    address = models.CharField(max_length=45, blank=True)  # a guest's: Learner.counts_for

    follow_up = models.CharField(max_length=64, blank=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    draft = models.UUIDField(null=True)
    number = models.BigIntegerField(default=0)

    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    ran = models.JSONField(default=dict)
    seconds = models.FloatField(default=0)

    queued_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    worker = models.JSONField(default=dict)

    checkpoint = models.CharField(max_length=128, blank=True)
    saved_seq = models.PositiveIntegerField(default=0)
    condensed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(state__in=SHARED), name="one_job_a_key"
            ),
            # Of drafts alone: an index of all would be SQLite's first choice for "no draft".
            models.UniqueConstraint(
                fields=["draft"], condition=Q(draft__isnull=False), name="one_draft_a_page"
            ),
            models.CheckConstraint(
                condition=Q(draft=None) | Q(key=None), name="drafts_have_no_key"
            ),
        ]
        indexes = [
            models.Index(fields=["lane", "state", "queued_at"]),
            models.Index(fields=["state", "lease_until"]),
            models.Index(
                fields=["queued_at"], condition=Q(draft__isnull=False), name="drafts_by_age"
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(condensed_at__isnull=True, finished_at__isnull=False),
                name="whole_archives_by_age",
            ),
            # A query names states one by one, so the condition of one_job_a_key is not seen in it.
            models.Index(fields=["key"], name="jobs_of_a_key"),
            models.Index(fields=["payer", "claimed_at"], name="day_of_a_learner"),
            models.Index(fields=["address", "claimed_at"], name="day_of_an_address"),
            models.Index(
                fields=["address"], condition=Q(state=State.QUEUED), name="waiting_at_an_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lab} {self.pk} ({self.state})"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def stream(self) -> str:
        """The key of its live stream. A token, not the id: Redis may outlive a database."""
        return f"draft:{self.draft}" if self.draft else f"job:{self.token}"

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(settings.FILES_ROOT) / "jobs" / str(self.pk)

    @property
    def declared(self) -> Lab:
        return every_lab()[self.lab]

    # --- verbs: each is one conditional UPDATE, and answers whether it was this call that did it

    def _change(self, *, was: Iterable[str], **to: Any) -> bool:
        changed = Job.objects.filter(pk=self.pk, state__in=was, attempt=self.attempt).update(**to)
        if changed:
            self.__dict__.update(
                {k: v for k, v in to.items() if not hasattr(v, "resolve_expression")}
            )
        return bool(changed)

    def renew(self) -> bool:
        """Hold the lease for another while. False: the job is no longer this attempt's."""
        return self._change(
            was=[State.RUNNING], lease_until=Now() + timedelta(seconds=settings.LEASE)
        )

    def count(self, seconds: float) -> None:
        """Add what this attempt has computed, whatever the job's state is by now."""
        mine = Job.objects.filter(pk=self.pk, attempt=self.attempt)
        mine.update(seconds=F("seconds") + round(seconds, 3))

    def succeed(self, ran: dict[str, Any], tail: list[dict[str, Any]]) -> bool:
        """The end that was hoped for: the last part of the archive commits with it."""
        part = Part.of(self, tail)
        with transaction.atomic():
            done = self._change(
                was=[State.RUNNING],
                state=State.SUCCEEDED,
                finished_at=Now(),
                ran=ran,
                lease_until=None,
            )
            if done and part:
                part.save()
        return done

    def fail(self, reason: str, tail: list[dict[str, Any]] | None = None, **more: Any) -> bool:
        """The end in words, from the state that the caller saw: a lapsed job is not its to fail."""
        part = Part.of(self, tail or [])
        with transaction.atomic():
            done = self._change(
                was=[self.state],
                state=State.FAILED,
                reason=reason,
                finished_at=Now(),
                lease_until=None,
                **more,
            )
            if done and part:
                part.save()
        return done

    def cancel(self) -> bool:
        return self._change(was=LIVE, state=State.CANCELLED, finished_at=Now(), lease_until=None)

    def requeue(self) -> bool:
        """Back into the queue in good order (a restart): no try is counted."""
        return self._change(was=[State.RUNNING], state=State.QUEUED, lease_until=None)

    def lapse(self, **still: Any) -> bool:
        """Its worker is gone: try again, or after the last try fail. True if this call did it.

        `still` is what must hold of the row at that moment, such as a lease that is over.
        """
        tries = self.tries + 1
        with transaction.atomic():
            mine = Job.objects.select_for_update().filter(pk=self.pk, attempt=self.attempt)
            if not mine.running().filter(**still).exists():
                return False
            if tries >= settings.TRIES:
                return self.fail(GAVE_UP.format(tries=tries), tries=tries)
            to = {"state": State.QUEUED, "tries": tries, "lease_until": None}
            return self._change(was=[State.RUNNING], **to)

    def time_out(self, reason: str) -> bool:
        """The lab's limit has passed: tried once more, for a busy machine may be why; then the end
        for this reason. True if this call did either; `state` says which.

        A draft has its end at once: its student is at the control.
        """
        tries = self.tries + 1
        if self.draft or self.ran == TIMED_OUT or tries >= settings.TRIES:
            return self.fail(reason, ran=TIMED_OUT, tries=tries)
        to = {"state": State.QUEUED, "tries": tries, "ran": TIMED_OUT, "lease_until": None}
        return self._change(was=[State.RUNNING], **to)

    def keep_checkpoint(self, name: str, tail: list[dict[str, Any]], seq: int) -> bool:
        """Name a checkpoint, and archive the events up to it, in one transaction."""
        part = Part.of(self, tail)
        with transaction.atomic():
            kept = self._change(was=[State.RUNNING], checkpoint=name, saved_seq=seq)
            if kept and part:
                part.save()
        return kept

    def start_over(self) -> None:
        """The checkpoint is lost: what it had archived is computed again, from the first event."""
        with transaction.atomic():
            if self._change(was=[State.RUNNING], checkpoint="", saved_seq=0):
                self.parts.all().delete()

    # --- the archive

    def leave(self, tail: list[dict[str, Any]]) -> None:
        """After a cancel: what this attempt had shown, for the cancelled run's page."""
        part = Part.of(self, tail)
        with transaction.atomic():
            mine = Job.objects.select_for_update().filter(pk=self.pk, attempt=self.attempt)
            if part and mine.filter(state=State.CANCELLED, draft=None).exists():
                part.save()

    def archived(self) -> list[dict[str, Any]]:
        """Every archived event, in order."""
        return [e for part in self.parts.order_by("first") for e in part.events()]

    def condense(self) -> None:
        """Keep of the archive what the page of a job that is over shows: its final state."""
        with transaction.atomic():
            Job.objects.select_for_update().get(pk=self.pk)
            final = sorted(state_at(self.archived()).values(), key=place_of)
            self.parts.all().delete()
            if part := Part.of(self, final):
                part.save()
            Job.objects.filter(pk=self.pk).update(condensed_at=Now())

    def answered(self) -> bool:
        """A draft: its answer is out. False: a newer change came in the meantime; it is queued."""
        mine = Job.objects.filter(pk=self.pk, state=State.RUNNING, attempt=self.attempt)
        if mine.filter(number=self.number).update(state=State.SUCCEEDED, lease_until=None):
            return True
        mine.update(state=State.QUEUED, lease_until=None, queued_at=Now())
        return False


@receiver(post_delete, sender=Job)
def delete_files(instance: Job, **_: Any) -> None:
    """A job's files go with it."""
    transaction.on_commit(partial(shutil.rmtree, instance.folder, ignore_errors=True))


class Part(models.Model):
    """A part of a job's archive: the events that one checkpoint, or the end, committed."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="parts")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    packed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "first"], name="one_part_a_first"),
            models.UniqueConstraint(fields=["job", "last"], name="one_part_a_last"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.first}–{self.last}"

    @classmethod
    def of(cls, job: Job, events: list[dict[str, Any]]) -> Part | None:
        """A part of these events, packed before a transaction is open; None of none."""
        if not events:
            return None
        packed = zlib.compress(json.dumps(events).encode(), 3)
        return cls(job=job, first=events[0]["seq"], last=events[-1]["seq"], packed=packed)

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(zlib.decompress(self.packed))
        return found
