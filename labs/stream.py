"""The live view of jobs: one Redis stream a job. Append, close, and ring the workers' bell.

The database owns every job and the archive; what is here may be lost at any moment. An entry's id
is `<attempt>-<seq>` (a draft's: `<number>-<seq>`), so Redis itself refuses a late writer.
"""

from __future__ import annotations

import json
import logging
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings

if TYPE_CHECKING:
    from labs.models.job import Job

log = logging.getLogger(__name__)

LONGEST = 5_000
KEEP_LIVE = 86_400
KEEP_CLOSED = 60
KEEP_DRAFT = 300
"""Seconds: a page whose connection was lost for longer asks anew when a control moves."""
DRAFT_SEQS = 10_000
"""A draft's attempt n numbers its events from n × this, past whatever the last attempt sent."""

SILENCE = 2.0
"""Seconds in which Redis, once it did not answer, is not asked again: pages do not wait for it."""
_silent_until = float("-inf")

ADD = """
redis.call('XADD', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'e', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
"""
"""In one: what is refused must not make the stream live longer."""


class Fenced(Exception):
    """A newer attempt, or the end, has been written: this writer is too late."""


@cache
def client() -> redis.Redis:
    """One pool a process; a Redis that does not answer costs a second, not a page."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2, health_check_interval=30
    )


def is_silent() -> bool:
    """Redis did not answer a moment ago: what can do without it does."""
    return time.monotonic() < _silent_until


def fell_silent(error: Exception) -> None:
    global _silent_until
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | OSError):
        _silent_until = time.monotonic() + SILENCE


def append(job: Job, seq: int, event: dict[str, Any], keep: int = KEEP_LIVE) -> None:
    """Add an event of the job's attempt; of a draft, only what belongs to this number stays.

    Raises Fenced. Without Redis it is only logged: the archive has the event.
    """
    if job.draft:
        trim, at, keep = ("MINID", "=", f"{job.number}-0"), f"{job.number}-{seq}", KEEP_DRAFT
    else:
        trim, at = ("MAXLEN", "~", str(LONGEST)), f"{job.attempt}-{seq}"
    _add(job.stream, *trim, at, json.dumps(event), str(keep))


def _add(key: str, *arguments: str) -> None:
    if is_silent():
        return
    try:
        client().register_script(ADD)(keys=[key], args=arguments)
    except redis.ResponseError as error:
        if "equal or smaller" in str(error):
            raise Fenced(key) from None
        log.warning("live view of %s skipped an event: %s", key, error)
    except redis.RedisError as error:
        fell_silent(error)
        log.warning("live view of %s skipped an event: %s", key, error)


def read(key: str) -> list[dict[str, Any]]:
    """Every entry that the stream still has, with its place; none where Redis is away."""
    if is_silent():
        return []
    try:
        found: Any = client().xrange(key)
        return [placed(entry_id, fields) for entry_id, fields in found]
    except redis.RedisError as error:
        fell_silent(error)
        log.warning("live view of %s cannot be read: %s", key, error)
        return []


def placed(entry_id: bytes, fields: dict[bytes, bytes]) -> dict[str, Any]:
    """An entry as `labs.state` takes it: the event, with attempt and seq from the entry's id."""
    attempt, seq = place_of_id(entry_id.decode())
    event: dict[str, Any] = json.loads(fields[b"e"])
    return event | {"attempt": attempt, "seq": seq}


def place_of_id(entry_id: str) -> tuple[int, int]:
    """`<attempt>-<seq>` as numbers. Raises ValueError."""
    attempt, _, seq = entry_id.partition("-")
    return int(attempt), int(seq)


def begin(job: Job) -> None:
    """An attempt's first entry: what it goes on from. Refuses every earlier attempt from now on."""
    event = {"kind": "attempt", "attempt": job.attempt, "from": job.saved_seq, "tries": job.tries}
    append(job, 0, event)


def close(job: Job, state: str) -> None:
    """The closing entry. Its id lies past whatever the attempt could still write.

    A draft is never closed: its page is told why there is no answer, and asks on.
    """
    try:
        if job.draft:
            problem = {"kind": "problem", "name": "status", "reason": job.reason}
            append(job, (job.attempt + 1) * DRAFT_SEQS, problem)
        else:
            entry = json.dumps({"kind": "closed", "state": state})
            trim = ("MAXLEN", "~", str(LONGEST))
            _add(job.stream, *trim, f"{job.attempt + 1}-0", entry, str(KEEP_CLOSED))
    except Fenced:
        log.warning("job %s was closed already", job.pk)


def ring(lane: str) -> None:
    """Tell the workers of a lane that something waits. A lost bell is rung again by the reaper."""
    from workers.app import ring_lane

    if is_silent():
        return
    try:
        ring_lane(lane)
    except Exception as error:
        fell_silent(OSError())
        log.warning("the bell of %s did not ring: %s", lane, error)
