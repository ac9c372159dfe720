"""Questions about a finished run: an answer, a hint, fresh numbers."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from labs.models import Run
from labs.models.answer import Asked, another, give, help_with, question_of
from labs.panel import figures_of
from labs.views.runs import run_or_404


@require_POST
def answer(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """What was asked for: an answer is marked, a hint given, or the numbers are made anew."""
    run = run_or_404(request, pk)
    asked = _asked_or_404(run, name)
    if "another" in request.POST:
        another(asked)
        asked = _asked_or_404(run, name)
    elif "help" in request.POST:
        asked = help_with(asked)
    else:
        asked = give(asked, request.POST.get("given", ""))
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"/runs/{run.pk}/#question-{name}")
    context = {"asked": asked, "ask_url": request.path}
    return render(request, "_fragments/question.html", context)


def _asked_or_404(run: Run, name: str) -> Asked:
    asked = question_of(run, figures_of(run), name) if run.state == "succeeded" else None
    if asked is None:
        raise Http404("Nothing of that name is asked about this run.")
    return asked
