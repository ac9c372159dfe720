"""What every call has in common: who asks, the CSRF token, and a body that is bounded JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import CSRFCheck, SessionAuthentication
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from labs.api.errors import NoToken, TooLarge

LARGEST = 250_000
DEEPEST = 12


class Visitor(SessionAuthentication):
    """The session's learner, guest or not. DRF asks only accounts for the CSRF token; a guest's
    session owns runs and pictures too, so here every unsafe call needs it."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        self.enforce_csrf(request)
        user = request._request.user
        return (user, None) if user.is_active else None

    def enforce_csrf(self, request: Request) -> None:
        check = CSRFCheck(lambda _: None)  # type: ignore[arg-type]
        check.process_request(request._request)
        if check.process_view(request._request, None, (), {}):  # type: ignore[arg-type]
            raise NoToken

    def authenticate_header(self, _request: Request) -> str:
        return "Session"  # so that who is not signed in gets 401 where the site asks for it


class VisitorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI schema names it."""

    target_class = Visitor
    name = "session"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        cookie = {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
        return cookie | {"description": f"The session. {NoToken.default_detail}"}


class SignedInWhereAsked(BasePermission):
    """Guests may, unless the operator asks everybody to sign in."""

    def has_permission(self, request: Request, _view: APIView) -> bool:
        asked = "django.contrib.auth.middleware.LoginRequiredMiddleware" in settings.MIDDLEWARE
        return request.user.is_authenticated or not asked


class BoundedJSON(JSONParser):
    """JSON in UTF-8, not large, not deep, and without what a database cannot store."""

    def parse(
        self,
        stream: IO[Any],
        _media_type: str | None = None,
        _parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise TooLarge(f"A body may have {LARGEST // 1000} kB. This one is larger.")
        try:
            value = json.loads(raw.decode(), parse_constant=_no_constant)
        except RecursionError:
            raise ParseError(TOO_DEEP) from None
        except ValueError as error:
            where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            raise ParseError(f"The body could not be read as JSON{where}.") from None
        _check(value, DEEPEST)
        return value


TOO_DEEP = f"The body is nested more than {DEEPEST} levels deep."


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def _check(value: Any, levels: int) -> None:
    if levels < 0:
        raise ParseError(TOO_DEEP)
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise ParseError("The body holds a character that is not text (NUL, or half of a pair).")
    if isinstance(value, dict):
        for name in value:
            _check(name, levels)
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            _check(inner, levels - 1)


class Call(APIView):
    """Base of the API's views."""

    authentication_classes = [Visitor]
    permission_classes = [SignedInWhereAsked]
    parser_classes = [BoundedJSON]
    metadata_class = None
