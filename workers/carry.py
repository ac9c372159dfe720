"""Carry a claimed job: run its compute, put each event on the stream, keep the archive.

Compute yields, this carries; it knows nothing of pages, and compute knows nothing of it.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connection

from labs import stream
from labs.context import LabError
from labs.events import Event
from labs.models import Job, State
from labs.room import ran_out
from workers import life
from workers.context import WorkerContext
from workers.lease import Lease
from workers.wire import encode

log = logging.getLogger(__name__)

PICTURE_BYTES = 8_000_000
SAVE_WITHIN = 10.0
BROKEN = (
    "Something went wrong on our side, so this run stopped. Your settings are kept: start it "
    "again. If it stops again, tell whoever runs this site, and give this run's address."
)
TOO_LARGE = (
    "The run needed more memory than this site allows. "
    "Use a smaller network, a smaller batch or a smaller picture."
)
NO_ROOM = (
    "The disk of this site is full, so this run stopped. Your settings are kept: start it again "
    "later, and tell whoever runs this site."
)
FULL = {
    "kind": "note",
    "name": "pictures-full",
    "title": "",
    "sentence": "",
    "text": "This run has streamed 8 MB of pictures, the most that is kept. It goes on without.",
    "lines": [],
    "tone": "warning",
}


class Stopped(Exception):
    """The worker is stopping: the job goes back into the queue."""


class Carrier:
    """One attempt at one job, from its claim to its end."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.seq = 0
        self.tail: list[dict[str, Any]] = []
        self.picture_bytes = 0
        self.told_to_stop_at: float | None = None
        self.is_counted = False
        self.began = time.monotonic()

    def run(self) -> None:
        lease = Lease(self.job)
        try:
            with lease:
                self._begin()
                for event in self._events():
                    if lease.lost:
                        raise stream.Fenced(self.job.stream)
                    self._stop_in_time()
                    if event is not None:
                        self._send(encode(event))
                self._succeed()
        except stream.Fenced:
            log.info("job %s: another attempt or a cancel has it", self.job.pk)
            self.job.leave(self.tail)
        except Stopped:
            if self.job.requeue():
                stream.ring(self.job.lane)
        except LabError as error:
            self._fail(str(error))
        except (OperationalError, InterfaceError):
            log.exception("job %s: the database went away", self.job.pk)
            self._give_back()
        except Exception as error:
            log.exception("job %s of %s failed; runs: %s", self.job.pk, self.job.lab, self._runs())
            self._fail(reason_of(error))
        finally:
            self._count()

    def _runs(self) -> str:
        """The ids that learners see in their addresses, to find what they report in the log."""
        with contextlib.suppress(Error):
            return " ".join(str(pk) for pk in self.job.runs.values_list("pk", flat=True)[:20])
        return "unknown"

    def _begin(self) -> None:
        """Where this attempt goes on. A lost checkpoint takes the archive back to its start."""
        self.ctx = WorkerContext(self.job, save=self._save)
        if self.job.draft:
            # An attempt before this one may have shown some of this very number already.
            self.seq = self.job.attempt * stream.DRAFT_SEQS
        else:
            self.seq = self.job.saved_seq
            stream.begin(self.job)

    def _events(self) -> Iterator[Event | None]:
        lab = self.job.declared
        name = self.job.follow_up
        model = lab.follow_ups[name] if name else lab.params
        compute = getattr(lab.compute(), name or "run")
        events: Iterator[Event | None] = compute(model.model_validate(self.job.params), self.ctx)
        return events

    def _send(self, event: dict[str, Any]) -> None:
        if event["kind"] in ("images", "boxes"):
            size = sum(len(item["png"]) for item in event["items"])
            if self.picture_bytes + size > PICTURE_BYTES:
                event = FULL
            self.picture_bytes += size
        self.seq += 1
        event = event | {"seq": self.seq, "attempt": self.job.attempt}
        if not self.job.draft:
            self.tail.append(event)
        stream.append(self.job, self.seq, event)

    def _save(self, name: str) -> None:
        """A checkpoint file is whole: commit its name with the events that it follows."""
        if not self.job.keep_checkpoint(name, self.tail, self.seq):
            raise stream.Fenced(self.job.stream)
        self.tail = []
        if life.stopping():
            raise Stopped

    def _stop_in_time(self) -> None:
        """While the worker stops: let compute reach its next checkpoint, but not for long."""
        if not life.stopping():
            return
        self.ctx.due()
        self.told_to_stop_at = self.told_to_stop_at or time.monotonic()
        if time.monotonic() - self.told_to_stop_at > SAVE_WITHIN:
            raise Stopped

    def _count(self) -> None:
        """Computing counts in its learner's day, however it ended, and once."""
        if self.is_counted:
            return
        self.is_counted = True
        try:
            self.job.count(time.monotonic() - self.began)
        except Error as error:
            log.warning("job %s: its seconds were not counted: %s", self.job.pk, error)

    def _give_back(self) -> None:
        """The database's trouble is not the run's: it is tried again, at once or when it lapses."""
        connection.close()
        with contextlib.suppress(Error):
            if self.job.lapse():
                stream.ring(self.job.lane)
            if self.job.state == State.FAILED:
                stream.close(self.job, State.FAILED)

    def _succeed(self) -> None:
        if self.job.draft:
            self._count()
            self.job.answered()
            return
        self._count()
        if self.job.succeed(self.ctx.ran(), self.tail):
            stream.close(self.job, State.SUCCEEDED)
            self.ctx.forget()

    def _fail(self, reason: str) -> None:
        if self.job.draft:
            problem = {"kind": "problem", "name": "status", "reason": reason}
            with contextlib.suppress(stream.Fenced):  # a newer change or attempt is shown already
                self._send(problem)
            self._count()
            self.job.answered()
        elif self.job.fail(reason, self.tail):
            stream.close(self.job, State.FAILED)


def carry(job: Job) -> None:
    Carrier(job).run()


def reason_of(error: Exception) -> str:
    """What the learner reads of a fault that is none of compute's own refusals."""
    if ran_out(error):
        return NO_ROOM
    return TOO_LARGE if is_out_of_memory(error) else BROKEN


def is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
