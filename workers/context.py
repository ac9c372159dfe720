"""What compute may ask of a worker: `labs.context.Context`, with files and checkpoints."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from labs.context import LabError
from labs.models import Artifact, Job, Picture
from labs.models.files import write_file
from labs.room import ran_out
from labs.stream import Fenced
from labs.version import code_version
from workers import devices

log = logging.getLogger(__name__)

SAVE_EVERY = 10.0


class JobFiles:
    """A job's artifacts; a follow-up reads its parent's."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.reads_from = job.parent_id or job.pk

    def write(self, name: str, content: bytes) -> None:
        """An attempt that is not the job's any more overwrites nothing of its successor's."""
        if not self.job.renew():
            raise Fenced(self.job.stream)
        Artifact.write(self.job, name, content)

    def read(self, name: str) -> bytes:
        found = Artifact.objects.filter(job_id=self.reads_from, name=name).first()
        if found is None:
            raise KeyError(name)
        return found.path.read_bytes()

    def delete(self, name: str) -> None:
        for found in Artifact.objects.filter(job=self.job, name=name):
            found.path.unlink(missing_ok=True)
            found.delete()


class WorkerContext:
    """`save` gets the name of a checkpoint that is whole on the disk, to commit it."""

    def __init__(self, job: Job, save: Callable[[str], None]) -> None:
        self.job = job
        self.seed = job.seed
        self.device = devices.device() if job.lane == "training" else "cpu"
        self.artifacts = JobFiles(job)
        self.saved = self._last_checkpoint()
        self._commit = save
        self._due = time.monotonic() + SAVE_EVERY
        self._told: dict[str, str | float | int] = {}

    @property
    def folder(self) -> Path:
        return Path(settings.FILES_ROOT) / "checkpoints"

    @property
    def save_wanted(self) -> bool:
        return time.monotonic() >= self._due

    def due(self) -> None:
        """Make a checkpoint wanted at once."""
        self._due = 0

    def save(self, state: Mapping[str, Any]) -> None:
        if self.job.draft:
            return
        from labs.nets.checkpoint import pack

        name = f"{self.job.pk}-{self.job.attempt}-{time.monotonic_ns()}.safetensors"
        old = self.job.checkpoint
        try:
            write_file(self.folder / name, pack(dict(state)))
        except OSError as error:
            if not ran_out(error):
                raise
            log.warning("job %s: no room for a checkpoint; it goes on without", self.job.pk)
            self._due = time.monotonic() + SAVE_EVERY
            return
        self._commit(name)
        self._due = time.monotonic() + SAVE_EVERY
        if old:
            (self.folder / old).unlink(missing_ok=True)

    def _last_checkpoint(self) -> dict[str, Any] | None:
        """The state to go on from. (A worker claims only jobs of its own code version.)"""
        if not self.job.checkpoint or self.job.code_version != code_version(self.job.declared):
            return None
        from labs.nets.checkpoint import unpack

        try:
            packed = (self.folder / self.job.checkpoint).read_bytes()
        except FileNotFoundError:
            self.job.start_over()
            return None
        state: dict[str, Any] = unpack(packed)
        return state

    def forget(self) -> None:
        """The job is over: its checkpoint is of no more use."""
        if self.job.checkpoint:
            (self.folder / self.job.checkpoint).unlink(missing_ok=True)

    def picture(self, value: str) -> Any:
        from labs.data.pictures import load

        if not value.startswith("own:"):
            return load(value)
        own = Picture.objects.filter(pk=UUID(value[4:])).first()
        rebuilt = own.rebuilt if own else None
        if rebuilt is None:
            raise LabError("The picture was deleted before the run began. Choose another.")
        return load(rebuilt.path)

    def data(self, name: str) -> Any:
        from labs.data.datasets import load

        return load(name)

    def tell(self, **facts: str | float | int) -> None:
        self._told |= facts

    def ran(self) -> dict[str, str | float | int]:
        """What ran, as the run's page says it."""
        facts: dict[str, str | float | int] = {"device": self.device, "seed": self.seed}
        return facts | {"code": self.job.code_version[:12]} | self._told
