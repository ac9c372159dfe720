"""At sign-in a guest becomes the account's learner, or the account's own learner takes over."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import Learner, User, known_learner_id


@receiver(user_logged_in)
def bring_learner(request: HttpRequest, user: User, **_: Any) -> None:
    own = Learner.objects.filter(user=user).first()
    if own is None:
        guest = known_learner_id(request)
        own = Learner.objects.filter(pk=guest, user=None).first() if guest else None
        own = own or Learner(user=user)
        own.user = user
        own.save()
    request.session["learner"] = str(own.pk)
