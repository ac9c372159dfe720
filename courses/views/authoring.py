"""What authors share and upload: a draft for whoever has its link, and the course's pictures."""

from __future__ import annotations

from django.core.signing import BadSignature, SignatureExpired
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from courses.admin.previews import lecture_pk
from courses.admin.proof import proof_context, proof_of
from courses.models import Lecture, Picture
from courses.rules import PICTURE

SHARED = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
FOR_EVER = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


@require_safe
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """A draft as students would see it, for whoever may read the course and has its link."""
    try:
        lecture = get_object_or_404(Lecture.objects.select_related("section"), pk=lecture_pk(token))
    except SignatureExpired:
        response = render(request, "courses/admin/preview_over.html", status=410)
    except BadSignature:
        raise Http404("There is no draft at this address.") from None
    else:
        response = _previewed(request, lecture)
    for name, value in SHARED.items():
        response[name] = value
    return response


def _previewed(request: HttpRequest, lecture: Lecture) -> HttpResponse:
    proof = proof_of(lecture.source, answers=False)
    context = {"lecture": lecture, "proof": proof, **proof_context(proof)}
    # Without the account's part of the page: where no referrer is sent, its forms are refused.
    context |= {"is_sheet": True, "hole": {}}
    return render(request, "courses/admin/preview.html", context)


@require_safe
def picture(request: HttpRequest, name: str) -> FileResponse:
    """A picture of the course. Its name never means another, so it may be kept for ever.

    Where readers must sign in, by their own browsers alone: accounts.caching.
    """
    if not PICTURE.fullmatch(f"pictures/{name}"):
        raise Http404("No picture has such a name.")
    found = get_object_or_404(Picture, name=name)
    try:
        return FileResponse(found.path.open("rb"), content_type="image/png", headers=FOR_EVER)
    except FileNotFoundError:
        raise Http404("The picture's file is gone.") from None
