"""Accounts, as operators see them: who there is, what they may do, and a way to disable one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import User

RAISES = (
    "Anybody can sign up under a name that is expected here. So an account that is given more than "
    "it had starts afresh when you save: its sessions and links end, and its password and its "
    "e-mail address are removed, unless you type another address above. Then give it a password "
    "here, or make a link for its owner: manage.py sign_in_link. Its runs stay."
)
RAISED = (
    "The account %s may do more now. Its sessions and links have ended, and it has no password: "
    "give it one here, or make a link for its owner with manage.py sign_in_link."
)


@admin.register(User)
class Accounts(UserAdmin):  # type: ignore[type-arg]
    """Django's own pages, with the role in the list; who is given more starts afresh."""

    list_display = ("username", "email", "role", "is_active", "last_login")
    list_filter = ("is_active", "groups")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return [
            (title, said | {"description": RAISES} if "is_superuser" in said["fields"] else said)
            for title, said in super().get_fieldsets(request, obj)
        ]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        is_raised = change and _gains(form)
        super().save_model(request, obj, form, change)
        if is_raised:
            obj.shut_out(email=obj.email if "email" in form.changed_data else "")
            self.message_user(request, RAISED % obj, messages.WARNING)


def _gains(form: ModelForm[User]) -> bool:
    """Whether the account as it is in the database is given a right by this form."""
    before, given = User.objects.get(pk=form.instance.pk), form.cleaned_data
    return any(given.get(flag) and not getattr(before, flag) for flag in FLAGS) or any(
        set(given.get(many, ())) - set(getattr(before, many).all()) for many in MANY
    )


FLAGS = ("is_staff", "is_superuser")
MANY = ("groups", "user_permissions")
