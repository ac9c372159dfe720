"""Four who ask, and what the first of them owns."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from accounts.models import Learner, User
from courses.models import Answer, Progress
from labs.events import Image, Images
from labs.lab import every_lab
from labs.models import Artifact, Job, Picture, Run, State
from tests.courses.specimen import lecture
from tests.engine.cast import start, take
from workers.wire import encode

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


GIVEN = "16×31415×92653"
"""What alice has answered to a question of the course."""


class Person:
    """A browser with a session, or (without a learner) with none."""

    def __init__(self, learner: Learner | None, csrf: bool = False) -> None:
        self.learner = learner
        self.client = AsyncClient(enforce_csrf_checks=csrf)
        if learner is not None and learner.user is not None:
            self.client.force_login(learner.user)
        elif learner is not None:
            session = self.client.session
            session["learner"] = str(learner.pk)
            session.save()
            self.client.cookies["sessionid"] = str(session.session_key)

    def ask(self, method: str, path: str, data: Any = None, **more: Any) -> Any:
        return async_to_sync(getattr(self.client, method.lower()))(path, data, **more)


@dataclass(frozen=True)
class Scene:
    """What belongs to alice: a finished run, one that waits, a picture of her own, an answer."""

    alice: Learner
    finished: Run
    waiting: Run
    picture: Picture
    nonce: str

    @classmethod
    def set(cls) -> Scene:
        alice = Learner.objects.create()
        progress = Progress.objects.create(learner=alice, lecture=lecture())
        Answer.objects.create(progress=progress, name="maps", given=GIVEN, tries=1)
        picture = own_picture(alice)
        finished = start(alice, steps=2, own=picture.value)
        job = take()
        assert job is not None
        Artifact.write(job, "numbers.txt", b"0.49625658\n0.76822179")
        assert job.succeed({"device": "cpu"}, [image(job.attempt)])
        waiting = start(alice, steps=3, own=picture.value)
        finished.refresh_from_db()
        return cls(alice, finished, waiting, picture, uuid.uuid4().hex)

    def people(self) -> dict[str, Person]:
        staff = User.objects.create_user("staff", is_staff=True, is_superuser=True)
        return {
            "nobody": Person(None),
            "bob": Person(Learner.objects.create()),
            "staff": Person(Learner.objects.create(user=staff)),
            "alice": Person(self.alice),
        }

    def secrets(self) -> list[bytes]:
        """What must stand in nobody else's answers."""
        numbers = Artifact.objects.get(job=self.finished.job, name="numbers.txt").path.read_bytes()
        png = image(1)["items"][0]["png"]
        ids = [self.finished.pk, self.waiting.pk, self.picture.pk, self.finished.job.token]
        words = [*map(str, ids), self.picture.label, png, GIVEN]
        return [PNG, numbers, *(word.encode() for word in words)]

    def place(self) -> str:
        """Where a picture of the finished run is: attempt, seq and number."""
        return f"{self.finished.job.attempt}-1-0"


def image(attempt: int) -> dict[str, Any]:
    """A picture event as the archive has it."""
    values = np.array([[1, 2], [3, 4]], np.uint8)
    wire = encode(Images(name="picture", items=(Image(values, label="alice's"),)))
    return wire | {"attempt": attempt, "seq": 1}


def own_picture(learner: Learner, state: str = State.SUCCEEDED, content: bytes = PNG) -> Picture:
    lab = every_lab()["picture"]
    job = Job.objects.create(
        lab=lab.slug, lane=lab.lane, params={}, code_version="1", payer=learner, state=state
    )
    if state == State.SUCCEEDED:
        Artifact.write(job, Picture.REBUILT, content)
    return Picture.objects.create(learner=learner, job=job, label="alice-at-home.jpg", size=3)
