"""Real servers that tests can throw away: Redis and PostgreSQL, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tools.processes import free_port, leash, redis_command


def wait_for(what: str, ready: Callable[[], object], seconds: float = 20) -> None:
    """Ask until it is so. The last answer may be false or an OSError; then it fails, by name."""
    end = time.monotonic() + seconds
    while True:
        try:
            if ready():
                return
        except OSError:
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


def listens(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
    return True


class Redis:
    """A redis-server that can be killed and started again; it keeps its data (AOF)."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, env: dict[str, str] | None = None) -> None:
        command = redis_command(self.folder, self.port)
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=env, start_new_session=True, preexec_fn=leash
            )
        wait_for("Redis", lambda: listens(self.port))

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait(10)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill(signal.SIGTERM)


def postgres_program(name: str) -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or (str(newest[0]) if newest else None)
    assert found, "PostgreSQL is not here. `python3 tools/setup.py --dev` says how to get it."
    return found


class Postgres:
    """A PostgreSQL cluster in /tmp, without fsync. As root it runs as `nobody`: it refuses root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="convolab-pg-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.more: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.more |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def start(self) -> None:
        data = str(self.folder / "data")
        made = [postgres_program("initdb"), "-D", data, "-U", "convolab", "-A", "trust"]
        made += ["--no-sync", "-E", "UTF8", "--locale", "C.UTF-8"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, **self.more)
        self.serve()

    def serve(self) -> None:
        """Start the server, also again after `kill`."""
        data = str(self.folder / "data")
        served = [postgres_program("postgres"), "-D", data, "-k", str(self.folder), "-F"]
        served += ["-h", "127.0.0.1", "-p", str(self.port), "-c", "max_connections=200"]
        self.process = subprocess.Popen(
            served,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=leash,
            **self.more,
        )
        wait_for("PostgreSQL", lambda: listens(self.port) and self.answers())

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgres://convolab@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Create an empty database; gives its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
