"""The live view of jobs: one Redis stream a job. Append, close, and ring the workers' bell.

The database owns every job and the archive; what is here may be lost at any moment. An entry's id
is `<attempt>-<seq>` (a draft's: `<number>-<seq>`), so Redis itself refuses a late writer.
"""

from __future__ import annotations

import json
import logging
from functools import cache
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings

if TYPE_CHECKING:
    from labs.models.job import Job

log = logging.getLogger(__name__)

LONGEST = 5_000
LONGEST_DRAFT = 64
KEEP_LIVE = 86_400
KEEP_CLOSED = 60


class Fenced(Exception):
    """A newer attempt, or the end, has been written: this writer is too late."""


@cache
def client() -> redis.Redis:
    """One pool a process; a Redis that does not answer costs a second, not a page."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=5, health_check_interval=30
    )


def append(
    key: str,
    attempt: int,
    seq: int,
    event: dict[str, Any],
    keep: int = KEEP_LIVE,
    longest: int = LONGEST,
) -> None:
    """Add an event; the stream keeps about `longest` of them, for `keep` seconds from now.

    Raises Fenced. Without Redis it is only logged: the archive has the event.
    """
    try:
        pipe = client().pipeline(transaction=False)
        pipe.xadd(
            key,
            {"e": json.dumps(event)},
            id=f"{attempt}-{seq}",
            maxlen=longest,
            approximate=longest == LONGEST,
        )
        pipe.expire(key, keep)
        pipe.execute()
    except redis.ResponseError as error:
        if "equal or smaller" in str(error):
            raise Fenced(key) from None
        log.warning("live view of %s skipped an event: %s", key, error)
    except redis.RedisError as error:
        log.warning("live view of %s skipped an event: %s", key, error)


def read(key: str) -> list[dict[str, Any]]:
    """Every entry that the stream still has, with its place; none where Redis is away."""
    try:
        found: Any = client().xrange(key)
        return [placed(entry_id, fields) for entry_id, fields in found]
    except redis.RedisError as error:
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
    append(job.stream, job.attempt, 0, event)


def close(job: Job, state: str) -> None:
    """The closing entry. Its id lies past whatever the attempt could still write."""
    try:
        append(job.stream, job.attempt + 1, 0, {"kind": "closed", "state": state}, KEEP_CLOSED)
    except Fenced:
        log.warning("job %s was closed already", job.pk)


def ring(lane: str) -> None:
    """Tell the workers of a lane that something waits. A lost bell is rung again by the reaper."""
    from workers.app import ring_lane

    try:
        ring_lane(lane)
    except Exception as error:
        log.warning("the bell of %s did not ring: %s", lane, error)
