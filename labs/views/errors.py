"""Errors as pages and fragments: what happened, why, what to do. Never a traceback."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.defaults import server_error

from labs.models.run import Refused
from labs.room import ran_out

BROKEN = "Something went wrong on our side. Try again; if it stays, tell whoever runs this site."
BUSY = "The site is busy or being restarted. Your runs are kept. Try again in half a minute."
FULL = (
    "The disk of this site is full, so nothing can be kept at the moment. What is there can be "
    "read. Tell whoever runs it, and try again later."
)
RETRY_AFTER = {BUSY: 10, FULL: 60}


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """A limit refuses: with how long to wait, in the status line or as a page."""
    response = render(
        request,
        "_fragments/refused.html" if request.htmx else "429.html",  # type: ignore[attr-defined]
        {"message": error.sentence, "retry": error.retry_after, "status": error.status},
        status=error.status,
    )
    response["Retry-After"] = str(error.retry_after)
    response["HX-Retarget"], response["HX-Reswap"] = "#status", "innerHTML"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403.html", {"reason": reason}, status=403)


def passing(fault: BaseException | None) -> str:
    """What is said of a fault that passes: the database away or locked, the disk full. Or ""."""
    if ran_out(fault):
        return FULL
    return BUSY if isinstance(fault, OperationalError | InterfaceError) else ""


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the fault is being handled: 503 where it passes."""
    says = passing(sys.exc_info()[1])
    if request.path.startswith("/api/"):  # before or after the API's own view
        code = "unavailable" if says else "server_error"
        error = {"code": code, "message": says or BROKEN, "fields": {}}
        response: HttpResponse = JsonResponse({"error": error}, status=503 if says else 500)
    elif says:
        response = render(request, "503.html", {"message": says}, status=503)
    else:
        return server_error(request)
    if says:
        response["Retry-After"] = str(RETRY_AFTER[says])
    return response
