"""Run inside a scratch database's settings: fills it with a past, and measures work beside it.

Prints JSON: of each piece of work the CPU milliseconds at each size, the database's own included.
Nothing that is measured is committed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Learner, User
from bench.clock import cpu_seconds
from labs.lab import catalog
from labs.models import Artifact, Job, Picture, Run, State, Turn
from labs.models.limits import check_day, check_files, check_limits, check_pace
from labs.models.run import Work
from labs.models.turn import Queue, claim
from labs.version import code_version
from workers import reaper, sweeps

ROUNDS, TIMES = 5, 12
OWN, WAIT, RUN = 60, 40, 3
"""Runs of the learner who asks; jobs of others that wait and run: the same at every size."""
PAST = timedelta(days=29)
LAB = catalog()["first-cnn"]
PARAMS = LAB.params()
WORKER = {"host": "here", "boot": "b", "pid": 1, "start": 1}

Measured = Callable[[], object]

SWEEPS: list[tuple[str, Measured]] = [
    (f"reaper, {getattr(duty, '__name__', 'sweep_folders')}", duty)
    for duty in (*reaper.DUTIES, *sweeps.EVERY)
    if duty is not reaper.ring_forgotten  # that asks Redis
]
"""The reaper's duties and sweeps; each is measured where it finds nothing to do but look."""


class Past:
    """Runs of others, evenly over the last weeks; a few live ones; and one learner who asks."""

    def __init__(self) -> None:
        self.size = 0
        self.asker = Learner.objects.create(user=User.objects.create_user("asker"))
        self.guest = Learner.objects.create(address="192.0.2.1")
        self.client = Client()
        self.client.force_login(User.objects.get(username="asker"))
        self.known = Work.of(self.asker, LAB, PARAMS, seed=1)
        done = self.known.job(self.guest, key=self.known.key, state=State.SUCCEEDED)
        done.save()
        for n in range(OWN):
            self.add(self.asker, "", PAST * (n / OWN))
        for n in range(WAIT + RUN):
            who = Learner.objects.create(address="" if n % 2 else f"198.51.100.{n}")
            state = State.RUNNING if n < RUN else State.QUEUED
            until = timezone.now() + timedelta(hours=9) if n < RUN else None
            self.add(who, who.address, timedelta(), state=state, lease_until=until)

    def add(self, who: Learner, address: str, ago: timedelta, **more: Any) -> None:
        job = self.job(who, address, timezone.now() - ago, **more)
        job.save()
        Run.objects.create(learner=who, job=job, lab=LAB.slug, started_at=job.queued_at)

    def job(self, who: Learner, address: str, at: Any, **more: Any) -> Job:
        done = {"state": State.SUCCEEDED, "attempt": 1, "claimed_at": at, "finished_at": at}
        facts = {"key": uuid.uuid4().hex, "queued_at": at, "address": address, "seconds": 1}
        live = more.get("state") == State.QUEUED
        return self.known.job(who, **facts, **({} if live else done) | more)

    def grow_to(self, size: int) -> None:
        new, now = size - self.size, timezone.now()
        learners = Learner.objects.bulk_create(
            Learner(address="" if n % 3 else f"203.0.113.{n % 200}") for n in range(new // 10)
        )
        ends = (State.SUCCEEDED, State.SUCCEEDED, State.FAILED, State.CANCELLED)
        at = [now - PAST * (n / new) for n in range(new)]
        jobs = [
            self.job(who := learners[n % len(learners)], who.address, at[n], state=ends[n % 4])
            for n in range(new)
        ]
        Job.objects.bulk_create(jobs, batch_size=2_000)
        Run.objects.bulk_create(
            (
                Run(learner_id=job.payer_id, job=job, lab=LAB.slug, started_at=job.queued_at)
                for job in jobs
            ),
            batch_size=2_000,
        )
        Artifact.objects.bulk_create(
            (Artifact(job=job, name="model", sha256="0" * 64, size=9) for job in jobs),
            batch_size=2_000,
        )
        self.grow_pictures_and_sessions(learners, now)
        Turn.objects.bulk_create(
            Turn(lane=LAB.lane, learner=who, served_at=now) for who in learners[:: 29 * 4]
        )
        self.size = size
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")

    def grow_pictures_and_sessions(self, learners: list[Learner], now: Any) -> None:
        jobs = [
            Job(lab="picture", lane="interactive", params={}, payer=who, state=State.SUCCEEDED)
            for who in learners[::5]
        ]
        Job.objects.bulk_create(jobs, batch_size=2_000)
        Picture.objects.bulk_create(
            Picture(learner_id=job.payer_id, job=job, label="me", size=9, used=True) for job in jobs
        )
        Session.objects.bulk_create(
            Session(session_key=uuid.uuid4().hex, expire_date=now + PAST) for _ in learners
        )

    def works(self) -> list[tuple[str, Measured]]:
        asker, guest, version = self.asker, self.guest, code_version(LAB)
        return [
            ("join by key", lambda: Run.start(asker, LAB, PARAMS, 1)),
            ("start of a new job", lambda: Run.start(asker, LAB, PARAMS, 2)),
            ("queue", lambda: Queue.of(LAB.lane)),
            ("claim", lambda: claim(LAB.lane, [version], WORKER)),
            ("page My runs", lambda: self.client.get("/runs/")),
            ("pace of a learner", lambda: check_pace(asker)),
            ("pace of an address", lambda: check_pace(guest)),
            ("day of a learner", lambda: check_day(asker, "")),
            ("day of an address", lambda: check_day(guest, guest.address)),
            ("files of a learner", lambda: check_files(asker)),
            ("limits of an address", lambda: check_limits(guest, guest.address)),
            *SWEEPS,
        ]


def cpu() -> float:
    """Seconds that this process has used, and the server's process of this connection."""
    if connection.vendor != "postgresql":
        return time.process_time()
    return time.process_time() + cpu_seconds(connection.connection.info.backend_pid)


def measured(work: Measured) -> float:
    """CPU milliseconds of one time, the median of some rounds."""
    found = []
    for _ in range(ROUNDS):
        began = cpu()
        for _ in range(TIMES):
            with transaction.atomic():
                work()
                transaction.set_rollback(True)
        found.append((cpu() - began) / TIMES * 1_000)
    return statistics.median(found)


def main(sizes: list[int]) -> None:
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.RUNNING_A_LANE = settings.RUNNING_AN_ADDRESS = 1_000
    past, times = Past(), dict[str, list[float]]()
    for size in sizes:
        past.grow_to(size)
        for what, work in past.works():
            measured(work)  # what is loaded once
            times.setdefault(what, []).append(measured(work))
    print(json.dumps(times))


main([int(size) for size in sys.argv[1:]])
