"""`make run`: the whole site on this machine under one roof, until Ctrl-C.

Runs with the virtual environment's Python. Starts a Redis of its own, then what the Procfile
lists; each line of a process goes to var/log/NAME.log, warnings and worse also to the terminal.
Every process dies with this one, however this one dies (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.processes import (
    ROOT,
    CannotRunError,
    environment,
    free_port,
    leash,
    port_is_free,
    procfile,
    redis_command,
)
from tools.terminal import speak_anywhere

VAR = Path(os.environ.get("CONVOLAB_VAR") or ROOT / "var")
PROVEN = 30.0
"""Seconds: a process that ran so long and dies is started again; one that did not ends it all."""
PATIENCE = 25.0
"""Seconds for an orderly stop: a training worker writes its checkpoint first."""
MUST_BE_RAISED = 3
"""What sign_in_link ends with where the account is there as a student's."""
OTHERS_NAME = (
    "Author: no link, for “author” is a student's account. "
    "One of your own: .venv/bin/python manage.py sign_in_link --name NAME"
)
LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")


class Site:
    """The processes, and the lines that they print."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.watchers: dict[str, asyncio.Task[None]] = {}
        self.colours = itertools.cycle((36, 33, 32, 35, 34))
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(self, why: str) -> None:
        if not self.over.done():
            self.over.set_result(why)
        else:  # the second Ctrl-C
            for name in self.running:
                self.signal(name, signal.SIGKILL)

    def signal(self, name: str, number: int) -> None:
        """To the process, or with SIGKILL to all of its group."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if number == signal.SIGKILL else os.kill)(self.running[name].pid, number)

    async def start(self, name: str, command: list[str]) -> None:
        self.running[name] = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=leash,
            limit=2**22,
        )
        self.watchers[name] = asyncio.create_task(self.watch(name, command))

    async def watch(self, name: str, command: list[str]) -> None:
        process, began, log = self.running[name], time.monotonic(), VAR / "log" / f"{name}.log"
        tail = await self.copy_lines(name, process, log)
        status = await process.wait()
        self.signal(name, signal.SIGKILL)  # what it left behind in its group
        if self.over.done():
            return
        how = f"signal {-status}" if status < 0 else f"status {status}"
        if time.monotonic() - began > PROVEN:
            print(f"{name} ended by itself ({how}); starting it again.", flush=True)
            await self.start(name, command)
        else:
            lines = "".join(f"\n    {line}" for line in tail)
            self.end(f"{name} ended by itself ({how}), so all stops. From {log}:{lines}")

    async def copy_lines(
        self, name: str, process: asyncio.subprocess.Process, path: Path
    ) -> list[str]:
        """Everything to the log, what matters to the terminal. Gives the last lines."""
        label, tail, shown = f"{name:<12}| ", [""], True
        if sys.stdout.isatty():
            label = f"\033[{next(self.colours)}m{label}\033[0m"
        assert process.stdout
        with path.open("ab") as log:
            async for line in process.stdout:
                with contextlib.suppress(OSError):  # a full disk must not stop up the process
                    log.write(line)
                    log.flush()
                text = line.decode(errors="replace").rstrip()
                tail = [*tail[-14:], text]
                if level := LEVEL.search(text[:80]):  # a line without one goes with the last
                    shown = level[1] not in ("DEBUG", "INFO")
                if shown and text and name != "redis":
                    print(label + text, flush=True)
        return tail

    async def stop(self) -> None:
        """Redis last: the others still put back what they were at."""
        others = [name for name in self.running if name != "redis"]
        for names, seconds in ((others, PATIENCE), (list(self.running), 5.0)):
            for name in names:
                self.signal(name, signal.SIGTERM)
            if names and (await self.ended(names, seconds)):
                for name in names:
                    self.signal(name, signal.SIGKILL)
                await self.ended(names, 5)

    async def ended(self, names: list[str], seconds: float) -> bool:
        """Wait for these. True where some are left."""
        return bool((await asyncio.wait([self.watchers[n] for n in names], timeout=seconds))[1])


async def answers(url: str, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=2).close())
            return True
        await asyncio.sleep(0.1)
    return False


async def author_link(env: dict[str, str], address: str) -> str:
    """What lets an author in, once and today: a line for the box, and for no log. Or "".

    Where somebody else's account has that name, says so: it is made an author's by hand alone.
    """
    making = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "sign_in_link", "--role", "author", "--base", address),
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=leash,
    )
    try:
        said, _ = await asyncio.wait_for(making.communicate(), 30)
    except TimeoutError:
        making.kill()
        await making.wait()
        return ""
    if making.returncode == MUST_BE_RAISED:
        return OTHERS_NAME
    return "" if making.returncode else f"Author: {said.decode().strip()}"


def box(*lines: str) -> str:
    """The lines with a frame around them; those that say nothing are left out."""
    lines = tuple(filter(None, lines))
    width = max(map(len, lines))
    rows = [f"  │  {line:<{width}}  │" for line in lines]
    return "\n".join(["", f"  ┌──{'─' * width}──┐", *rows, f"  └──{'─' * width}──┘", ""])


async def run(port: int) -> int:
    redis_port, password = free_port(), secrets.token_urlsafe(24)
    address = f"http://127.0.0.1:{port}/"
    given = os.environ.get("REDIS_URL")
    site = Site(environment(port, given or f"redis://:{password}@127.0.0.1:{redis_port}/0"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, site.end, "")
    try:
        if not given:
            await site.start("redis", redis_command(VAR / "redis", redis_port, password))
        for name, command in procfile(site.env).items():
            await site.start(name, command)
        healthy = asyncio.create_task(answers(f"{address}healthz", 60))
        first: list[asyncio.Future[Any]] = [healthy, site.over]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if healthy.done() and healthy.result():
            author = await author_link(site.env, address)
            says = (f"Convolab runs at {address}", author, "Ctrl-C stops it. Logs: var/log/")
            print(box(*says), flush=True)
        elif healthy.done():
            site.end("The site did not answer within a minute. See var/log/web.log.")
        why = await site.over
        print(f"\n{why or 'Stopping …'}", flush=True)
    finally:
        await site.stop()
    return 1 if why else 0


def wanted_port(said: str) -> int:
    try:
        port = int(said or 8000)
    except ValueError:
        port = 0
    if not 0 < port < 65_536:
        raise CannotRunError(
            f"PORT is “{said[:40]}”. It must be a whole number from 1 to 65535: make run PORT=9000"
        )
    return port


def choose_port(wanted: int) -> int:
    port = next((p for p in range(wanted, min(wanted + 100, 65_536)) if port_is_free(p)), 0)
    if not port:
        raise CannotRunError(f"No port from {wanted} on is free. Choose one: make run PORT=9000")
    if port != wanted:
        print(f"Port {wanted} is taken by another program; using {port}.", flush=True)
    return port


@contextlib.contextmanager
def port_of_the_only_one() -> Iterator[int]:
    """Two at once would write the same database and the same Redis files."""
    with (VAR / "serve.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotRunError(f"Convolab already runs from here, at {lock.read()}") from None
        port = choose_port(wanted_port(os.environ.get("PORT", "")))
        lock.truncate(0)
        lock.write(f"http://127.0.0.1:{port}/")
        lock.flush()
        yield port


def start_afresh() -> None:
    """Folders, the last run's logs out of the way, the database and the lectures up to date."""
    (VAR / "log").mkdir(parents=True, exist_ok=True)
    for log in (VAR / "log").glob("*.log"):
        if log.name != "setup.log":
            log.replace(log.with_suffix(".log.old"))
    print("Database and lectures …", flush=True)
    migrate = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    if subprocess.run(migrate, check=False).returncode:
        raise CannotRunError("The database could not be brought up to date: see above.")
    load = [sys.executable, "manage.py", "load_course", "--verbosity", "0"]
    if subprocess.run(load, check=False).returncode:
        raise CannotRunError("The lectures could not be brought in: see above.")


def main() -> int:
    speak_anywhere()
    os.chdir(ROOT)
    os.umask(0o077)  # the database holds sessions: this machine's other users read none of it
    VAR.mkdir(parents=True, exist_ok=True)
    try:
        with port_of_the_only_one() as port:
            start_afresh()
            print("Starting web, workers and reaper …", flush=True)
            return asyncio.run(run(port))
    except CannotRunError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
