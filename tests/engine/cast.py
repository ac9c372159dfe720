"""The cast of the engine's tests, and a worker that works in this very process."""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts.models import Learner, User
from labs import stream
from labs.lab import every_lab
from labs.models import Job, Run
from labs.models.turn import claim
from labs.state import Entry, state_at
from labs.version import code_version
from workers import life
from workers.carry import carry


def learner(address: str = "") -> Learner:
    """A guest."""
    return Learner.objects.create(address=address)


def account(name: str) -> Learner:
    return Learner.objects.create(user=User.objects.create_user(name))


def start(
    who: Learner, lab: str = "steady", seed: int = 0, address: str = "", **params: Any
) -> Run:
    declared = every_lab()[lab]
    return Run.start(who, declared, declared.params.model_validate(params), seed, address)


def versions() -> list[str]:
    return [code_version(lab) for lab in every_lab().values()]


def take(lane: str = "training") -> Job | None:
    return claim(lane, versions(), life.this_process())


def work(lane: str = "training") -> Job | None:
    """Claim the next job and carry it to its end, as a worker's child does."""
    if connection.vendor == "postgresql":
        told = "the lease's thread reads on a connection of its own: use the fixture `commits`"
        assert not connection.in_atomic_block, told
    job = take(lane)
    if job is not None:
        carry(job)
        job.refresh_from_db()
    return job


def shown(job: Job) -> dict[str, Entry]:
    """What the page shows, by name, from the archive alone."""
    return state_at(job.archived())


def live(job: Job) -> list[Entry]:
    return stream.read(job.stream)
