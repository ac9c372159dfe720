"""Errors as pages and fragments: what happened, why, what to do. Never a traceback."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
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
    return render(request, "403.html", {"reason": reason}, status=403)
