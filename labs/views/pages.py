"""Home, the labs, and one lab's page."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import NOBODY, known_learner_id, must_sign_in
from labs.controls import Control, Option, controls_for, decode, validate
from labs.lab import Lab, catalog
from labs.models import Job, Picture, Run
from labs.models.limits import NoRoom, check_room
from labs.panel import slots_of

EMPTY = {"state": "empty", "text": "Not started", "can_cancel": False}


def lab_or_404(slug: str) -> Lab:
    try:
        return catalog()[slug]
    except KeyError:
        raise Http404("There is no lab of that name.") from None


@require_safe
def lab_list(request: HttpRequest) -> HttpResponse:
    return render(request, "labs/list.html", {"labs": list(catalog().values())})


@require_safe
def lab_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A lab before its run: its controls (as in the run `?from=`, or in the address), its panel."""
    return before_a_run(request, lab_or_404(slug), "labs/lab.html")


@require_safe
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The same without the page around it, for a lecture; the controls that `show` names first."""
    return before_a_run(request, lab_or_404(slug), "labs/_embed.html")


def embedded(controls: list[Control], show: str) -> dict[str, Any]:
    """What a lab within a lecture has besides: the controls that `show` names come first."""
    shown = show.split(",")
    first = [control for control in controls if control.name in shown]
    if not first:
        return {"is_embedded": True}
    rest = [control for control in controls if control.name not in shown]
    return {"is_embedded": True, "controls": first, "more_controls": rest}


def before_a_run(request: HttpRequest, lab: Lab, template: str) -> HttpResponse:
    """The lab as all see it, from its sheet; or as this learner asked for it."""
    from labs.views.sheets import is_shared, sheet_response  # which draws with what is below

    if is_shared(request, lab):
        return sheet_response(request, lab, template)
    values, seed = settings_asked_for(request, lab)
    _, errors = validate(lab.params, values)
    context = lab_context(request, lab, values, seed, errors) | empty_panel(lab)
    if template == "labs/_embed.html":
        context |= embedded(context["controls"], request.GET.get("show", ""))
    return render(request, template, context)


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
    return params_only(lab, decode(lab.params, request.GET)), 0


def params_only(lab: Lab, said: dict[str, Any]) -> dict[str, Any]:
    """An address may hold more than the lab's params."""
    return {name: value for name, value in said.items() if name in lab.params.model_fields}


def lab_context(
    request: HttpRequest,
    lab: Lab,
    values: dict[str, Any],
    seed: int | str = 0,
    errors: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the controls of a lab need, on its page and on a run's."""
    pictures, nonce = own_pictures(request), uuid.uuid4().hex
    found = controls_context(lab, values, seed, dict(errors or {}), pictures, nonce)
    return found | {"sign_in_first": sign_in_first(request, lab)}


def sign_in_first(request: HttpRequest, lab: Lab) -> str:
    """Where to come back to from signing in, where only accounts compute; else ""."""
    return reverse("labs:lab", args=[lab.slug]) if must_sign_in(request) else ""


def controls_context(
    lab: Lab,
    values: dict[str, Any],
    seed: int | str,
    errors: dict[str, str],
    pictures: list[Option],
    nonce: str,
) -> dict[str, Any]:
    """`fault` is to have the focus; `nonce` tells this open page's drafts from another's."""
    about_seed = errors.pop("seed", "")
    controls = controls_for(lab.params, values, errors, pictures)
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


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
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
