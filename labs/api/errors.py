"""One shape for every error of the API: a code for programs, a sentence for people, the fields.

{"error": {"code": "not_valid", "message": "…", "fields": {"params.stride": "…"}}}
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response

from accounts.limits import Refused
from labs.models.run import Missing
from labs.views.errors import BROKEN, RETRY_AFTER, passing

log = logging.getLogger(__name__)
REFUSED = {403: "sign_in_first", 429: "too_much", 507: "unavailable"}

SAID = {
    "parse_error": "The body could not be read as JSON.",
    "not_authenticated": "This site asks you to sign in first.",
    "method_not_allowed": "This address does not take that method. See /api/docs/.",
    "not_acceptable": "This API answers in JSON. Send Accept: application/json.",
    "unsupported_media_type": "Send JSON, with Content-Type: application/json.",
    "not_found": "There is nothing at this address. See /api/docs/.",
}
NOT_VALID = "Something in what was sent is not valid. `fields` says what, and what is allowed."


class NotValid(Exception):
    """Fields by their path in the body ("params.stride"), each with a sentence."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(NOT_VALID)
        self.fields = dict(fields)


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class NoToken(exceptions.PermissionDenied):
    default_code = "no_csrf_token"
    default_detail = (
        "An unsafe call needs the CSRF token: GET /api/labs/ sets the cookie csrftoken (behind "
        "HTTPS __Host-csrf). Send the cookie, its value as the header X-CSRFToken and, over HTTPS, "
        "the site's own address as the header Referer or Origin."
    )


def handle(error: Exception, _context: dict[str, Any]) -> Response:
    """DRF's exception handler: what went wrong, as a response."""
    if isinstance(error, NotValid):
        return answer(400, "not_valid", NOT_VALID, error.fields)
    if isinstance(error, Missing):
        return answer(400, "not_valid", NOT_VALID, {f"params.{error.field}": error.sentence})
    if isinstance(error, exceptions.ValidationError):
        return answer(400, "not_valid", NOT_VALID, flat(error.detail))
    if isinstance(error, Refused):
        late = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        code = REFUSED[error.status]
        return answer(error.status, code, error.sentence, headers=late)
    if isinstance(error, Http404):
        said = str(error) if error.args and isinstance(error.args[0], str) else ""
        return answer(404, "not_found", said or SAID["not_found"])
    if isinstance(error, exceptions.APIException):
        return answer(error.status_code, code_of(error), sentence_of(error))
    log.error("the API failed", exc_info=error)
    if says := passing(error):
        return answer(503, "unavailable", says, headers={"Retry-After": str(RETRY_AFTER[says])})
    return answer(500, "server_error", BROKEN)


def answer(
    status_code: int,
    code: str,
    message: str,
    fields: Mapping[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = {"error": {"code": code, "message": message, "fields": dict(fields or {})}}
    return Response(body, status=status_code, headers=headers)


def code_of(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def sentence_of(error: exceptions.APIException) -> str:
    """Our own words where the framework has its own; ours are raised with theirs already."""
    is_ours = isinstance(error, TooLarge | NoToken) or error.detail != error.default_detail
    if is_ours and not isinstance(error, exceptions.MethodNotAllowed | exceptions.NotFound):
        return str(error.detail)
    return SAID.get(error.default_code, str(error.detail))


def flat(detail: Any, path: str = "") -> dict[str, str]:
    """A serialiser's nested errors as one sentence a path."""
    if isinstance(detail, Mapping):
        found: dict[str, str] = {}
        for name, inner in detail.items():
            found |= flat(inner, f"{path}.{name}" if path else str(name))
        return found
    if isinstance(detail, list):
        return flat(detail[0], path) if detail else {}
    return {path.removesuffix("non_field_errors").strip("."): str(detail)}
