"""`python3 tools/setup.py [--dev]`: from a fresh clone to a site that can be served.

Needs a Python and nothing else: it runs before anything is installed, and says what is missing
also on a Python (3.8 and on) that is too old for the rest. A step is skipped where its stamp holds
the hash of what the step is made from. `--dev` adds what the tests need.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.moved import move_in
from tools.terminal import Line, speak_anywhere

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VENDOR = ROOT / "static" / "vendor"
VAR = Path(os.environ.get("CONVOLAB_VAR") or ROOT / "var")
DATA = Path(os.environ.get("CONVOLAB_DATA") or VAR / "data")
LOG = VAR / "log" / "setup.log"
OLDEST, TOO_NEW = (3, 11), (3, 13)
ROOM = 3_000_000_000


class MissingError(Exception):
    """What cannot be had, and the way out."""


def run(command: list[str], line: Line, way_out: str, note: Callable[[str], str] = str) -> None:
    """Run a program, its output to the log; `note` makes the step's detail of what it prints."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    tail: list[str] = []
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        with subprocess.Popen(
            command,
            cwd=str(ROOT),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout
            for text in map(str.rstrip, process.stdout):
                log.write(text + "\n")
                tail = [*tail[-11:], text]
                line.detail = note(text)[:70] or line.detail
    if process.returncode:
        said = "\n".join("    " + text for text in tail if not text.startswith("WARNING: Loc"))
        raise MissingError(f"`{' '.join(command[:5])} …` failed:\n{said}\n\n{way_out}")


def environment(line: Line, extras: list[str]) -> None:
    """.venv, with what pyproject.toml names, and what that needs as constraints.txt has it."""
    if not VENV.exists() and shutil.disk_usage(str(ROOT)).free < ROOM:
        raise MissingError(
            "There are less than 3 GB of room on this disk. PyTorch and the rest need about 2 GB, "
            "and more where pip finds only PyTorch's GPU build. Make room, and run this again."
        )
    if not (version_of(str(PYTHON)) and (VENV / "bin" / "pip").exists()):
        way_out = (
            "Python's venv module does not work here. On Debian and Ubuntu: "
            "apt-get install python3-venv"
        )
        run([fitting_python(), "-m", "venv", "--clear", str(VENV)], line, way_out)
    found: list[str] = []

    def note(text: str) -> str:
        if text.startswith("Collecting"):
            found.append(text)
            return f"{len(found)} packages found"
        if text.startswith("Installing collected"):
            return f"installing {text.count(',') + 1} packages"
        if text.startswith("Successfully installed"):
            return f"{max(len(text.split()) - 2, len(found))} packages"
        return "" if line.detail else "looking for packages"

    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    way_out = (
        "The packages could not be installed. Is this machine online, and is there room on the "
        "disk? pip's own settings hold (an index, a proxy, a folder of wheels). Then run it again: "
        f"what was fetched is kept. All that pip said: {LOG}"
    )
    run([*pip, "-c", "constraints.txt", "-e", f".[{','.join(extras)}]"], line, way_out, note)


def moved(line: Line, extras: list[str]) -> None:
    """.venv of a checkout that was moved or copied; made anew where that is not enough."""
    move_in(VENV, ROOT)
    asked = [str(PYTHON), "-c", "import labs; print(labs.__file__)"]
    said = subprocess.run(asked, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if os.fsdecode(said.stdout).strip() != str(ROOT / "labs" / "__init__.py"):
        shutil.rmtree(str(VENV))
        environment(line, extras)


def front_end(line: Line) -> None:
    """What the pages load, from npm."""
    try:
        said = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, check=True).stdout
        major = int(re.sub(rb"^v(\d+).*", rb"\1", said.strip()))
    except (OSError, ValueError, subprocess.CalledProcessError):
        major = 0
    if major < 20 or not shutil.which("npm"):
        found = f"Node {major} is too old" if 0 < major < 20 else "Node, or its npm, is not here"
        raise MissingError(
            f"{found}. The pages' scripts and fonts come from npm and need Node 20 or newer. "
            "Install it (your system's packages nodejs and npm, or nvm), and run this again."
        )
    way_out = f"npm could not fetch the packages. Is this machine online? What it said: {LOG}"
    line.detail = "npm ci"
    run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"], line, way_out, lambda _: "")
    run(["node", "tools/vendor.mjs"], line, way_out)


def lighthouse(line: Line) -> None:
    """Lighthouse, which the tests ask about the pages."""
    way_out = f"npm could not fetch Lighthouse. Is this machine online? What it said: {LOG}"
    run(["npm", "ci", "--no-audit", "--no-fund"], line, way_out, lambda _: "")


def data(line: Line) -> None:
    """The datasets that come with the packages, made ready."""
    way_out = f"The bundled datasets could not be made ready. All that was said: {LOG}"
    run([str(PYTHON), "manage.py", "datasets", "prepare"], line, way_out, str.strip)


def chromium() -> str:
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


def postgresql() -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return shutil.which("initdb") or "".join(map(str, newest[:1]))


def install(line: Line, what: str, package: str) -> None:
    """With Debian's packages, where this may."""
    by_hand = f"The tests need {what}. On Debian and Ubuntu: apt-get install {package}"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise MissingError(by_hand)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run(["apt-get", "update"], line, by_hand)
    run(["apt-get", "install", "-y", "--no-install-recommends", package], line, by_hand)


def version_of(python: str) -> tuple[int, ...] | None:
    """(major, minor) where this is a Python that the site can run on, else None."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError, ValueError):
        asked = [python, "-c", "import sys; print(*sys.version_info[:2])"]
        said = subprocess.run(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        version = tuple(map(int, said.stdout.split()))
        return version if OLDEST <= version < TOO_NEW else None
    return None


def fitting_python() -> str:
    for name in (sys.executable, "python3.12", "python3.11"):
        path = shutil.which(name)
        if path and version_of(path):
            return path
    mine = ".".join(map(str, sys.version_info[:2]))
    raise MissingError(
        f"This is Python {mine}, and no Python 3.11 or 3.12 is on the PATH. Convolab needs one of "
        "them: the PyTorch it is tested with is built for these. Install python3.11 (your "
        "system's packages, or pyenv), and run this again."
    )


def digest(*files: Path) -> str:
    found = (file.read_bytes() if file.exists() else b"missing" for file in files)
    return hashlib.sha256(b"\0".join(found)).hexdigest()


def stamped(stamp: Path, made_from: str) -> bool:
    return stamp.exists() and stamp.read_text(encoding="utf-8") == made_from


def with_stamp(stamp: Path, made_from: str, step: Callable[[Line], None]) -> Callable[[Line], None]:
    """The step, and then its stamp: a step that is broken off leaves none."""

    def do(line: Line) -> None:
        if stamp.exists():
            stamp.unlink()
        step(line)
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(made_from, encoding="utf-8")

    return do


def steps(dev: bool) -> list[tuple[str, bool, Callable[[Line], None]]]:
    """(title, whether it is done, how to do it), in order."""
    extras = ["worker", "embedded", *(["dev"] if dev else [])]
    wheels = digest(ROOT / "pyproject.toml", ROOT / "constraints.txt")
    here = f"{wheels} in {ROOT}"
    stamp = VENV / f"{'-'.join(extras)}.stamp"
    stamps = [s for s in (stamp, VENV / "worker-embedded-dev.stamp") if s.exists()]
    installed = any(stamped(s, here) for s in stamps)
    elsewhere = any(s.read_text(encoding="utf-8").startswith(wheels) for s in stamps)
    make = moved if elsewhere else environment
    named = ("package.json", "package-lock.json", "tools/vendor.mjs", "static/js/smaller.js")
    editor = sorted((ROOT / "static" / "js" / "editor").glob("*.js"))
    front = digest(*(ROOT / name for name in named), *editor)
    made = stamped(VENDOR / ".stamp", front)
    sets = digest(*sorted((ROOT / "labs" / "data").glob("*.py")))
    found = [
        (
            "Python environment",
            installed and PYTHON.exists(),
            with_stamp(stamp, here, lambda line: make(line, extras)),
        ),
        (
            "Front-end files",
            made,
            with_stamp(VENDOR / ".stamp", front, front_end),
        ),
        ("Data", stamped(DATA / ".stamp", sets), with_stamp(DATA / ".stamp", sets, data)),
    ]
    if dev:
        found += [
            (
                "Lighthouse for the tests",
                # Making the front-end files anew takes it away: npm keeps what it was told of.
                made and (ROOT / "node_modules" / ".bin" / "lighthouse").exists(),
                lighthouse,
            ),
            (
                "Browser for the tests",
                bool(chromium()),
                lambda line: install(line, "Chromium", "chromium"),
            ),
            (
                "PostgreSQL for the tests",
                bool(postgresql()),
                lambda line: install(line, "PostgreSQL", "postgresql"),
            ),
        ]
    return found


def set_up(dev: bool) -> None:
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "setup.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make run` and `make test` at once
        todo = steps(dev)
        for number, (title, done, do) in enumerate(todo, 1):
            if not done:
                with Line(f"{number}/{len(todo)} {title}") as line:
                    do(line)


def main() -> int:
    speak_anywhere()
    began = time.monotonic()
    try:
        set_up("--dev" in sys.argv[1:])
    except MissingError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"\n{problem}. Convolab writes to {ROOT} and {VAR}: see to their rights and room.")
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on.", file=sys.stderr)
        return 130
    took = time.monotonic() - began
    print(f"Set up in {took:.0f} s." if took >= 1 else "Set up already.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
