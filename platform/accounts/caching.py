"""What a browser may keep of a page: nothing that belongs to an account, so that on a computer that
many use the Back button shows nothing of it after sign-out."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

View = Callable[[HttpRequest], HttpResponse]

NOTHING = "private, no-store"
A_LEARNERS_OWN = {"runs", "pictures", "api"}
"""Namespaces whose answers are one learner's, a guest's too."""


def keep_nothing(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Middleware: each page of who is signed in, and what is a guest's own, is kept nowhere.

    Other pages of guests may be kept: Back is then at once. Where a view says itself how long its
    answer may be kept, that holds, but for this browser alone if the session was asked for it.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.session.accessed:
            return response
        if "Cache-Control" in response:
            if "max-age" in response["Cache-Control"]:
                patch_cache_control(response, private=True)
        elif SESSION_KEY in request.session or _space(request) in A_LEARNERS_OWN:
            response["Cache-Control"] = NOTHING
        return response

    return answer


def _space(request: HttpRequest) -> str:
    return request.resolver_match.namespace if request.resolver_match else ""
