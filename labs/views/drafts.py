"""Changes of a live page, and questions to a finished run."""

from __future__ import annotations

import re
import uuid

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from accounts.models import learner_of
from labs import drafts
from labs.controls import decode, validate
from labs.models.run import Missing, Refused
from labs.views.address import address_of
from labs.views.pages import lab_or_404
from labs.views.runs import run_or_404


@require_POST
def change(request: HttpRequest, slug: str, nonce: str) -> HttpResponse:
    """The newest state of a page's controls: computed next, shown on the page's stream."""
    lab = lab_or_404(slug)
    if not lab.live:
        raise Http404("This lab computes when you press Start.")
    params, errors = validate(lab.params, decode(lab.params, request.POST))
    if params is None:
        return JsonResponse({"errors": errors}, status=422)
    try:
        put = drafts.change(
            learner_of(request),
            lab,
            nonce,
            params,
            _number(request) or drafts.now_number(),
            address_of(request),
        )
    except Missing as missing:
        return JsonResponse({"errors": {missing.field: missing.sentence}}, status=422)
    except Refused as error:
        return _too_much(error)
    return _put(put)


@require_POST
def ask(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """A follow-up of a finished run: a drawn digit, a cell of the confusion matrix."""
    run = run_or_404(request, pk)
    model = run.job.declared.follow_ups.get(name)
    if model is None or run.state != "succeeded":
        raise Http404("Nothing of that name can be asked of this run.")
    params, errors = validate(model, decode(model, request.POST))
    if params is None:
        return JsonResponse({"errors": errors}, status=422)
    try:
        put = drafts.ask(
            learner_of(request), run, name, params, _number(request), address_of(request)
        )
    except Refused as error:
        return _too_much(error)
    return _put(put)


def _put(put: drafts.Put) -> HttpResponse:
    """208 where a newer change is known: its number is said, so that a page whose clock is behind
    can go on above it."""
    return HttpResponse(status=202 if put.taken else 208, headers={"Draft-Number": str(put.number)})


def _number(request: HttpRequest) -> int | None:
    """The change's number: the page's own, never from far in the future; None where it has none."""
    text = request.POST.get("number", "")
    known = re.fullmatch(r"[0-9]{1,15}", text, re.ASCII)
    return min(int(text), drafts.now_number() + 60_000) if known else None


def _too_much(error: Refused) -> HttpResponse:
    response = JsonResponse({"message": error.sentence}, status=error.status)
    response["Retry-After"] = str(error.retry_after)
    return response
