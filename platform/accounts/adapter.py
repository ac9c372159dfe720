"""What allauth asks of this site: who may sign up, from where a request comes, and in what words.

It also keeps guesses at a password from locking its owner out. Wrong passwords are counted for
each account, so anybody could use up another's tries. A browser that has signed in to the account
before has tries of its own, told by a signed cookie.
"""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.names import looks_like_staff
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
        "username_blacklisted": (
            "That could be taken for the name of somebody who runs this site. Choose another."
        ),
        "username_taken": "That name is taken here. Choose another.",
        "enter_current_password": "That is not the password until now. Try again.",
        "incorrect_password": "That is not the password of this account. Try again.",
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        try:
            clean = str(super().clean_username(username, shallow))
        except ValidationError as error:
            if error.code == "invalid":
                error.message = NAME
            raise
        if looks_like_staff(clean):
            raise self.validation_error("username_blacklisted")
        return clean

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
        if request.POST.get("username"):
            response.set_signed_cookie(
                known_cookie(),
                f"{_mark(user)}.{secrets.token_urlsafe(12)}",
                max_age=KNOWN_FOR,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts a try for its address, and for each account that it may open: by its name or by
        its e-mail, which up to ACCOUNTS_AN_EMAIL accounts share."""
        rates = settings.ACCOUNT_RATE_LIMITS.get("login_failed", "")
        of_the_account = ",".join(rate for rate in rates.split(",") if rate.endswith("/key"))
        used = self._login_failed_rl_usage = ratelimit.RateLimitUsage([])
        for n, key in enumerate(_counted_by(request, **credentials)):
            usage = ratelimit.consume(
                request, **FAILED, key=key, config={"login_failed": of_the_account if n else rates}
            )
            if usage is None:
                raise self.validation_error("too_many_login_attempts")
            used.usage += usage.usage

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """After a new password, which was sent to the address: no try is counted any more."""
        for key in _counted_by(request, **credentials):
            ratelimit.clear(request, **FAILED, key=key)


FAILED = {"app": "allauth.account", "action": "login_failed"}


def _counted_by(request: HttpRequest, username: str = "", email: str = "", **_: Any) -> list[str]:
    """Whose tries are counted: each account's that is meant; from a browser that it knows, that
    browser's; where none is meant, the name's."""
    logins = {login.strip().lower() for login in (username, email) if login}
    meant = {user for login in logins for user in filter_users_by_email(login, for_login=True)}
    meant |= {user for login in logins if (user := get_user_by_username(login))}
    if not meant:
        return [f"nobody:{login}" for login in sorted(logins)] or ["nobody:"]
    kept = request.get_signed_cookie(known_cookie(), default="", max_age=KNOWN_FOR) or ""
    mark, browser = kept.partition(".")[::2]
    return [
        f"{user.pk}:{browser if constant_time_compare(mark, _mark(user)) else ''}"
        for user in sorted(meant, key=lambda user: user.pk)
    ]


def known_cookie() -> str:
    """The cookie's name; bound to this host where cookies travel by HTTPS alone."""
    return "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"


def _mark(user: AbstractBaseUser) -> str:
    """What stands for the account in the cookie: who sits here next does not read its name."""
    return salted_hmac("accounts.known", str(user.pk), algorithm="sha256").hexdigest()[:32]
