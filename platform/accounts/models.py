"""Who is learning, and what they may do here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AbstractUser, Group
from django.db import models, transaction
from django.db.models.functions import Now
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

from accounts.limits import SignInFirst, counted, of_address
from accounts.roles import AUTHOR
from labs.views.address import address_of

SEEN_EVERY = timedelta(hours=1)


class User(AbstractUser):
    """An account: a student's, an author's or an operator's."""

    @property
    def role(self) -> str:
        """ "operator" may do everything, "author" may write the course, "student" may learn."""
        if self.is_superuser:
            return "operator"
        is_author = self.is_staff and any(group.name == AUTHOR for group in self.groups.all())
        return "author" if is_author else "student"

    def make_author(self) -> None:
        """May write the course, in the admin; what exactly, accounts.roles says."""
        if self.role == "student":
            self.shut_out()
        self.is_staff = True
        self.save(update_fields=["is_staff"])
        self.groups.add(Group.objects.get_or_create(name=AUTHOR)[0])

    def make_operator(self) -> None:
        """May do everything, in the admin."""
        if self.role != "operator":
            self.shut_out()
        self.is_staff = self.is_superuser = True
        self.save(update_fields=["is_staff", "is_superuser"])

    def shut_out(self, email: str = "") -> None:
        """Whoever has held the account holds it no more: before it may do more than until now.

        Anybody can sign up under a name that somebody else is expected to have. With the password
        go the sessions, one-time links and keys to a new password, which are all made of it; the
        e-mail address becomes `email`, for a new password is sent there, and nobody verified it.
        """
        self.set_unusable_password()
        self.email = email
        self.save(update_fields=["password", "email"])
        EmailAddress.objects.filter(user=self).delete()


taken_in = Signal()
"""A guest's things become an account's. Sent with `learner` and `guest`, inside the transaction at
whose end the guest's row is deleted: each app that keeps something for a Learner moves it now."""


became_account = Signal()
"""A guest's own row is an account's now. Sent with `learner`, inside the transaction."""


class Learner(models.Model):
    """A guest or an account. Runs, pictures and answers belong to it.

    The id is kept in the session's data, because the session's key changes at sign-in. `address` is
    what a guest counted for when it first came (`accounts.limits.counted`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.OneToOneField(User, models.CASCADE, null=True, blank=True, related_name="learner")
    created = models.DateTimeField(db_default=Now())
    seen = models.DateTimeField(db_default=Now(), db_index=True)
    address = models.CharField(max_length=45, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["address", "created"], name="guests_of_an_address"),
            models.Index(fields=["user", "seen"], name="guests_by_seen"),
        ]

    def __str__(self) -> str:
        return str(self.user or f"guest {str(self.id)[:8]}")

    @property
    def is_guest(self) -> bool:
        return self.user_id is None

    def counts_for(self, address: str) -> str:
        """What of an address is counted: nothing for accounts, which count by themselves."""
        return counted(address) if self.is_guest else ""

    def take_in(self, guest: Learner) -> None:
        """All that a guest has becomes this learner's, and the guest is no more; or nothing does.

        Does nothing where the guest is gone already, or has become an account.
        """
        with transaction.atomic():
            # Held, so that nothing of this moment is left behind that nobody moves.
            both = Learner.objects.select_for_update().filter(pk__in=[self.pk, guest.pk])
            still = next((one for one in both.order_by("pk") if one.pk == guest.pk), None)
            if still is not None and still.is_guest and still != self:
                taken_in.send(sender=Learner, learner=self, guest=still)
                still.delete()


def session_learner(request: HttpRequest) -> str | None:
    """What the session says of who asks; never makes a session.

    A session whose account was disabled, or has another password since, ends here.
    """
    if SESSION_KEY in request.session and not request.user.is_authenticated:
        request.session.flush()
    kept: str | None = request.session.get("learner")
    return kept


NOBODY = uuid.UUID(int=0)
"""The id of no learner: what belongs to nobody is found by nobody."""


def known_learner_id(request: HttpRequest) -> uuid.UUID | None:
    """The id of who asks where the session has one; never makes a session."""
    kept = session_learner(request)
    return uuid.UUID(kept) if kept else None


def learner_of(request: HttpRequest) -> Learner:
    """The Learner who asks; row and session are made when something is first to belong to them.

    Raises Refused where an address has sent many new guests lately.
    """
    kept = known_learner_id(request)
    learner = Learner.objects.filter(pk=kept).first() if kept else None
    if learner is None:
        user = request.user if request.user.is_authenticated else None
        address = "" if user else counted(address_of(request))
        check_new_guests(address)
        new = {"user": user, "address": address}
        learner, _ = Learner.objects.get_or_create(id=kept or uuid.uuid4(), defaults=new)
        request.session["learner"] = str(learner.pk)
    elif learner.seen < timezone.now() - SEEN_EVERY:
        Learner.objects.filter(pk=learner.pk).update(seen=Now())
        request.session.modified = True  # the cookie lasts as long as what it leads to
    return learner


@contextmanager
def at_once(request: HttpRequest) -> Iterator[None]:
    """A transaction. Where it fails, the session forgets a guest who was new in it.

    Else each refusal would leave a session's row, of a guest whom no limit counts.
    """
    before = request.session.get("learner")
    try:
        with transaction.atomic():
            yield
    except BaseException:
        if request.session.get("learner") != before:
            request.session.pop("learner", None)
        raise


def payer_of(request: HttpRequest) -> Learner:
    """The Learner who wants something computed. Raises Refused, also where only accounts may."""
    if must_sign_in(request):
        raise SignInFirst
    return learner_of(request)


def must_sign_in(request: HttpRequest) -> bool:
    """Whether who asks is a guest, on a site where guests read and compute nothing."""
    return not (settings.GUESTS_COMPUTE or request.user.is_authenticated)


def check_new_guests(address: str) -> None:
    """Raise Refused where many guests are new at this address: each leaves rows behind."""
    lately = Learner.objects.filter(address=address, created__gt=Now() - timedelta(hours=1))
    if address and lately.count() >= settings.GUESTS_AN_HOUR:
        raise of_address(f"{settings.GUESTS_AN_HOUR} guests are new here within an hour", 600)
