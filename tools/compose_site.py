"""The stack of docker-compose.yml as tools/compose_test.py sees it: containers, a guest, a run."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tools.processes import ROOT, CannotRunError

BEGAN = time.monotonic()
PROJECT = "convolab-check"
FILES = ("docker-compose.yml", "deploy/check.override.yml")
STEPS = 16
STEP = re.compile(r"Step (\d+) drew ([0-9.]+)\.")
IMAGES = (("db", "redis", "web"), ("worker-interactive", "proxy"))


def say(text: str) -> None:
    seconds = int(time.monotonic() - BEGAN)
    print(f"[{seconds // 60}:{seconds % 60:02d}] {text}", flush=True)


class Site:
    """docker compose on this project, and what the engine says of its containers."""

    def __init__(self, env: Mapping[str, str], log: Path, secrets: Path) -> None:
        self.env, self.log, self.secrets = dict(env), log, secrets
        self.port = int(env["CONVOLAB_PORT"].rpartition(":")[2])

    def docker(self, *arguments: str, check: bool = True, log: bool = False) -> str:
        done = subprocess.run(
            ["docker", *arguments],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if log else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if log:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(done.stdout)
        if check and done.returncode:
            said = (done.stderr or done.stdout)[-800:]
            raise CannotRunError(f"docker {' '.join(arguments[-4:])}: {said}")
        return done.stdout

    def compose(self, *arguments: str, check: bool = True, log: bool = False) -> str:
        files = [part for name in FILES for part in ("-f", name)]
        return self.docker("compose", "-p", PROJECT, *files, *arguments, check=check, log=log)

    def build(self) -> None:
        """Few at once: on two cores more only wait for one another."""
        for names in IMAGES:
            self.compose("--progress", "plain", "build", *names, log=True)
            say(f"        built: {', '.join(names)}")

    def logs(self, lines: int = 10_000) -> str:
        said = self.compose("logs", "--no-color", "--tail", str(lines), check=False)
        return said.replace("\x1b[2K", "")

    def containers(self) -> dict[str, dict[str, Any]]:
        """What `docker inspect` says of those that run, by service."""
        found = json.loads(self.docker("inspect", *self.compose("ps", "-q").split()))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        return self.compose("exec", "-T", service, *command, check=check)

    def rows(self, query: str) -> list[list[str]]:
        """An SQL query's rows."""
        said = self.inside("db", "psql", "-U", "convolab", "-At", "-c", query)
        return [line.split("|") for line in said.splitlines()]

    def guest(self) -> Guest:
        return Guest(self.port)


@dataclass(frozen=True)
class Message:
    """One message of an event stream, and when it came (seconds after the request)."""

    at: float
    id: str
    event: str
    data: str


class Guest:
    """Somebody who has never been here, with a browser that knows cookies and forms."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}

    def open(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = self.headers | headers
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # answered before its end
            connection.request(method, path, body, headers)
        response = connection.getresponse()
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: crumb.value for name, crumb in SimpleCookie(line).items()}
        return connection, response

    def get(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection, response = self.open("GET", path)
        try:
            return response, response.read()
        finally:
            connection.close()

    def start(self, lab: str, **fields: object) -> str:
        """Press Start. Gives the run's address."""
        self.get(f"/labs/{lab}/")
        form = {"csrfmiddlewaretoken": self.cookies["csrftoken"], **fields}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection, response = self.open(
            "POST", f"/labs/{lab}/run/", urlencode(form).encode(), **kind
        )
        said = response.read()
        connection.close()
        address = response.headers.get("Location", "")
        if response.status != 302 or not re.fullmatch(r"/runs/[-0-9a-f]{36}/", address):
            raise AssertionError(f"Start answered {response.status}: {said[:600]!r}")
        return address

    def follow(self, run: str) -> Iterator[Message]:
        """The run's event stream, message by message, to its end."""
        began = time.monotonic()
        connection, response = self.open("GET", f"{run}events/")
        kind = response.headers["Content-Type"]
        assert response.status == 200, f"the stream answered {response.status}"
        assert kind.startswith("text/event-stream"), f"the stream is {kind}"
        fields: dict[str, list[str]] = {}
        try:
            while line := response.readline().decode():
                if line.strip():
                    name, _, value = line.rstrip("\n").partition(":")
                    fields.setdefault(name, []).append(value.removeprefix(" "))
                    continue
                parts = {name: "\n".join(values) for name, values in fields.items()}
                at = time.monotonic() - began
                yield Message(
                    at, parts.get("id", ""), parts.get("event", ""), parts.get("data", "")
                )
                fields = {}
        finally:
            connection.close()


class Counting(threading.Thread):
    """A guest's run of the lab that counts, followed to its end."""

    def __init__(self, guest: Guest, seed: int) -> None:
        super().__init__(daemon=True)
        self.guest, self.seed = guest, seed
        self.run_path = guest.start("steady", seed=seed, steps=STEPS, pause=0.3)
        self.drew: dict[int, set[str]] = {}
        self.began = time.monotonic()
        self.newest = 0.0
        self.first_byte: float | None = None
        self.start()

    def run(self) -> None:
        for message in self.guest.follow(self.run_path):
            self.first_byte = self.first_byte or message.at
            if found := STEP.search(message.data):
                self.drew.setdefault(int(found[1]), set()).add(found[2])
                self.newest = time.monotonic()

    def until(self, step: int, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while max(self.drew, default=0) < step:
            assert time.monotonic() < end, f"run {self.seed} stands at {self.drew}"
            time.sleep(0.05)

    def until_it_goes_on(self, since: float, seconds: float) -> float:
        """Wait for an event that came after `since`; gives how long after."""
        end = since + seconds
        while self.newest <= since:
            assert time.monotonic() < end, f"run {self.seed} did not go on within {seconds} s"
            time.sleep(0.05)
        return self.newest - since

    def ended_well(self, site: Site) -> tuple[int, int]:
        """The run is whole: each step with one value, as its file has it. Gives attempt, tries."""
        self.join(90)
        assert not self.is_alive(), f"run {self.seed}: {state_of(site, self.run_path)}"
        state, attempt, tries = state_of(site, self.run_path)
        assert state == "succeeded", f"run {self.seed} {state}"
        assert all(len(values) == 1 for values in self.drew.values()), f"drew twice: {self.drew}"
        _, content = self.guest.get(f"{self.run_path}files/numbers.txt")
        kept = content.decode().split()
        assert len(kept) == STEPS, f"run {self.seed} kept {len(kept)} of {STEPS} steps"
        for step, values in self.drew.items():
            assert values == {f"{float(kept[step - 1]):.6f}"}, f"step {step}: {values}, {kept}"
        return int(attempt), int(tries)


def state_of(site: Site, run: str) -> list[str]:
    return site.rows(
        "select j.state, j.attempt, j.tries from labs_job j join labs_run r on r.job_id = j.id "
        f"where r.id = '{run.split('/')[2]}'"
    )[0]
