"""Server-sent events: of a run, of a page's draft, and of what is asked of a finished run."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.models import known_learner_id
from labs import stream
from labs.drafts import ask_id, draft_id
from labs.live import hub
from labs.models import Run
from labs.state import Place

CLOSE = b"event: done\ndata: done\n\n"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@require_GET
async def run_events(request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """A run's stream. Over, gone or another's: only the close event, always with 200."""
    run = await hub().ask(_live_run, request, pk)
    if run is None:
        return answer(_once(CLOSE))
    place = after(request)
    return answer(_run(run, place, request.session.session_key or ""))


def _live_run(request: HttpRequest, pk: uuid.UUID) -> Run | None:
    run = Run.objects.of(known_learner_id(request)).filter(pk=pk).first()
    return run if run is not None and not run.is_over else None


async def _run(run: Run, place: Place | None, session: str) -> AsyncIterator[bytes]:
    messages = hub().follow(run.job.stream, run.job_id, place, session, run.pk)
    async for message in messages:
        yield message
    url = reverse("runs:panel", args=[run.pk])
    html = render_to_string("_fragments/finished.html", {"url": url})
    yield b"".join(b"data: " + line + b"\n" for line in html.strip().encode().splitlines()) + b"\n"
    yield CLOSE


@require_GET
async def draft_events(request: HttpRequest, slug: str, nonce: str) -> StreamingHttpResponse:
    """The draft of one open page. Its key holds the learner's id: nobody else's page finds it."""
    learner = await hub().ask(known_learner_id, request)
    return _follow_draft(request, draft_id(learner, slug, nonce) if learner else None)


@require_GET
async def ask_events(request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """Answers to what the learner asks of a finished run."""
    learner = await hub().ask(known_learner_id, request)
    return _follow_draft(request, ask_id(learner, pk) if learner else None)


def _follow_draft(request: HttpRequest, draft: uuid.UUID | None) -> StreamingHttpResponse:
    if draft is None:
        return answer(_once(CLOSE))
    session = request.session.session_key or ""
    return answer(hub().follow(f"draft:{draft}", None, after(request), session))


def after(request: HttpRequest) -> Place | None:
    """Up to where the page has seen the stream; None (everything) for what is no such place."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    try:
        place = stream.place_of_id(text[:64])
    except ValueError:
        return None
    return place if min(place) >= 0 else None


async def _once(message: bytes) -> AsyncIterator[bytes]:
    yield message


def answer(messages: AsyncIterator[bytes]) -> StreamingHttpResponse:
    close_old_connections()
    return StreamingHttpResponse(messages, content_type="text/event-stream", headers=HEADERS)
