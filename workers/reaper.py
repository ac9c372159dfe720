"""The reaper: outside every queue, it looks after what nobody else will.

Run it with `python -m workers.reaper`; more than one do no harm.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import workers.app  # sets Django up: what follows needs that

# isort: split
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import close_old_connections
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Learner
from labs import stream
from labs.lab import LANES, every_lab
from labs.models import Artifact, Job, Picture, State, Turn
from labs.models.job import FINAL
from labs.models.turn import REMEMBERED
from labs.version import code_version

log = logging.getLogger(__name__)

MOST_ASKED = 500
"""Jobs of one query."""
SWEEP_EVERY = 60.0
"""Seconds between two looks at all files: their number grows with the site."""
FORGET_REFUSED = timedelta(hours=1)
OUTDATED_AFTER = timedelta(minutes=15)
OUTDATED = "This lab was updated while your run waited. Start it again: the settings are kept."


def take_back_lapsed() -> None:
    """Jobs whose worker no longer renews its lease: queue them again, or give up."""
    for job in Job.objects.lapsed():
        if job.lapse(lease_until__lt=Now()):
            log.warning("job %s: its lease lapsed (try %s)", job.pk, job.tries)
            if job.state == State.FAILED:
                stream.close(job, job.state)


def ring_forgotten() -> None:
    """Lanes where jobs wait and no bell is left: it was lost, or never rung."""
    for lane in LANES:
        if Job.objects.waiting().filter(lane=lane).exists() and not stream.client().llen(lane):
            stream.ring(lane)


def end_outdated() -> None:
    """Jobs that wait for a worker of a code version that is gone."""
    versions = [code_version(lab) for lab in every_lab().values()]
    old = Job.objects.waiting().filter(queued_at__lt=Now() - OUTDATED_AFTER)
    for job in old.exclude(code_version__in=versions):
        if job.fail(OUTDATED):
            stream.close(job, job.state)


def sweep_drafts() -> None:
    """Drafts that nobody has changed for a while; while their seconds count, the row stays."""
    counts = Q(payer__isnull=False, seconds__gt=0, claimed_at__gt=Now() - timedelta(days=1))
    Job.objects.drafts().filter(
        queued_at__lt=Now() - timedelta(seconds=settings.KEEP_DRAFTS)
    ).exclude(state=State.RUNNING).exclude(counts).delete()


def sweep_guests() -> None:
    """Guests who have not been here for long, with their runs and pictures."""
    long_ago = Now() - timedelta(seconds=settings.KEEP_GUESTS)
    Learner.objects.filter(user=None, seen__lt=long_ago).delete()
    Job.objects.kept().filter(runs=None, picture=None, state__in=FINAL).filter(
        queued_at__lt=long_ago
    ).delete()
    refused = Picture.objects.filter(job__state=State.FAILED, created__lt=Now() - FORGET_REFUSED)
    Job.objects.filter(picture__in=refused).delete()
    Session.objects.filter(expire_date__lt=Now()).delete()


def sweep_unused() -> None:
    """Guests' pictures that nothing has used, and turns that are so old that they count no more."""
    old = Now() - timedelta(seconds=settings.KEEP_UNUSED)
    unused = Picture.objects.filter(used=False, created__lt=old)
    Job.objects.filter(pk__in=list(unused.values_list("job", flat=True)[:MOST_ASKED])).delete()
    Turn.objects.filter(served_at__lt=Now() - REMEMBERED).delete()


def sweep_uploads() -> None:
    """What was sent, of jobs whose process ended before it could delete it: it may say where."""
    for left in Artifact.objects.filter(name="upload", job__state__in=FINAL):
        left.path.unlink(missing_ok=True)
        left.delete()


def sweep_files() -> None:
    """Checkpoints of jobs that are over, and folders of jobs that are gone."""
    kept = set(
        Job.objects.exclude(checkpoint="")
        .exclude(state__in=FINAL)
        .values_list("checkpoint", flat=True)
    )
    for path in _older(settings.FILES_ROOT / "checkpoints"):
        if path.name not in kept:
            path.unlink(missing_ok=True)
    folders = [p for p in _older(settings.FILES_ROOT / "jobs") if p.name.isdigit()]
    for start in range(0, len(folders), MOST_ASKED):
        some = {int(path.name): path for path in folders[start : start + MOST_ASKED]}
        there = set(Job.objects.filter(pk__in=list(some)).values_list("pk", flat=True))
        for pk in set(some) - there:
            shutil.rmtree(some[pk], ignore_errors=True)


def _older(folder: Path) -> list[Path]:
    """What lies in a folder for longer than a minute: nothing that is being written."""
    found = []
    for path in folder.iterdir() if folder.exists() else ():
        with contextlib.suppress(FileNotFoundError):  # renamed or deleted meanwhile
            if path.stat().st_mtime < time.time() - 60:
                found.append(path)
    return found


DUTIES: tuple[Callable[[], None], ...] = (
    take_back_lapsed,
    ring_forgotten,
    end_outdated,
    sweep_drafts,
    sweep_guests,
    sweep_unused,
    sweep_uploads,
)


def round_once(*more: Callable[[], None]) -> None:
    """Every duty once. One that fails (Redis is down) does not keep the others from theirs."""
    for duty in (*DUTIES, *more):
        try:
            duty()
        except Exception as error:
            log.warning("%s: %s", duty.__name__, error)
        finally:
            close_old_connections()


def main() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("%s: a round every %g s", workers.app.app.main, settings.REAP_EVERY)
    swept = float("-inf")
    while not stop.is_set():
        if time.monotonic() - swept > SWEEP_EVERY:
            swept = time.monotonic()
            round_once(sweep_files)
        else:
            round_once()
        stop.wait(settings.REAP_EVERY)


if __name__ == "__main__":
    main()
