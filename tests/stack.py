"""The site as it really runs, for tests: what the Procfile lists, on a database of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.servers import Redis, wait_for
from tools.processes import ROOT, environment, free_port, leash, procfile

PATIENCE = 25
WORKERS = ("interactive", "training", "second")
"""The last is what some tests start beside them."""


class Stack:
    """web, interactive, training and reaper, by the names of the Procfile, and redis.

    `kill(name)` and `restart(name)` act on one; `children(name)` are its processes (a worker's
    pool). `stop()` ends all, and fails where anything that was started here is still alive.
    `root` is the checkout whose files it runs from.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str], database_url: str, root: Path = ROOT
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.mark, self.root = folder, uuid.uuid4().hex, root
        self.redis = Redis(folder / "redis")
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.env = environment(self.port, self.redis.url) | {
            "CONVOLAB_FILES": str(folder / "files"),
            "CONVOLAB_VAR": str(folder),
            "DATABASE_URL": database_url,  # "": SQLite, in CONVOLAB_VAR
            "CONVOLAB_TEST_STACK": self.mark,
            "CONVOLAB_EXEMPT_NETWORKS": "127.0.0.0/8",  # all who test come from here
            **env,
        }
        self.commands = procfile(self.env, root)

    def start(self, *names: str) -> None:
        """Start these (all, where none is named) and wait until the site answers."""
        self.manage("migrate", "--noinput", "--verbosity", "0")
        self.start_one("redis")
        for name in names or self.commands:
            self.start_one(name)
        if "web" in self.processes:
            self.wait_until_healthy()

    def manage(self, *arguments: str) -> str:
        """Run manage.py on this stack's database; gives what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    def start_one(self, name: str) -> None:
        if name == "redis":
            self.redis.start(self.env)
            return
        with self.log_path(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name],
                cwd=self.root,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=leash,
            )

    def wait_until_healthy(self, seconds: float = 60) -> None:
        def healthy() -> bool:
            web = self.processes["web"]
            assert web.poll() is None, f"web ended by itself:\n{self.log('web')}"
            with urllib.request.urlopen(f"{self.base_url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)

        wait_for("the site's /healthz", healthy, seconds)

    def wait_until_ready(self, *names: str, seconds: float = 90) -> None:
        """Until these workers (both, where none is named) say that they listen."""
        for name in names or ("interactive", "training"):
            wait_for(f"{name} ready", partial(self.says, name, " ready."), seconds)

    def says(self, name: str, words: str) -> bool:
        return words in self.log(name)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process and wait for its end."""
        if name == "redis":
            self.redis.kill(number)
        else:
            self.processes[name].send_signal(number)
            self.processes[name].wait(PATIENCE)

    def restart(self, name: str, number: int = signal.SIGTERM) -> None:
        self.kill(name, number)
        self.start_one(name)
        if name == "web":
            self.wait_until_healthy()

    def children(self, name: str) -> list[int]:
        """The process ids of a process's own children: of a worker, its pool."""
        pid = self.processes[name].pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def log_path(self, name: str) -> Path:
        return (
            self.folder / "redis" / "redis.log" if name == "redis" else self.folder / f"{name}.log"
        )

    def log(self, name: str, lines: int = 0) -> str:
        """What a process has printed; with `lines`, the last of it."""
        path = self.log_path(name)
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:]) if lines else text

    def stacks(self, name: str) -> str:
        """Where every thread of a worker and of its children is: they print it on SIGUSR2."""
        before = len(self.log(name))
        for pid in [self.processes[name].pid, *self.children(name)]:
            os.kill(pid, signal.SIGUSR2)
            time.sleep(0.3)  # one after the other: they write into one file
        return self.log(name)[before:]

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        late = [name for name, process in self.processes.items() if not ends(process)]
        self.redis.stop()
        left = marked(self.mark)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not late, f"did not stop within {PATIENCE} s: {', '.join(late)}"
        assert not left, f"orphans: {list(left.values())}"


def ends(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    return True


def marked(mark: str) -> dict[int, str]:
    """Live processes whose environment has this mark, with their command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = command.decode(errors="replace")
        except OSError:  # it ended meanwhile
            continue
    return found
