"""Room on the disk: what would need more is refused before the last of it is gone."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from django.conf import settings

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def is_full() -> bool:
    """Whether fewer than DISK_FREE bytes are free where files, or SQLite's database, are kept."""
    return any(shutil.disk_usage(_there(f)).free < settings.DISK_FREE for f in _folders())


def ran_out(fault: BaseException | None) -> bool:
    """Whether this is what a full disk says, to a file or through the database."""
    if isinstance(fault, OSError):
        return fault.errno in NO_SPACE
    said = str(fault).lower()
    return "disk is full" in said or "no space left" in said


def _folders() -> set[Path]:
    database = settings.DATABASES["default"]
    on_sqlite = database["ENGINE"].endswith("sqlite3")
    return {Path(settings.FILES_ROOT)} | ({Path(database["NAME"]).parent} if on_sqlite else set())


def _there(folder: Path) -> Path:
    """The folder, or as much of its path as is there already."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
