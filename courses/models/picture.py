"""Pictures of lectures: uploaded by authors, or brought with the course's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.text import slugify

from labs.models.files import write_file

PNG = b"\x89PNG\r\n\x1a\n"


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

    @classmethod
    def take(cls, content: bytes, alt: str) -> Picture:
        """Keep a PNG under a name made of its alternative, its digest and its size.

        The same picture with the same alternative is kept once.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        width, height = _size(content)
        stem = slugify(alt)[:40].strip("-_").replace("_", "-") or "picture"
        name = f"{stem}-{sha256[:6]}-{width}x{height}.png"
        row = cls.objects.filter(name=name).first() or cls(name=name)
        row.alt, row.sha256 = alt, sha256
        row.write(content)
        return row

    @property
    def markdown(self) -> str:
        """What stands in a lecture's text. Brackets and backslashes would end it too early."""
        plain = self.alt.translate({ord("["): "(", ord("]"): ")", ord("\\"): "/", ord("`"): "’"})
        return f"![{' '.join(plain.split())}](pictures/{self.name})"

    def remove(self) -> None:
        """First the row, then the file."""
        self.delete()
        self.path.unlink(missing_ok=True)


def _size(png: bytes) -> tuple[int, int]:
    """Width and height, as a PNG's first chunk says them."""
    if not png.startswith(PNG) or png[12:16] != b"IHDR":
        raise ValueError("it is no PNG")
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
