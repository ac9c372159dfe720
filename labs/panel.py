"""What a page shows of a run: its status in words, its slots, and what can be done after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from labs import stream
from labs.lab import Lab, Slot
from labs.models import Job, Run, State
from labs.models.answer import questions_of
from labs.models.job import TIMED_OUT
from labs.models.turn import Queue
from labs.state import Entry, state_at

AGAIN = (
    "It took longer than the {:.0f} seconds that this lab allows. The machine may have been busy, "
    "so it is tried once more."
)
SHOULD_HAVE_STARTED = timedelta(seconds=10)


@dataclass(frozen=True)
class Shown:
    """A slot with what is in it now ("" before its first event)."""

    slot: Slot
    html: SafeString


def event_html(
    event: Entry, ask_url: str = "", pictures: str = "", live: bool = False
) -> SafeString:
    """An event's fragment. Pictures are data: addresses, or files below the address `pictures`.

    `live` leaves out what the page's script draws anyway, and the long tables: they come with the
    finished panel.
    """
    if "items" in event:
        event = event | {
            "items": [with_source(event, n, pictures) for n in range(len(event["items"]))]
        }
        if event["kind"] == "boxes":
            event["image"] = event["items"][0]
    context = {"event": event, "ask_url": ask_url, "live": live}
    return render_to_string(f"events/{event['kind']}.html", context)


def with_source(event: Entry, n: int, pictures: str) -> dict[str, Any]:
    item: dict[str, Any] = dict(event["items"][n])
    png = item.pop("png")
    item["src"] = (
        f"{pictures}{event['attempt']}-{event['seq']}-{n}.png"
        if pictures
        else mark_safe(f"data:image/png;base64,{png}")  # noqa: S308 (our own encoder's base64)
    )
    return item


def slots_of(
    lab: Lab, shown: dict[str, Entry], ask_url: str = "", pictures: str = ""
) -> list[Shown]:
    """Every declared slot, then one for each event that has no slot of its own."""
    declared = {slot.name: slot for slot in lab.panel}
    extra = [
        Slot(name=e["name"], kind=e["kind"], title=e["title"], rows=0)
        for e in shown.values()
        if e["name"] not in declared and e["kind"] != "progress"
    ]
    return [
        Shown(slot, event_html(shown[slot.name], _ask(shown[slot.name], ask_url), pictures))
        if slot.name in shown
        else Shown(slot, SafeString(""))
        for slot in [*lab.panel, *extra]
    ]


def _ask(event: Entry, ask_url: str) -> str:
    return f"{ask_url}{event['ask']}/" if ask_url and event.get("ask") else ""


def status_of(
    job: Job, progress: Entry | None = None, run: Run | None = None, queue: Queue | None = None
) -> dict[str, Any]:
    """The status line: the state, and in words where the run stands (in `queue`, its lane's)."""
    state = run.state if run else job.state
    if state == State.QUEUED and progress and not job.attempt:
        state = State.RUNNING  # the row that is known here is older than what the stream says
    status: dict[str, Any] = {
        "state": state,
        "reason": job.reason if state == State.FAILED else "",
        "can_cancel": state in (State.QUEUED, State.RUNNING),
        "what_ran": what_ran(job),
    }
    if progress:
        status |= {"done": progress["done"], "total": progress["total"], "unit": progress["unit"]}
    if state == State.QUEUED and job.tries == 0 and job.attempt == 0:
        queue = queue or Queue.of(job.lane)
        status |= {"place": queue.place(job), "expected": queue.seconds_until(job)}
        status["text"] = f"Queued, place {status['place']}{_starts(job, queue, status['expected'])}"
    elif state == State.QUEUED or (state == State.RUNNING and progress is None and job.tries):
        status |= {
            "state": "restarting",
            "text": f"Restarting, attempt {job.attempt + (state == State.QUEUED)}",
            "reason": AGAIN.format(job.declared.limit) if job.ran == TIMED_OUT else "",
        }
    elif state == State.RUNNING and progress:
        status["text"] = f"Running, {progress['unit']} {progress['done']} of {progress['total']}"
    elif state == State.SUCCEEDED:
        again = "Replayed: computed before in" if run and run.replay else "Done in"
        status["text"] = f"{again} {job.seconds:.1f} s"
        status["state"] = "replay" if run and run.replay else state
    else:
        status["text"] = State(state).label
    return status


def what_ran(job: Job) -> str:
    if job.state != State.SUCCEEDED:
        return ""
    ran = job.ran
    seed = f"seed {job.seed}" if job.declared.seeded else ""
    facts = [str(ran.get("device", "")).upper(), ran.get("dtype", ""), seed]
    return ", ".join(str(f) for f in [*facts, f"code {ran.get('code', '')}"] if f)


def _starts(job: Job, queue: Queue, seconds: float) -> str:
    """When it starts; or that it should have, where nothing of its lane is being computed."""
    if not queue.running and timezone.now() - job.queued_at > SHOULD_HAVE_STARTED:
        return ". No worker has taken it yet."
    return f", {_about(seconds)}"


def _about(seconds: float) -> str:
    if seconds < 1:
        return "starts now"
    return (
        f"starts in about {seconds:.0f} s"
        if seconds < 90
        else f"starts in about {seconds / 60:.0f} min"
    )


def entries_of(job: Job) -> list[Entry]:
    """All events that the archive and the live stream have."""
    return job.archived() + stream.read(job.stream)


def shown_of(job: Job) -> dict[str, Entry]:
    """What a job's page shows; of one that is over it is kept while its pictures load."""
    if job.state != State.SUCCEEDED:
        return state_at(entries_of(job))
    return _archived(job.pk, str(job.finished_at))


@lru_cache(maxsize=4)
def _archived(job_id: int, finished_at: str) -> dict[str, Entry]:  # noqa: ARG001 (of the key)
    return state_at(Job.objects.get(pk=job_id).archived())


def figures_of(run: Run) -> dict[str, Any]:
    """The figures of a run's Result; none where it has none."""
    figures: dict[str, Any] = shown_of(run.job).get("result", {}).get("figures", {})
    return figures


def panel_context(run: Run, live: bool = True) -> dict[str, Any]:
    """Everything that `_fragments/panel.html` shows of a run."""
    job, lab = run.job, run.job.declared
    over = run.is_over
    archived = job.state == State.SUCCEEDED
    shown = shown_of(job)
    base = reverse("runs:run", args=[run.pk])
    newest = max(
        (f"{e['attempt']}-{e['seq']}" for e in shown.values()), key=stream.place_of_id, default=""
    )
    return {
        "lab": lab,
        "run": run,
        "slots": slots_of(
            lab,
            shown,
            ask_url=f"{base}asks/" if job.state == State.SUCCEEDED else "",
            pictures=f"{base}pictures/" if archived else "",
        ),
        "status": status_of(job, shown.get("progress"), run),
        "stream_url": "" if over or not live else f"{base}events/?after={newest}",
        "after": after_context(run) if over else None,
    }


def empty_context(run: Run) -> dict[str, Any]:
    """The panel of a live run with nothing in it yet: the stream brings its state, rendered once
    for all who start the same."""
    return {
        "lab": run.job.declared,
        "run": run,
        "slots": slots_of(run.job.declared, {}),
        "status": {"state": run.state, "text": run.word, "can_cancel": True},
        "stream_url": reverse("runs:events", args=[run.pk]),
        "after": None,
    }


def after_context(run: Run) -> dict[str, Any]:
    """What can be done with a run that is over: downloads, again, follow-ups."""
    base = reverse("runs:run", args=[run.pk])
    return {
        "run": run,
        "downloads": [
            {"name": a.name, "size": a.size, "sha256": a.sha256, "url": f"{base}files/{a.name}"}
            for a in run.job.artifacts.order_by("name")
            if not run.cancelled_at
        ],
        "kept": kept_of(run),
        "permalink": base,
        "again_url": again_url(run),
        "seed": run.job.seed if run.job.declared.seeded else None,
        "questions": questions_of(run, figures_of(run)) if run.state == State.SUCCEEDED else [],
    }


def kept_of(run: Run) -> dict[str, Any]:
    """How long this run is kept: all of a guest's, and the steps of an account's."""
    if run.learner.is_guest:
        return {"guest_days": round(settings.KEEP_GUESTS / 86_400)}
    finished = run.job.finished_at
    return {
        "condensed": run.job.condensed_at,
        "days": round(settings.KEEP_ARCHIVES / 86_400),
        "until": finished and finished + timedelta(seconds=settings.KEEP_ARCHIVES),
    }


def again_url(run: Run) -> str:
    """The lab's page with this run's settings."""
    return reverse("labs:lab", args=[run.lab]) + f"?from={run.pk}"
