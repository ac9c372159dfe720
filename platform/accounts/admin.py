"""Accounts, as operators see them: who there is, what they may do, and a way to disable one."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from accounts.models import User


@admin.register(User)
class Accounts(UserAdmin):  # type: ignore[type-arg]
    """Django's own pages, with the role in the list."""

    list_display = ("username", "email", "role", "is_active", "last_login")
    list_filter = ("is_active", "groups")
