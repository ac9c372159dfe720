"""Accounts, as operators see them: who there is, what they may do, and a way to disable one."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User


@admin.register(User)
class Accounts(UserAdmin):  # type: ignore[type-arg]
    """Django's own pages, with the role in the list."""

    list_display = ("username", "email", "role", "is_active", "last_login")
    list_filter = ("is_active", "groups")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")
