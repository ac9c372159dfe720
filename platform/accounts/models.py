"""Who is learning."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone

SEEN_EVERY = timedelta(hours=1)


class User(AbstractUser):
    """An account. Our own from the first migration on, so that it can grow."""


class Learner(models.Model):
    """A guest or an account. Runs, pictures and answers belong to it.

    The id is kept in the session's data, because the session's key changes at sign-in.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.OneToOneField(User, models.CASCADE, null=True, blank=True, related_name="learner")
    created = models.DateTimeField(db_default=Now())
    seen = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return str(self.user or f"guest {str(self.id)[:8]}")

    @property
    def is_guest(self) -> bool:
        return self.user_id is None


def learner_id(request: HttpRequest) -> uuid.UUID:
    """The id of who asks, made and kept in the session on first use. Makes no Learner row."""
    kept = request.session.get("learner")
    if kept is None:
        kept = request.session["learner"] = str(uuid.uuid4())
    return uuid.UUID(kept)


NOBODY = uuid.UUID(int=0)
"""The id of no learner: what belongs to nobody is found by nobody."""


def known_learner_id(request: HttpRequest) -> uuid.UUID | None:
    """The id of who asks where the session has one; never makes a session."""
    kept = request.session.get("learner")
    return uuid.UUID(kept) if kept else None


def learner_of(request: HttpRequest) -> Learner:
    """The Learner who asks; its row is made when something is first to belong to it."""
    learner, made = Learner.objects.get_or_create(
        id=learner_id(request),
        defaults={"user": request.user if request.user.is_authenticated else None},
    )
    if not made and learner.seen < timezone.now() - SEEN_EVERY:
        Learner.objects.filter(pk=learner.pk).update(seen=Now())
        request.session.modified = True  # the cookie lasts as long as what it leads to
    return learner
