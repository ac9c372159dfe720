"""The one task: a bell rings, and a child of the pool takes the next job in turn."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import close_old_connections

from labs import stream
from labs.lab import LANES, every_lab
from labs.models import State
from labs.models.turn import claim, next_in_turn, take_over
from labs.version import code_version
from workers import life
from workers.app import app
from workers.carry import carry

log = logging.getLogger(__name__)
_recovered_at = float("-inf")


@app.task(name="workers.tasks.work", bind=True, ignore_result=True)
def work(self: Any, lane: str) -> None:
    """Claim the next job of the lane and carry it to its end; ring again if more wait."""
    if lane not in LANES:
        log.error("a bell named no lane of ours: %.80r", lane)
        return
    close_old_connections()
    me = life.this_process()
    recover(me, at_once=bool((self.request.delivery_info or {}).get("redelivered")))
    versions = {code_version(lab) for lab in every_lab().values()}
    job = claim(lane, versions, me)
    if job is not None:
        carry(job)
    if next_in_turn(lane, versions, me["host"]).exists() and not life.stopping():
        stream.ring(lane)


def recover(me: dict[str, object], at_once: bool) -> None:
    """Take over what a dead process of this host has left.

    Looked for once a second at most, but at once where the bell comes from such a process.
    """
    global _recovered_at
    if not at_once and time.monotonic() - _recovered_at < 1:
        return
    _recovered_at = time.monotonic()
    for job in take_over(me, life.is_gone):
        log.warning("job %s: its process is gone (try %s)", job.pk, job.tries)
        if job.state == State.FAILED:
            stream.close(job, job.state)
