"""Errors as pages and fragments: what happened, why, what to do. Never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.defaults import server_error

from accounts.limits import Refused
from labs.room import ran_out

BROKEN = "Something went wrong on our side. Try again; if it stays, tell whoever runs this site."
BUSY = "The site is busy or being restarted. Your runs are kept. Try again in half a minute."
FULL = (
    "The disk of this site is full, so nothing can be kept at the moment. What is there can be "
    "read. Tell whoever runs it, and try again later."
)
STALE = (
    "The page may have been open for too long, or cookies are blocked. Reload the page and try "
    "again; nothing of yours is lost."
)
RETRY_AFTER = {BUSY: 10, FULL: 60}


class Refusals:
    """A limit refuses somewhere in a view: the answer says why. As middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refused(request, error) if isinstance(error, Refused) else None


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """A limit refuses: how long to wait, or the way to sign in; in the status line or as a page."""
    response = render(
        request,
        "_fragments/refused.html" if request.htmx else "429.html",  # type: ignore[attr-defined]
        {
            "message": error.sentence,
            "retry": error.retry_after,
            "back": urlsplit(where_from(request)).path if error.to_sign_in else "",
            "code": error.status,
        },
        status=error.status,
    )
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    response["HX-Retarget"], response["HX-Reswap"] = "#status", "innerHTML"
    return response


def where_from(request: HttpRequest) -> str:
    """The page of ours that the form was on, else home."""
    came = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(came, {request.get_host()}, request.is_secure())
    return came if ours else reverse("home")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403, with the token that holds now: static/js/forms.js repeats the request with it, once.

    Only a page of this origin can read it there, as it could from any page of ours. Where a form
    takes a 403 in (guests who may not compute), it is no page that stands there, but the reason.
    """
    template = "_fragments/refused.html" if request.htmx else "403.html"  # type: ignore[attr-defined]
    context = {"reason": reason, "message": STALE}
    response = render(request, template, context, status=403)
    response["HX-Retarget"], response["HX-Reswap"] = "#status", "innerHTML"
    response["X-CSRFToken"] = get_token(request)
    return response


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
