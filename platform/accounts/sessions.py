"""Sessions as the database has them, for who holds a page open and asks nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare

from accounts.models import User


def still_open(keys: Collection[str]) -> set[str]:
    """Those of these sessions that would be let in now: neither signed out nor lapsed, the account
    not disabled, its password the same as at sign-in."""
    some = sorted(keys)
    said = {
        session.session_key: session.get_decoded()
        for start in range(0, len(some), 500)
        for session in Session.objects.filter(
            session_key__in=some[start : start + 500], expire_date__gt=Now()
        )
    }
    ids = {int(data[SESSION_KEY]) for data in said.values() if SESSION_KEY in data}
    users = {user.pk: user for user in User.objects.filter(pk__in=ids, is_active=True)}
    return {key for key, data in said.items() if _lets_in(data, users)}


def _lets_in(data: Mapping[str, Any], users: Mapping[int, User]) -> bool:
    if SESSION_KEY not in data:
        return True  # a guest's
    user = users.get(int(data[SESSION_KEY]))
    made_with = str(data.get(HASH_SESSION_KEY, ""))
    return user is not None and constant_time_compare(made_with, user.get_session_auth_hash())
