"""Learners' own pictures: taken in here, decoded in a worker's child, shown as clean copies."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import NOBODY, Learner, known_learner_id, payer_of
from labs import stream
from labs.lab import every_lab
from labs.models import Artifact, Job, Picture, State
from labs.models.limits import check_limits, check_storage
from labs.version import code_version
from labs.views.address import address_of
from labs.views.errors import where_from
from labs.views.runs import PRIVATE

ALLOWED = "Allowed are JPEG, PNG and WebP up to 8 megapixels and 6 MB."


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take a picture in; the answer asks again until a worker has decoded it."""
    given = request.FILES.get("picture")
    problem = _problem(given)
    if problem or given is None:
        return _answer(request, {"state": "refused", "reason": f"{problem} {ALLOWED}"}, status=422)
    return _answer(request, as_shown(take_in(payer_of(request), given, address_of(request))))


def _problem(given: UploadedFile[bytes] | None) -> str:
    if given is None or given.size == 0:
        return "No picture came with the form, or an empty one."
    if (given.size or 0) > settings.UPLOAD_MAX_BYTES:
        return f"The picture has {(given.size or 0) / 1e6:.1f} MB."
    return ""


def take_in(learner: Learner, given: UploadedFile[bytes], address: str) -> Picture:
    """Store what was sent as it is, and queue the job that makes a clean copy of it.

    Raises Refused.
    """
    lab = every_lab()["picture"]
    address = learner.counts_for(address)
    with transaction.atomic():
        check_limits(learner, address)
        check_storage(learner, address, given.size or 0)
        job = Job.objects.create(
            lab=lab.slug,
            lane=lab.lane,
            params={},
            code_version=code_version(lab),
            payer=learner,
            address=address,
        )
        Artifact.write(job, "upload", given.read())
        label = "".join(c for c in given.name or "" if c.isprintable()).strip()[:120]
        picture = Picture.objects.create(
            learner=learner,
            job=job,
            label=label or "picture",
            size=given.size or 0,
            used=not learner.is_guest,
        )
        transaction.on_commit(lambda: stream.ring(job.lane))
    return picture


def own_or_404(request: HttpRequest, pk: uuid.UUID) -> Picture:
    owner = known_learner_id(request) or NOBODY
    mine = Picture.objects.filter(learner_id=owner).select_related("job")
    picture = mine.filter(pk=pk).first()
    if picture is None:
        raise Http404("There is no picture at this address, or it is another learner's.")
    return picture


def as_shown(picture: Picture) -> dict[str, Any]:
    states = {State.SUCCEEDED: "ready", State.FAILED: "refused", State.CANCELLED: "refused"}
    return {
        "id": picture.pk,
        "state": states.get(State(picture.job.state), "waiting"),
        "reason": picture.job.reason,
        "label": picture.label,
        "value": picture.value,
        "url": reverse("pictures:image", args=[picture.pk]),
        "delete": reverse("pictures:delete", args=[picture.pk]),
    }


def _answer(request: HttpRequest, shown: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, "_fragments/picture.html", {"picture": shown}, status=status)


@require_safe
def show(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _answer(request, as_shown(own_or_404(request, pk)))


@require_safe
def image(request: HttpRequest, pk: uuid.UUID) -> FileResponse:
    rebuilt = own_or_404(request, pk).rebuilt
    if rebuilt is None:
        raise Http404("The picture is not ready.")
    return FileResponse(rebuilt.path.open("rb"), content_type="image/png", headers=PRIVATE)


@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a picture and its file. Runs that used it stay."""
    picture = own_or_404(request, pk)
    rebuilt = picture.rebuilt
    picture.job.delete()
    if rebuilt is not None:
        rebuilt.path.unlink(missing_ok=True)
    return HttpResponse("") if request.htmx else redirect(where_from(request))  # type: ignore[attr-defined]
