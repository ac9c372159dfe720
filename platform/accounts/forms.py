"""The forms of accounts: allauth's, in this site's words."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User

PASSWORD_HELP = "At least 10 characters. Some words that only you would put together do well."  # noqa: S105
ACCOUNTS_AN_EMAIL = 5
"""Further accounts are kept without the address: each one would get a letter of its own."""


def word(form: forms.Form, **said: tuple[str, str]) -> None:
    """Give each of these fields its label and its help; no placeholder, which a label is not."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    for name, (label, help_text) in said.items():
        form.fields[name].label, form.fields[name].help_text = label, help_text


class SignIn(allauth.LoginForm):  # type: ignore[misc]
    """By name or e-mail. It is sent as `username`, whatever it is, as programs know it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(self, login=("Name or e-mail", ""), password=("Password", ""))
        self.fields["login"].max_length = 254
        self.fields["login"].widget.attrs["autocomplete"] = "username"

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else field_name

    @property
    def sign_up_is_open(self) -> bool:
        return bool(get_adapter().is_open_for_signup(self.request))

    def user_credentials(self) -> dict[str, str]:
        """As the name alone: the backend looks among the e-mails too. Asked for both, it would
        hash twice for an address that is known, and the time would tell."""
        return {
            "username": self.cleaned_data["login"],
            "password": self.cleaned_data["password"],
        }


class SignUp(allauth.SignupForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(
            self,
            username=("Name", "Letters, digits and @ . + - _ only. You sign in with it."),
            email=("E-mail (optional)", "Only to send you a new password if you forget yours."),
            password1=("Password", PASSWORD_HELP),
        )

    def clean_email(self) -> str:
        email: str = super().clean_email()
        known = filter_users_by_email(email) if email else []
        return email if len(known) < ACCOUNTS_AN_EMAIL else ""

    def try_save(self, request: HttpRequest) -> tuple[Any, HttpResponse | None]:
        try:
            with transaction.atomic():
                saved: tuple[Any, HttpResponse | None] = super().try_save(request)
                return saved
        except (
            IntegrityError
        ):  # the form was sent twice at once, and the other has made the account
            return None, redirect("account_login")


class ChangePassword(allauth.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(
            self,
            oldpassword=("Password until now", ""),
            password1=("New password", PASSWORD_HELP),
            password2=("New password, once more", ""),
        )


class SetPassword(allauth.SetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(
            self,
            password1=("Password", PASSWORD_HELP),
            password2=("Password, once more", ""),
        )


class AskForNewPassword(allauth.ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(self, email=("E-mail", ""))

    def save(self, request: HttpRequest, **more: Any) -> str:
        if not self.users:  # as much work as a known address makes, or the time would tell
            nobody = User(pk=0)
            EmailAddress.objects.filter(user_id=nobody.pk, email=self.data["email"]).exists()
            key = allauth.default_token_generator.make_token(nobody)
            get_adapter().get_reset_password_from_key_url(f"0-{key}")
        return str(super().save(request, **more))


class NewPassword(allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(
            self,
            password1=("New password", PASSWORD_HELP),
            password2=("New password, once more", ""),
        )


class Reauthenticate(allauth.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word(self, password=("Password", ""))
