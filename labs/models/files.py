"""Files of jobs, and learners' pictures. They lie in one private volume, under names we make."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from labs.models.job import Job

PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def write_file(path: Path, content: bytes) -> None:
    """Whole or not at all: a temporary file, flushed to the disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:  # what a full disk took of it would keep it full
        temporary.unlink(missing_ok=True)
        raise


class Artifact(models.Model):
    """A file that a job made."""

    job = models.ForeignKey("labs.Job", models.CASCADE, related_name="artifacts")
    name = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="one_file_a_name")]
        indexes = [models.Index(fields=["name"])]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.name}"

    @property
    def path(self) -> Path:
        return settings.FILES_ROOT / "jobs" / str(self.job_id) / self.name

    @classmethod
    def write(cls, job: Job, name: str, content: bytes) -> Artifact:
        """First the file, then the row: a row never names a file that is not whole."""
        if not PLAIN.fullmatch(name):
            raise ValueError(f"not a plain file name: {name!r}")
        sha256 = hashlib.sha256(content).hexdigest()
        write_file(job.folder / name, content)
        made, _ = cls.objects.update_or_create(
            job=job, name=name, defaults={"sha256": sha256, "size": len(content)}
        )
        return made


class Picture(models.Model):
    """A learner's own picture. Its job decodes it; the clean copy is that job's artifact.

    `used` from the first run or draft that names it, and of an account from the start: the reaper
    sweeps the others.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    learner = models.ForeignKey("accounts.Learner", models.CASCADE, related_name="pictures")
    job = models.OneToOneField("labs.Job", models.CASCADE, related_name="picture")
    label = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    created = models.DateTimeField(db_default=Now())
    used = models.BooleanField(default=False, db_default=True)  # of before it was known: used

    REBUILT = "picture.png"

    class Meta:
        indexes = [
            models.Index(fields=["created"], condition=Q(used=False), name="unused_pictures")
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def value(self) -> str:
        """What a `Picture` param holds to name this picture."""
        return f"own:{self.pk}"

    @property
    def rebuilt(self) -> Artifact | None:
        return Artifact.objects.filter(job_id=self.job_id, name=self.REBUILT).first()
