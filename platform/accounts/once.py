"""A link that signs an account in, once and within a day, without a password."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import User


class OnceTokens(PasswordResetTokenGenerator):
    """Valid for PASSWORD_RESET_TIMEOUT seconds (a day), and until the account's next sign-in."""

    key_salt = "accounts.once.OnceTokens"

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        # To the microsecond: Django's own drops them, so a use within the second would not count.
        return f"{user.pk}/{user.password}/{user.last_login}/{user.is_active}/{timestamp}"


tokens = OnceTokens()


def path_for(user: User) -> str:
    """The link's path."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("account_sign_in_once", args=[uid, tokens.make_token(user)])


def whose(uidb64: str, token: str) -> User | None:
    """Whose link this is, with the row held; None where it is over, forged or cut off.

    Inside a transaction, so that of two uses at once only the first finds the link valid.
    """
    try:
        pk = int(urlsafe_base64_decode(uidb64))
    except ValueError:
        return None
    user = User.objects.select_for_update().filter(pk=pk, is_active=True).first()
    return user if user is not None and tokens.check_token(user, token) else None
