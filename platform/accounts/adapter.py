"""What allauth asks of this site: who may sign up, from where a request comes, and in what words.

It also keeps guesses at a password from locking its owner out. Wrong passwords are counted for
each account, so anybody could use up another's tries. A browser that has signed in to the account
before has tries of its own, told by a signed cookie.
"""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from labs.views.address import address_of

MISMATCH = "The name and the password do not go together. Mind capital letters, and try again."
NAME = "A name holds letters, digits and @ . + - _ only. Leave out the rest, spaces too."
KNOWN_FOR = 365 * 86_400


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": MISMATCH,
        "email_password_mismatch": MISMATCH,
        "too_many_login_attempts": (
            "Too many wrong passwords within 5 minutes. Wait 5 minutes, or have a new password "
            "sent to you."
        ),
        "username_taken": "That name is taken here. Choose another.",
        "enter_current_password": "That is not the password until now. Try again.",
        "incorrect_password": "That is not the password of this account. Try again.",
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        try:
            return str(super().clean_username(username, shallow))
        except ValidationError as error:
            if error.code == "invalid":
                error.message = NAME
            raise

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return bool(settings.SIGN_UP)

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def is_ajax(self, request: HttpRequest) -> bool:  # noqa: ARG002 (pages only, never JSON)
        return False

    def add_message(self, *_: Any, **__: Any) -> None:
        """Nothing: each page says what happened, and messages would only come up in the admin."""

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002
        return reverse("account_password_changed")

    def post_login(
        self, request: HttpRequest, user: AbstractBaseUser, **hooks: Any
    ) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **hooks)
        if login := request.POST.get("username"):
            response.set_signed_cookie(
                known_cookie(),
                f"{_mark(login)}.{secrets.token_urlsafe(12)}",
                max_age=KNOWN_FOR,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Whose tries are counted: the account's; from a browser that it knows, that browser's."""
        key: str = super()._get_login_attempts_cache_key(request, **credentials)
        kept = request.get_signed_cookie(known_cookie(), default="", max_age=KNOWN_FOR) or ""
        mark, _, browser = kept.partition(".")
        login = str(credentials.get("username", ""))
        return f"{key}:{browser}" if constant_time_compare(mark, _mark(login)) else key


def known_cookie() -> str:
    """The cookie's name; bound to this host where cookies travel by HTTPS alone."""
    return "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"


def _mark(login: str) -> str:
    """What stands for the name in the cookie: who sits here next does not read it."""
    return salted_hmac("accounts.known", login.strip().lower(), algorithm="sha256").hexdigest()[:32]
