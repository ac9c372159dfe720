"""What a learner may start, and what all guests at one address may start together.

An address here is what `Learner.counts_for` made of it: "" for accounts and in exempt networks,
where nothing is counted by address. Joins and replays compute nothing: they have but a pace.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Now

from accounts.limits import Refused, of_address
from accounts.models import Learner
from labs.models.files import Artifact, Picture
from labs.models.job import Job, State
from labs.room import is_full

A_DAY, A_MINUTE = timedelta(days=1), timedelta(minutes=1)


class NoRoom(Refused):
    """The disk has no room for what it would make. Not the learner's doing: a fault of the site."""

    status = 507

    def __init__(self) -> None:
        super().__init__(
            "The disk of this site is nearly full, so nothing new is started. What is there can be "
            "read. Tell whoever runs the site.",
            60,
        )


def check_room() -> None:
    """Raise NoRoom where the disk is nearly full."""
    if is_full():
        raise NoRoom


def check_pace(learner: Learner) -> None:
    """Raise Refused where a program starts runs faster than people can: each leaves a row."""
    lately = learner.runs.filter(started_at__gt=Now() - A_MINUTE)
    if lately.count() >= settings.STARTS_A_MINUTE:
        raise Refused(
            f"You have started {settings.STARTS_A_MINUTE} runs within a minute, the most that "
            "this site takes. Wait a moment."
        )
    if learner.is_guest and learner.address:
        runs = learner.runs.model._default_manager
        theirs = runs.filter(started_at__gt=Now() - A_MINUTE, learner__address=learner.address)
        if theirs.count() >= settings.STARTS_A_MINUTE_AN_ADDRESS:
            raise of_address(f"{settings.STARTS_A_MINUTE_AN_ADDRESS} runs were started in a minute")


def check_limits(learner: Learner, address: str) -> None:
    """Raise Refused where the learner, or a guest's address, waits for enough already; NoRoom.

    Inside a transaction: it holds the learner's row (and the address) until the end, so that
    parallel starts are counted one after the other.
    """
    check_room()
    Learner.objects.select_for_update().get(pk=learner.pk)
    waiting = Job.objects.kept().waiting()
    if waiting.filter(payer=learner).count() >= settings.WAITING_A_LEARNER:
        raise Refused(
            f"You have {settings.WAITING_A_LEARNER} runs waiting, which is the most at a time. "
            "Wait until one has started, or cancel one under My runs."
        )
    if address:
        hold(f"address:{address}")
        if waiting.filter(address=address).count() >= settings.WAITING_AN_ADDRESS:
            raise of_address(f"{settings.WAITING_AN_ADDRESS} runs wait already")
    check_day(learner, address)
    check_files(learner)


def check_day(learner: Learner, address: str) -> None:
    """Raise Refused where the seconds of computing of the last 24 hours are used up."""
    if _spent_today(payer=learner) >= settings.SECONDS_A_DAY:
        raise Refused(
            f"Your {settings.SECONDS_A_DAY / 60:.0f} minutes of computing for the last 24 hours "
            "are used up. Finished runs and replays stay open to you; new ones start tomorrow.",
            3600,
        )
    if address and _spent_today(address=address) >= settings.SECONDS_A_DAY_AN_ADDRESS:
        minutes = settings.SECONDS_A_DAY_AN_ADDRESS / 60
        raise of_address(f"{minutes:.0f} minutes of computing were used in the last 24 hours", 3600)


def _spent_today(**whose: Any) -> float:
    today = Job.objects.filter(**whose, claimed_at__gt=Now() - A_DAY)
    return float(today.aggregate(spent=Sum("seconds"))["spent"] or 0)


def check_files(learner: Learner) -> None:
    """Raise Refused where the files of the learner's runs take all the room that they may."""
    kept = Artifact.objects.filter(job__payer=learner, job__picture=None)
    used = kept.aggregate(used=Sum("size"))["used"] or 0
    if used >= settings.FILES_A_LEARNER:
        raise Refused(
            f"The files of your runs take {used / 1e6:.0f} MB, and "
            f"{settings.FILES_A_LEARNER / 1e6:.0f} MB is the most. Delete runs that you no longer "
            "need under My runs, then start again."
        )


def check_storage(learner: Learner, address: str, size: int) -> None:
    """Raise Refused where a picture of so many bytes does not fit."""
    mine = learner.pictures.exclude(job__state=State.FAILED)
    if mine.count() >= settings.PICTURES_A_LEARNER:
        raise Refused(
            f"You have {settings.PICTURES_A_LEARNER} pictures here, the most that fit. "
            "Delete one that you no longer need, then upload again."
        )
    used = _bytes(job__picture__learner=learner)
    if used + size > settings.STORAGE_A_LEARNER:
        raise Refused(
            f"Your pictures take {used / 1e6:.0f} MB of {settings.STORAGE_A_LEARNER / 1e6:.0f} MB, "
            "so this one does not fit. Delete one that you no longer need, then upload again."
        )
    if not address:
        return
    if Picture.objects.filter(job__address=address).count() >= settings.PICTURES_AN_ADDRESS:
        raise of_address(f"{settings.PICTURES_AN_ADDRESS} pictures are kept here already", 3600)
    if (
        _bytes(job__picture__isnull=False, job__address=address) + size
        > settings.STORAGE_AN_ADDRESS
    ):
        megabytes = settings.STORAGE_AN_ADDRESS / 1e6
        raise of_address(f"Pictures take all the {megabytes:.0f} MB that they may", 3600)


def _bytes(**whose: Any) -> int:
    """Of the files of these jobs."""
    return int(Artifact.objects.filter(**whose).aggregate(used=Sum("size"))["used"] or 0)


def hold(name: str) -> None:
    """A lock until the transaction ends. SQLite needs none: one transaction writes at a time."""
    if connection.vendor == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
