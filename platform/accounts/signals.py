"""At sign-in a guest becomes the account's learner, or is taken in by the one it has."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import NOBODY, Learner, User, became_account


@receiver(user_logged_in)
def bring_learner(request: HttpRequest, user: User, **_: Any) -> None:
    kept = request.session.get("learner", NOBODY)
    guests = Learner.objects.filter(pk=kept, user=None)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two first sign-ins at once: one learner
        own, guest = Learner.objects.filter(user=user).first(), guests.first()
        if own is None and guest is not None and guests.update(user=user, address=""):
            own = guest
            became_account.send(sender=Learner, learner=own)
        elif own is None:
            own = Learner.objects.create(user=user)
        elif guest is not None:
            own.take_in(guest)
    request.session["learner"] = str(own.pk)
