"""Home, the labs, and one lab's page."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.models import NOBODY, known_learner_id, learner_id
from labs.controls import Control, Option, controls_for, decode, validate
from labs.lab import Lab, catalog
from labs.models import Job, Picture, Run
from labs.models.run import NoRoom, check_room
from labs.panel import slots_of

EMPTY = {"state": "empty", "text": "Not started", "can_cancel": False}


def lab_or_404(slug: str) -> Lab:
    try:
        return catalog()[slug]
    except KeyError:
        raise Http404("There is no lab of that name.") from None


@require_GET
def lab_list(request: HttpRequest) -> HttpResponse:
    return render(request, "labs/list.html", {"labs": list(catalog().values())})


@require_GET
def lab_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A lab before its run: its controls (as in the run `?from=`, or in the address), its panel."""
    return render(request, "labs/lab.html", before_a_run(request, lab_or_404(slug)))


@require_GET
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The same without the page around it, for a lecture; the controls that `show` names first."""
    context = before_a_run(request, lab_or_404(slug)) | {"is_embedded": True}
    shown = request.GET.get("show", "").split(",")
    first = [control for control in context["controls"] if control.name in shown]
    if first:
        rest = [control for control in context["controls"] if control.name not in shown]
        context |= {"controls": first, "more_controls": rest}
    return render(request, "labs/_embed.html", context)


def before_a_run(request: HttpRequest, lab: Lab) -> dict[str, Any]:
    learner_id(request)
    values, seed = settings_asked_for(request, lab)
    _, errors = validate(lab.params, values)
    return lab_context(request, lab, values, seed, errors) | empty_panel(lab)


def settings_asked_for(request: HttpRequest, lab: Lab) -> tuple[dict[str, Any], int]:
    """Params and seed to start from: an earlier run's of the learner, or what the address says."""
    try:
        earlier = (
            Run.objects.of(known_learner_id(request))
            .filter(pk=uuid.UUID(request.GET.get("from", "")), lab=lab.slug)
            .first()
        )
    except ValueError:
        earlier = None
    if earlier:
        return earlier.job.params, earlier.job.seed
    said = decode(lab.params, request.GET)
    return {name: value for name, value in said.items() if name in lab.params.model_fields}, 0


def lab_context(
    request: HttpRequest,
    lab: Lab,
    values: dict[str, Any],
    seed: int | str = 0,
    errors: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the controls of a lab need, on its page and on a run's. `fault` is to have the focus."""
    nonce = uuid.uuid4().hex
    errors = dict(errors or {})
    about_seed = errors.pop("seed", "")
    controls = controls_for(lab.params, values, errors, own_pictures(request))
    if lab.seeded:
        controls.append(seed_control(seed, about_seed))
    return {
        "lab": lab,
        "controls": controls,
        "fault": next((c.id for c in controls if c.error or c.refused), ""),
        "draft_url": reverse("labs:draft", args=[lab.slug, nonce]) if lab.live else "",
        "draft_stream_url": reverse("labs:draft-events", args=[lab.slug, nonce])
        if lab.live
        else "",
    }


def seed_control(value: int | str, error: str) -> Control:
    says = "The same seed gives the same run."
    return Control(kind="seed", name="seed", label="Seed", help=says, value=value, error=error)


def own_pictures(request: HttpRequest) -> list[Option]:
    """The learner's pictures that are ready, newest first."""
    owner = known_learner_id(request) or NOBODY
    ready = Picture.objects.filter(learner_id=owner, job__state="succeeded").order_by("-created")
    return [
        Option(
            value=p.value,
            label=p.label,
            url=reverse("pictures:image", args=[p.pk]),
            delete=reverse("pictures:delete", args=[p.pk]),
        )
        for p in ready[:24]
    ]


def empty_panel(lab: Lab) -> dict[str, Any]:
    return {
        "run": None,
        "slots": slots_of(lab, {}),
        "status": EMPTY,
        "stream_url": "",
        "after": None,
    }


@require_GET
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """The parts this process needs answer: the database, Redis, and room on the disk."""
    from labs import stream

    parts = {"database": Job.objects.exists, "redis": stream.client().ping, "disk": check_room}
    found = {name: _answers(check) for name, check in parts.items()}
    return JsonResponse(found, status=200 if all(v == "ok" for v in found.values()) else 503)


def _answers(check: Any) -> str:
    try:
        check()
    except NoRoom:
        return "full"
    except Exception:
        return "does not answer"
    return "ok"
