"""A feed: one job's (or draft's) state in this process, every event rendered once, as SSE bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from labs import stream
from labs.models import Job, State
from labs.models.job import FINAL
from labs.models.turn import Queue
from labs.panel import event_html, status_of
from labs.state import MARKS, Entry, Place, place_of, state_at

Message = tuple[str, Place, bytes]
MOST_ASKED = 500
"""Jobs of one query."""


@dataclass(frozen=True)
class Seen:
    """A job's row as a feed needs it: whether it is over, and its status line without progress."""

    job: Job | None
    status: dict[str, Any]
    is_over: bool


class Feed:
    """The newest message of each name. `last_id` is where the reader goes on."""

    ready: asyncio.Task[None]  # the hub's, which loads it

    def __init__(self, key: str, job_id: int | None) -> None:
        self.key = key
        self.job_id = job_id
        self.last_id = "0-0"
        self.is_filled = False
        self.over = False
        self.newest: dict[str, tuple[Place, bytes]] = {}
        self.progress: Entry | None = None
        self.seen: Seen | None = None
        self.status = b""

    def fill(self, entries: list[Entry], seen: Seen | None) -> None:
        """Take the state from all that is known; the reader goes on behind the stream's last."""
        if entries:
            self.last_id = "{}-{}".format(*max(place_of(e) for e in entries))
        self.newest, self.progress = {}, None
        for entry in state_at(entries).values():
            self.take(entry)
        self.over = seen is not None and seen.is_over
        if seen is not None:
            self.status = b""
            self.show_status(seen)
        self.is_filled = True

    def take(self, entry: Entry) -> list[Message]:
        """One event more. Progress is shown in the status line."""
        place = place_of(entry)
        if entry["kind"] == "progress":
            self.progress = entry
            return self.show_status(self.seen, place) if self.seen else []
        if entry["kind"] == "problem":
            html = render_to_string("_fragments/status.html", {"status": _problem(entry)})
            message = _sse(place, "status", html)
        else:
            message = _sse(place, f"slot-{entry['name']}-body", event_html(entry, live=True))
        self.newest[entry["name"]] = (place, message)
        return [(entry["name"], place, message)]

    def show_status(self, seen: Seen, place: Place | None = None) -> list[Message]:
        """The status line, where it has changed."""
        self.seen = seen
        status = seen.status
        if seen.job is not None and self.progress is not None:
            status = status_of(seen.job, self.progress)
        html = render_to_string("_fragments/status.html", {"status": status}).encode()
        if html == self.status:
            return []
        self.status = html
        place = place or max((p for p, _ in self.newest.values()), default=(0, 0))
        self.newest["status"] = (place, _sse(place, "status", html.decode()))
        return [("status", *self.newest["status"])]

    def newer_than(self, after: Place | None) -> list[Message]:
        """What a viewer lacks who has seen everything up to `after` (None: nothing).

        A place of an earlier attempt says nothing: what was seen there may not count any more.
        """
        last = self._last()
        known = after if after is not None and after[0] == last[0] and after <= last else None
        return [
            (name, place, message)
            for name, (place, message) in self.newest.items()
            if known is None or place > known or name == "status"
        ]

    def changed_since(self, before: dict[str, tuple[Place, bytes]]) -> list[Message]:
        """What differs from an earlier state; a place that is empty again is emptied."""
        changed = [(n, *now) for n, now in self.newest.items() if before.get(n) != now]
        emptied = [n for n in before if n not in self.newest and n != "status"]
        return changed + [
            (n, self._last(), _sse(self._last(), f"slot-{n}-body", "")) for n in emptied
        ]

    def _last(self) -> Place:
        return max((place for place, _ in self.newest.values()), default=(0, 0))


def load_feed(key: str, job_id: int | None) -> tuple[list[Entry], Seen | None]:
    """All entries of a feed and the job's row. Touches the database and Redis."""
    job = Job.objects.filter(pk=job_id).first() if job_id else None
    seen = _seen(job) if job else (Seen(None, {}, True) if job_id else None)
    archived = job.archived() if job else []
    live = stream.read(key)
    if seen is not None and seen.is_over:
        live = [e for e in live if e["kind"] in MARKS]
    return archived + live, seen


def look_at(job_ids: list[int]) -> dict[int, Seen]:
    """The rows of these jobs now; each lane's queue is read once for all who wait in it."""
    jobs = [
        job
        for start in range(0, len(job_ids), MOST_ASKED)
        for job in Job.objects.filter(pk__in=job_ids[start : start + MOST_ASKED])
    ]
    lanes = {job.lane for job in jobs if job.state == State.QUEUED}
    queues = {lane: Queue.of(lane) for lane in lanes}
    found = {job.pk: _seen(job, queues.get(job.lane)) for job in jobs}
    gone = {job_id: Seen(None, {}, True) for job_id in job_ids if job_id not in found}
    return found | gone


def _seen(job: Job, queue: Queue | None = None) -> Seen:
    return Seen(job, status_of(job, queue=queue), job.state in FINAL)


def _problem(entry: Entry) -> dict[str, Any]:
    return {"state": "failed", "text": "Not possible", "reason": entry["reason"]}


def _sse(place: Place, target: str, html: str) -> bytes:
    """One unnamed message that swaps one place of the panel."""
    partial = f'<hx-partial hx-target="#{target}" hx-swap="innerMorph">{html}</hx-partial>'
    data = "".join(f"data: {line}\n" for line in partial.splitlines() if line.strip())
    return f"id: {place[0]}-{place[1]}\n{data}\n".encode()
