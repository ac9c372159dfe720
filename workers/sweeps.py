"""What nobody will need again goes, in steps that stay short however much there is.

A step looks at no more than `STEP` of anything, by an index or from where the last one ended, so
that a round costs the same on a small site and on a large one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import Learner
from labs.models import Artifact, Job, Picture, Run, State, Turn
from labs.models.job import FINAL, LIVE
from labs.models.turn import REMEMBERED

STEP = 500
FOLDERS = 2_000
"""Folders looked at in a step: a look at one costs a hundredth of a row's deletion."""
FORGET_REFUSED = timedelta(hours=1)
WRITTEN = 60
"""Seconds after which a file is taken to be whole."""


class Walk:
    """Goes through rows by primary key, a step at a time, and begins again behind the last."""

    def __init__(self) -> None:
        self.after: Any = None

    def step(self, rows: QuerySet[Any]) -> list[Any]:
        """The primary keys of the next rows."""
        further = rows.filter(pk__gt=self.after) if self.after is not None else rows
        found = list(further.order_by("pk").values_list("pk", flat=True)[:STEP])
        self.after = found[-1] if len(found) == STEP else None
        return found


all_jobs, all_pictures = Walk(), Walk()


def _delete(model: type[Model], rows: QuerySet[Any]) -> None:
    """One step of these rows, with all that belongs to them."""
    keys = list(rows.values_list("pk", flat=True)[:STEP])
    model._default_manager.filter(pk__in=keys).delete()


def sweep_drafts() -> None:
    """Drafts that nobody has changed for a while; while their seconds count, the row stays."""
    counts = Q(payer__isnull=False, seconds__gt=0, claimed_at__gt=Now() - timedelta(days=1))
    old = Job.objects.drafts().filter(queued_at__lt=Now() - timedelta(seconds=settings.KEEP_DRAFTS))
    _delete(Job, old.exclude(state=State.RUNNING).exclude(counts).order_by("queued_at"))


def sweep_guests() -> None:
    """Guests who have not been here for long, with their runs and pictures."""
    long_ago = Now() - timedelta(seconds=settings.KEEP_GUESTS)
    _delete(Learner, Learner.objects.filter(user=None, seen__lt=long_ago).order_by("seen"))


def sweep_sessions() -> None:
    _delete(Session, Session.objects.filter(expire_date__lt=Now()).order_by("expire_date"))


def sweep_jobs() -> None:
    """Jobs that no run and no picture refers to any more."""
    long_ago = Now() - timedelta(seconds=settings.KEEP_GUESTS)
    looked_at = all_jobs.step(Job.objects.all())
    held = {
        *Run.objects.filter(job__in=looked_at).values_list("job", flat=True),
        *Picture.objects.filter(job__in=looked_at).values_list("job", flat=True),
    }
    left = Job.objects.filter(pk__in=[pk for pk in looked_at if pk not in held]).kept()
    _delete(Job, left.filter(state__in=FINAL, queued_at__lt=long_ago))


def sweep_refused_pictures() -> None:
    """Pictures that could not be read: who sent them has been told."""
    looked_at = Picture.objects.filter(pk__in=all_pictures.step(Picture.objects.all()))
    old = looked_at.filter(created__lt=Now() - FORGET_REFUSED).values_list("job", flat=True)
    _delete(Job, Job.objects.filter(pk__in=list(old), state=State.FAILED))


def condense_archives() -> None:
    """Of runs that are long over the final state is kept, and not what led there."""
    long_ago = Now() - timedelta(seconds=settings.KEEP_ARCHIVES)
    old = Job.objects.filter(condensed_at=None, finished_at__lt=long_ago)
    for job in old.order_by("finished_at")[:STEP]:
        job.condense()


def sweep_unused() -> None:
    """Guests' pictures that nothing has used, and turns that are so old that they count no more."""
    old = Now() - timedelta(seconds=settings.KEEP_UNUSED)
    unused = Picture.objects.filter(used=False, created__lt=old).order_by("created")
    Job.objects.filter(pk__in=list(unused.values_list("job", flat=True)[:STEP])).delete()
    _delete(Turn, Turn.objects.filter(served_at__lt=Now() - REMEMBERED).order_by("served_at"))


def sweep_uploads() -> None:
    """What was sent, of jobs whose process ended before it could delete it: it may say where."""
    for left in Artifact.objects.filter(name="upload", job__state__in=FINAL)[:STEP]:
        left.path.unlink(missing_ok=True)
        left.delete()


def sweep_checkpoints() -> None:
    """Those of jobs that are over. There are as many as jobs that are not, and a few more."""
    live = Job.objects.filter(state__in=LIVE).exclude(checkpoint="")
    kept = set(live.values_list("checkpoint", flat=True))
    for path in _older(_entries(settings.FILES_ROOT / "checkpoints")):
        if path.name not in kept:
            path.unlink(missing_ok=True)


class Folders:
    """Folders of jobs that are gone: a job's goes with it, but its worker may have died first."""

    def __init__(self) -> None:
        self.place: Path | None = None
        self.ahead: Iterator[Path] = iter(())

    def __call__(self) -> None:
        place = settings.FILES_ROOT / "jobs"
        if place != self.place:
            self.place, self.ahead = place, iter(())
        some = list(islice(self.ahead, FOLDERS))
        if len(some) < FOLDERS:  # the end: from the start again
            self.ahead = _entries(place)
            some += islice(self.ahead, FOLDERS - len(some))
        numbered = {int(path.name): path for path in _older(iter(some)) if path.name.isdigit()}
        names = list(numbered)
        for at in range(0, len(names), STEP):
            here = names[at : at + STEP]
            there = set(Job.objects.filter(pk__in=here).values_list("pk", flat=True))
            for pk in set(here) - there:
                shutil.rmtree(numbered[pk], ignore_errors=True)


def _entries(folder: Path) -> Iterator[Path]:
    """What lies in a folder, read as it is asked for."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        for entry in found:
            yield folder / entry.name


def _older(paths: Iterator[Path]) -> Iterator[Path]:
    """Those that have lain there for a while: nothing that is being written."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # renamed or deleted meanwhile
            if path.stat().st_mtime < time.time() - WRITTEN:
                yield path


sweep_folders = Folders()
EVERY: tuple[Callable[[], None], ...] = (
    sweep_drafts,
    sweep_guests,
    sweep_sessions,
    sweep_jobs,
    sweep_refused_pictures,
    sweep_unused,
    condense_archives,
    sweep_uploads,
    sweep_checkpoints,
    sweep_folders,
)
