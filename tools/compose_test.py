"""`make compose-test`: docker-compose.yml brought up for real, on a Docker Engine of its own.

The engine comes from the tool that CONVOLAB_DOCKER_ENGINE names (../shared/tools/docker-engine) and
is removed afterwards; deploy/check.override.yml replaces the images that it cannot pull. Where that
tool is not there nothing is checked: exit status 77. With CONVOLAB_DOCKER_ENV, the env file of an
engine that runs already, that one is used and left running, with what it has built.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import make_secrets
from tools.compose_checks import CHECKS
from tools.compose_site import Site, say
from tools.processes import ROOT, CannotRunError, free_port

NOT_RUN = 77
NO_ENGINE = """
=====================================================================================
  NOT RUN: docker-compose.yml was not brought up. There is no {tool}.
  CONVOLAB_DOCKER_ENGINE can name a tool whose `up` starts a Docker Engine as root.
=====================================================================================
"""


def engine_tool() -> Path:
    default = ROOT.parent / "shared" / "tools" / "docker-engine"
    return Path(os.environ.get("CONVOLAB_DOCKER_ENGINE") or default)


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[dict[str, str]]:
    """A Docker Engine of our own; gives the variables that its clients need."""
    if running := os.environ.get("CONVOLAB_DOCKER_ENV"):
        yield variables(Path(running))
        return
    env = {**os.environ, "DK": str(folder / "engine")}
    try:
        say("Starting a private Docker Engine …")
        with (folder / "engine.log").open("wb") as log:
            command = [str(engine_tool()), "up"]
            if subprocess.run(command, env=env, stdout=log, stderr=log, check=False).returncode:
                raise CannotRunError(tail(folder / "engine.log"))
        yield variables(folder / "engine" / "env")
    finally:
        say("Removing the engine …")
        for verb in ("down", "clean"):
            subprocess.run(
                [str(engine_tool()), verb], env=env, stderr=subprocess.DEVNULL, check=False
            )


def variables(file: Path) -> dict[str, str]:
    names = ("DOCKER_HOST", "DOCKER_CONFIG", "PATH")
    script = '. "$0"; printf "%s\\n" ' + " ".join(f'"${name}"' for name in names)
    said = subprocess.run(
        ["sh", "-c", script, str(file)], capture_output=True, encoding="utf-8", check=True
    )
    return dict(zip(names, said.stdout.splitlines(), strict=True))


@contextlib.contextmanager
def wheels() -> Iterator[str]:
    """The folder of wheels that pip knows of on this machine, served to the builds."""
    asked = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
    found = subprocess.run(asked, capture_output=True, encoding="utf-8", check=False).stdout.strip()
    if not Path(found).is_dir() or not found:
        yield found
        return
    handler = functools.partial(Quiet, directory=found)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def tail(path: Path, lines: int = 40) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def site(folder: Path, docker: dict[str, str], links: str) -> Iterator[Site]:
    """The whole stack, up and healthy."""
    secrets = folder / "secrets"
    make_secrets.make(secrets)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONVOLAB_")},
        **docker,
        "CONVOLAB_SECRETS": str(secrets),
        "CONVOLAB_PORT": f"127.0.0.1:{free_port()}",
        "PIP_FIND_LINKS": links,
    }
    made = Site(env, folder / "up.log", secrets)
    try:
        say("Building the images …")
        made.build()
        say("Starting the services …")
        made.compose("up", "-d", "--wait", "--wait-timeout", "300", log=True)
        say("All are healthy.")
        yield made
    except BaseException:
        print(tail(folder / "up.log", 60), flush=True)
        print(made.logs(25), flush=True)
        raise
    finally:
        say("Taking it down …")
        made.compose("down", "--volumes", "--timeout", "5", check=False)


def run_checks(made: Site) -> list[str]:
    """Every check, whatever becomes of the others. Gives what failed."""
    failed = []
    for check in CHECKS:
        title = (check.__doc__ or check.__name__).splitlines()[0]
        try:
            say(f"ok      {title} {check(made) or ''}".rstrip())
        except Exception as problem:
            say(f"FAILED  {title}\n        {type(problem).__name__}: {problem}")
            failed.append(title)
    return failed


def main() -> int:
    if not os.environ.get("CONVOLAB_DOCKER_ENV") and not engine_tool().exists():
        print(NO_ENGINE.format(tool=engine_tool()), file=sys.stderr)
        return NOT_RUN
    if not (ROOT / "static" / "vendor").is_dir():
        print("The front-end files are not built here: `make ready` first.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="convolab-compose-") as name,
        engine(Path(name)) as docker,
        wheels() as links,
        site(Path(name), docker, links) as made,
    ):
        failed = run_checks(made)
        if failed:
            print(made.logs(40), flush=True)
    say(f"{len(failed)} of {len(CHECKS)} checks failed." if failed else "All is well.")
    print(f"compose-test: {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
