"""Server-sent events: of a run, of a page's draft, and of what is asked of a finished run.

A view here only decides: it names what to follow, and `labs.asgi.Streams` sends it once Django is
done with the request, so that an open stream holds no thread and no database connection.
"""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.models import known_learner_id
from labs import stream
from labs.drafts import ask_id, draft_id
from labs.follower import CLOSE, Wish
from labs.models import Run
from labs.state import Place

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@require_GET
def run_events(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A run's stream. Over: only where its end is. Gone or another's: only the close event."""
    run = Run.objects.of(known_learner_id(request)).filter(pk=pk).first()
    if run is None:
        return answer(request, None)
    if run.is_over:
        return answer(request, None, _finish(run))
    session = request.session.session_key or ""
    wish = Wish(run.job.stream, run.job_id, after(request), session, run.pk, _finish(run))
    return answer(request, wish)


def _finish(run: Run) -> bytes:
    """The last message: the page fetches the finished panel."""
    url = reverse("runs:panel", args=[run.pk])
    html = render_to_string("_fragments/finished.html", {"url": url}).strip()
    return "".join(f"data: {line}\n" for line in html.splitlines()).encode() + b"\n" + CLOSE


@require_GET
def draft_events(request: HttpRequest, slug: str, nonce: str) -> HttpResponse:
    """The draft of one open page. Its key holds the learner's id: nobody else's page finds it."""
    learner = known_learner_id(request)
    return _follow_draft(request, draft_id(learner, slug, nonce) if learner else None)


@require_GET
def ask_events(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answers to what the learner asks of a finished run."""
    run = Run.objects.of(known_learner_id(request)).filter(pk=pk).first()
    return _follow_draft(request, ask_id(run.learner_id, pk) if run else None)


def _follow_draft(request: HttpRequest, draft: uuid.UUID | None) -> HttpResponse:
    if draft is None:
        return answer(request, None)
    session = request.session.session_key or ""
    return answer(request, Wish(f"draft:{draft}", None, after(request), session))


def after(request: HttpRequest) -> Place | None:
    """Up to where the page has seen the stream; None (everything) for what is no such place."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    try:
        place = stream.place_of_id(text[:64])
    except ValueError:
        return None
    return place if min(place) >= 0 else None


def answer(request: HttpRequest, wish: Wish | None, end: bytes = CLOSE) -> HttpResponse:
    """With a wish, the head of a stream whose body `labs.asgi.Streams` sends; else its end."""
    response = HttpResponse(end, content_type="text/event-stream", headers=HEADERS)
    if wish is not None:
        request.scope["convolab.wish"] = wish  # type: ignore[attr-defined]
    return response
