"""Errors as pages and fragments: what happened, why, what to do. Never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.limits import Refused


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

    Only a page of this origin can read it there, as it could from any page of ours.
    """
    response = render(request, "403.html", {"reason": reason}, status=403)
    response["X-CSRFToken"] = get_token(request)
    return response
