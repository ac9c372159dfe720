"""A learner's storage, filled in parallel (fault 34): it stops exactly, in words."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from accounts.models import Learner
from labs.models import Artifact, Job, Picture, State
from tests.faults.site import Site
from tests.faults.streams.client import Guest
from tests.faults.uploads import files
from tests.servers import wait_for

pytestmark = pytest.mark.faults
AT_ONCE = 12
PLACES = 3
"""Less than may wait at a time, so that this limit is the one that is met."""


@pytest.fixture
def guest(broken: Site) -> Iterator[Guest]:
    with broken.guest() as made:
        yield made


def send(guest: Guest, content: bytes) -> httpx.Response:
    return guest.post("/pictures/", files={"picture": ("a.jpg", content, "image/jpeg")})


def first(broken: Site, guest: Guest) -> tuple[Learner, Picture]:
    """The guest's first picture, ready."""
    answer = send(guest, files.png())
    assert answer.status_code == 200
    alias = broken.ledger.alias
    picture = Picture.objects.using(alias).latest("created")
    wait_for("the first picture", lambda: stored(broken, picture.job_id) == {"picture.png"})
    return Learner.objects.using(alias).get(pk=picture.learner_id), picture


def stored(broken: Site, job: int) -> set[str]:
    folder = Path(broken.env["CONVOLAB_FILES"]) / "jobs" / str(job)
    return {path.name for path in folder.iterdir()}


def own(broken: Site, who: Learner, count: int, size: int) -> None:
    """Give a learner this many pictures more, of this size on the disk, by the rows alone."""
    alias = broken.ledger.alias
    for _ in range(count):
        job = Job.objects.using(alias).create(
            lab="picture", lane="interactive", params={}, code_version="0", state=State.SUCCEEDED
        )
        Artifact.objects.using(alias).create(job=job, name="picture.png", sha256="0", size=size)
        Picture.objects.using(alias).create(learner=who, job=job, label="one of many", size=size)


def at_once(guest: Guest, content: bytes) -> Counter[int]:
    with ThreadPoolExecutor(AT_ONCE) as people:
        answers = list(people.map(lambda _: send(guest, content), range(AT_ONCE)))
    for answer in answers:
        assert answer.status_code == 200 or "Delete one that you no longer need" in answer.text
    return Counter(answer.status_code for answer in answers)


def test_the_number_of_pictures_stops_exactly(broken: Site, guest: Guest) -> None:
    who, _ = first(broken, guest)
    own(broken, who, settings.PICTURES_A_LEARNER - 1 - PLACES, size=1)
    assert at_once(guest, files.png()) == {200: PLACES, 429: AT_ONCE - PLACES}
    mine = Picture.objects.using(broken.ledger.alias).filter(learner=who)
    assert mine.count() == settings.PICTURES_A_LEARNER


def test_the_room_on_the_disk_stops_exactly(broken: Site, guest: Guest) -> None:
    """Room for three as they are sent, and a little; what is decoded meanwhile takes some more."""
    who, picture = first(broken, guest)
    content = files.large()
    room = (PLACES + 1) * len(content) - 1
    alias = broken.ledger.alias
    used = sum(a.size for a in Artifact.objects.using(alias).filter(job=picture.job_id))
    own(broken, who, 1, size=settings.STORAGE_A_LEARNER - used - room)
    assert at_once(guest, content) == {200: PLACES, 429: AT_ONCE - PLACES}
    wait_for("the uploads decoded", lambda: not broken.ledger.live_jobs())
    kept = Artifact.objects.using(alias).filter(job__picture__learner=who, size__gt=0)
    real = list(kept.exclude(sha256="0"))
    folder = Path(broken.env["CONVOLAB_FILES"]) / "jobs"
    on_disk = sum((folder / str(a.job_id) / a.name).stat().st_size for a in real)
    assert sum(a.size for a in real) == on_disk, "what is counted is what lies there"


def test_a_deleted_picture_makes_room(broken: Site, guest: Guest) -> None:
    who, picture = first(broken, guest)
    own(broken, who, settings.PICTURES_A_LEARNER - 1, size=1)
    assert send(guest, files.png()).status_code == 429
    assert guest.post(f"/pictures/{uuid.UUID(str(picture.pk))}/delete/").status_code == 302
    assert send(guest, files.png()).status_code == 200
