"""`make secrets`: the random secrets that docker-compose.yml asks for, in ./secrets.

The folder is what guards them: 0700, so that on this machine nobody but its owner and root gets to
the files. The files themselves are 0444, for Docker mounts each by itself into the containers,
where users 10001 (the site) and 999 (database, Redis) read it: a file of mode 0600 would be
readable there by neither, and a change of owner needs root.

Not named secrets.py: every script beside it would import that in the place of the standard module.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

NAMES = ("secret_key", "database_password", "redis_password")
SHORTEST = 40


class UnsafeError(Exception):
    """A secret that is there and must not be used."""


def make(folder: Path) -> list[str]:
    """Make those that are missing; one that is there is never changed. Gives what was made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = []
    for name in NAMES:
        path = folder / name
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
        except FileExistsError:
            check(path)
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
            os.fchmod(file.fileno(), 0o444)
        made.append(name)
    return made


def check(path: Path) -> None:
    held = path.read_text(encoding="utf-8").strip()
    if len(held) < SHORTEST or len(set(held)) < 8 or not held.isascii() or not held.isalnum():
        raise UnsafeError(
            f"{path} does not hold a random secret of at least {SHORTEST} letters and digits. "
            "If nothing runs with it yet, remove the file and run this again."
        )


def main(folder: Path) -> int:
    try:
        made = make(folder)
    except (UnsafeError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    for name in NAMES:
        print(f"{folder / name}: {'made' if name in made else 'was there, and is kept'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2] or ["secrets"])))
