"""The reaper: outside every queue, it looks after what nobody else will.

Run it with `python -m workers.reaper`; more than one do no harm.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import workers.app  # sets Django up: what follows needs that

# isort: split
from django.conf import settings
from django.db import close_old_connections
from django.db.models.functions import Now

from labs import stream
from labs.lab import LANES, every_lab
from labs.models import Job, State
from labs.version import code_version
from workers import sweeps

log = logging.getLogger(__name__)

SWEEP_EVERY = 60.0
"""Seconds between two steps of the sweeps."""
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


DUTIES: tuple[Callable[[], None], ...] = (
    take_back_lapsed,
    ring_forgotten,
    end_outdated,
)


def round_once(*more: Callable[[], None]) -> None:
    """Every duty once. One that fails (Redis is down) does not keep the others from theirs."""
    for duty in (*DUTIES, *more):
        try:
            duty()
        except Exception as error:
            log.warning("%s: %s", getattr(duty, "__name__", type(duty).__name__), error)
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
            round_once(*sweeps.EVERY)
        else:
            round_once()
        stop.wait(settings.REAP_EVERY)


if __name__ == "__main__":
    main()
