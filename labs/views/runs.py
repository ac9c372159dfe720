"""Start, show, cancel; and what a run leaves behind."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import at_once, known_learner_id, payer_of
from labs.controls import decode, validate
from labs.lab import Lab
from labs.models import Run
from labs.models.run import Missing
from labs.panel import again_url, empty_context, event_html, panel_context, shown_of
from labs.state import place_of
from labs.views.address import address_of
from labs.views.pages import empty_panel, lab_context, lab_or_404

LARGEST_SEED = 9_999
RUNS_A_PAGE = 100


def run_or_404(request: HttpRequest, pk: uuid.UUID) -> Run:
    """The learner's run; for anybody else there is none of that address."""
    run = Run.objects.of(known_learner_id(request)).filter(pk=pk).first()
    if run is None:
        raise Http404("There is no run at this address, or it is another learner's.")
    return run


def seed_of(lab: Lab, post: QueryDict) -> tuple[int, dict[str, str]]:
    """The seed of a form, and why it is none. A lab that draws nothing at random has 0."""
    text = post.get("seed", "0") if lab.seeded else "0"
    if re.fullmatch(r"[0-9]{1,4}", text, re.ASCII):
        return int(text), {}
    return 0, {"seed": f"The seed must be a whole number from 0 to {LARGEST_SEED:,}."}


@require_POST
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Validate, start or join or replay, and answer the run's panel."""
    lab = lab_or_404(slug)
    values = decode(lab.params, request.POST)
    params, errors = validate(lab.params, values)
    seed, about_seed = seed_of(lab, request.POST)
    if params is None or about_seed:
        return not_valid(request, lab, values, errors | about_seed)
    try:
        with at_once(request):
            payer = payer_of(request)
            run = Run.start(payer, lab, params, seed, address_of(request), once=True)
    except Missing as missing:
        return not_valid(request, lab, values, {missing.field: missing.sentence})
    return started(request, run)


def started(request: HttpRequest, run: Run) -> HttpResponse:
    """A run exists: its panel for htmx, only its permalink for a live lab, else its page."""
    address = reverse("runs:run", args=[run.pk])
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(address)
    if request.headers.get("X-Live"):
        response = render(request, "_fragments/permalink.html", {"permalink": address})
        response["HX-Replace-Url"] = again_url(run)
        return response
    context = panel_context(run) if run.is_over else empty_context(run)
    response = render(request, "_fragments/panel.html", context)
    if "X-Embedded" not in request.headers:  # in a lecture the address stays the lecture's
        response["HX-Push-Url"] = address
        response["Lab-Address"] = again_url(run)  # where Back leads: static/js/controls.js
    return response


def not_valid(
    request: HttpRequest, lab: Lab, values: dict[str, Any], errors: dict[str, str]
) -> HttpResponse:
    """422: the controls again, filled as they were, each error at its control."""
    seed = request.POST.get("seed", "0")
    context = lab_context(request, lab, values, seed, errors)
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "labs/lab.html", context | empty_panel(lab), status=422)
    response = render(request, "_fragments/controls.html", context, status=422)
    response["HX-Retarget"], response["HX-Reswap"] = "#control-fields", "innerHTML"
    return response


@require_POST
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """What can be told before a run, from the form as it is being edited."""
    lab = lab_or_404(slug)
    events = lab.preview(decode(lab.params, request.POST)) if lab.preview else ()
    from labs.plain import plain

    html = "".join(event_html(plain(event)) for event in events)
    return HttpResponse(html)


@require_safe
def run_page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    run = run_or_404(request, pk)
    lab = run.job.declared
    context = lab_context(request, lab, run.job.params, run.job.seed)
    return render(request, "labs/run.html", context | panel_context(run))


@require_safe
def panel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return render(request, "_fragments/panel.html", panel_context(run_or_404(request, pk)))


@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    run = run_or_404(request, pk)
    run.cancel()
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("runs:run", run.pk)
    return render(request, "_fragments/panel.html", panel_context(run))


@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    run_or_404(request, pk).discard()
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("runs:list")
    return HttpResponse()  # htmx takes the row away


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """A page of the learner's runs, the newest first; `?before=` a run's place: those older."""
    runs = Run.objects.of(known_learner_id(request)).order_by("-started_at", "-pk")
    before = request.GET.get("before", "")
    found = list((older_than(runs, before) if before else runs)[: RUNS_A_PAGE + 1])
    shown, more = found[:RUNS_A_PAGE], found[RUNS_A_PAGE:]
    older = f"{shown[-1].started_at.isoformat()}/{shown[-1].pk}" if more else ""
    return render(request, "runs/list.html", {"runs": shown, "older": older, "before": before})


def older_than(runs: QuerySet[Run], place: str) -> QuerySet[Run]:
    """Those that stand behind a place: a run's start and id, also of one that is deleted by now."""
    moment, _, pk = place.partition("/")
    try:
        then, last = datetime.fromisoformat(moment).astimezone(UTC), uuid.UUID(pk)
    except (ValueError, OverflowError):
        raise Http404("There is no such page of your runs.") from None
    return runs.filter(Q(started_at__lt=then) | Q(started_at=then, pk__lt=last))


@require_safe
def picture(request: HttpRequest, pk: uuid.UUID, attempt: str, seq: str, n: str) -> HttpResponse:
    """A picture of a finished run, as a file."""
    run = run_or_404(request, pk)
    place = int(attempt), int(seq)
    for entry in shown_of(run.job).values():
        if place_of(entry) == place and int(n) < len(entry.get("items", [])):
            png = base64.b64decode(entry["items"][int(n)]["png"])
            return HttpResponse(png, content_type="image/png", headers=PRIVATE)
    raise Http404("The run has no such picture.")


PRIVATE = {
    "Cache-Control": "private, no-store",  # the next at this computer finds nothing of it
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


@require_safe
def file(request: HttpRequest, pk: uuid.UUID, name: str) -> FileResponse:
    """A file that the run made, to keep."""
    run = run_or_404(request, pk)
    found = run.job.artifacts.filter(name=name).first()
    if found is None or run.cancelled_at:
        raise Http404("The run has no such file.")
    handle = found.path.open("rb")
    return FileResponse(handle, as_attachment=True, filename=f"{run.lab}-{name}", headers=PRIVATE)
