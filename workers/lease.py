"""The lease on a job, held by a thread of the pool's child that is its watchdog too."""

from __future__ import annotations

import copy
import logging
import os
import signal
import threading
import time
from types import TracebackType

from django.conf import settings
from django.db import Error, connection

from labs import stream
from labs.models import Job, State

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
ROW_GRACE = 5.0
"""Seconds past the limit that the database has to take down why."""
TOO_LONG = (
    "The run took longer than the {limit:.0f} seconds that this lab allows, so we stopped it. "
    "{remedy}"
)


class Lease:
    """Renews the lease, looks for a cancel, and ends this process where compute does not obey.

    It ends the process (SIGKILL: no handler of a library can hold it up) when a cancel was not
    obeyed for CANCEL_GRACE seconds, when the lab's limit has passed, or when the lease could not
    be renewed for HEARTBEAT_LOST seconds. The row says first what the student will read; where
    the database holds that up, a second thread, which asks nobody but the clock, ends it all the
    same.
    """

    def __init__(self, job: Job) -> None:
        self.job = copy.copy(job)  # changed by this thread alone, on its own connection
        self.limit = job.declared.limit
        self.lost = False
        self.began = self.seen = time.monotonic()
        self.lost_at: float | None = None
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=duty, name=f"{duty.__name__}-{job.pk}", daemon=True)
            for duty in (self._hold, self._watch)
        ]

    def __enter__(self) -> Lease:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()

    def _hold(self) -> None:
        """With the database: renew, look, and say in the row why the time was up."""
        renewed = self.began
        try:
            while not self._done.wait(LOOK_EVERY):
                now = time.monotonic()
                try:
                    if now - renewed >= settings.HEARTBEAT:
                        self.lost |= not self.job.renew()
                        renewed = self.seen = now
                    elif not self.lost:
                        self.lost = not self._still_ours()
                except Error as error:
                    log.warning("job %s: the lease was not renewed: %s", self.job.pk, error)
                    connection.close()  # the next look tries a new one
                if self.lost and self.lost_at is None:
                    self.lost_at = now
                if now - self.began > self.limit:
                    self._time_out()
        finally:
            connection.close()

    def _watch(self) -> None:
        """With the clock alone."""
        while not self._done.wait(LOOK_EVERY):
            now = time.monotonic()
            if self.lost_at is not None and now - self.lost_at >= settings.CANCEL_GRACE:
                self._end("a cancel was not obeyed")
            if now - self.seen > settings.HEARTBEAT_LOST:
                self._end("the lease could not be renewed")
            if now - self.began > self.limit + ROW_GRACE:
                self._end("the time limit has passed, and the database does not answer")

    def _still_ours(self) -> bool:
        return Job.objects.running().filter(pk=self.job.pk, attempt=self.job.attempt).exists()

    def _time_out(self) -> None:
        try:
            remedy = self.job.declared.too_long
            mine = self.job.time_out(TOO_LONG.format(limit=self.limit, remedy=remedy).strip())
            self.job.count(time.monotonic() - self.began)
            if mine and self.job.state == State.FAILED:
                stream.close(self.job, State.FAILED)
            elif mine:
                stream.ring(self.job.lane)
        finally:  # also where the row cannot be written: then it lapses, and is tried again
            self._end("the time limit has passed")

    def _end(self, why: str) -> None:
        if not self._done.is_set():
            log.error("job %s: %s; this process ends itself", self.job.pk, why)
            os.kill(os.getpid(), signal.SIGKILL)
