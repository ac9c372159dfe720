"""Errors as pages and fragments: what happened, why, what to do. Never a traceback."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render

from labs.models.run import Refused


def refused(request: HttpRequest, error: Refused, status: int = 429) -> HttpResponse:
    """A limit refuses: 429 with how long to wait, in the status line or as a page."""
    response = render(
        request,
        "_fragments/refused.html" if request.htmx else "429.html",  # type: ignore[attr-defined]
        {"message": error.sentence, "retry": error.retry_after},
        status=status,
    )
    response["Retry-After"] = str(error.retry_after)
    response["HX-Retarget"], response["HX-Reswap"] = "#status", "innerHTML"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403, with the token that holds now: static/js/forms.js repeats the request with it, once.

    Only a page of this origin can read it there, as it could from any page of ours.
    """
    response = render(request, "403.html", {"reason": reason}, status=403)
    response["X-CSRFToken"] = get_token(request)
    return response
