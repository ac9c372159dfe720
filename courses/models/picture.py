"""Pictures of lectures: uploaded by authors, or brought with the course's files."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from labs.models.files import write_file


class Picture(models.Model):
    """A PNG of the course. Its name ends in its size, `cup-640x480.png`, and never changes."""

    name = models.CharField(max_length=120, unique=True)
    alt = models.CharField(max_length=400, verbose_name="text alternative")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    added = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return settings.FILES_ROOT / "course" / self.name

    def write(self, content: bytes) -> None:
        """First the file, then the row."""
        write_file(self.path, content)
        self.size = len(content)
        self.save()
