"""`make run`: what stands in the way is named, the site starts, and nothing outlives it.

That a clean clone installs for real is shown by CI, which begins with one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.engine.served import until
from tests.servers import wait_for
from tests.stack import marked
from tools import serve as serve_module
from tools import setup
from tools.processes import ROOT, CannotRunError, free_port
from tools.terminal import Line

OLD_PYTHON = "#!/bin/sh\necho 3 9\n"


class Served:
    """tools/serve.py as a process, and everything that it starts."""

    def __init__(self, var: Path, port: int) -> None:
        self.terminal = var / f"terminal-{port}.txt"
        self.mark = f"serve-test-{os.getpid()}-{var}"
        own = {"REDIS_URL", "DATABASE_URL", "CONVOLAB_FILES"}
        env = {name: value for name, value in os.environ.items() if name not in own}
        with self.terminal.open("wb") as terminal:
            self.process = subprocess.Popen(
                [sys.executable, "tools/serve.py"],
                cwd=ROOT,
                env={**env, "CONVOLAB_VAR": str(var), "PORT": str(port), "TEST_MARK": self.mark},
                stdout=terminal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def read(self) -> str:
        return self.terminal.read_text()

    def wait_until_it_says(self, pattern: str, seconds: float = 60) -> str:
        wait_for(pattern, lambda: self.process.poll() or re.search(pattern, self.read()), seconds)
        found = re.search(pattern, self.read())
        assert found, f"{pattern} not in:\n{self.read()}"
        return found.group(1)

    def tree(self) -> dict[int, str]:
        """All that it started, found by descent and by the environment: id → command line."""
        found, young = marked(self.mark), [self.process.pid]
        while young:
            pid = young.pop()
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                young += map(int, task.read_text().split())
            found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return found

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in marked(self.mark):
            os.kill(pid, signal.SIGKILL)


def alive(tree: dict[int, str]) -> dict[int, str]:
    def same(pid: int, command: str) -> bool:
        path = Path(f"/proc/{pid}/cmdline")
        return path.exists() and path.read_text().replace("\0", " ") == command

    return {pid: command for pid, command in tree.items() if same(pid, command)}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(port: int = 0) -> Served:
        started.append(Served(tmp_path, port or free_port()))
        return started[-1]

    yield start
    for served in started:
        served.end()


def whole(tree: dict[int, str]) -> bool:
    """Redis, web, the reaper, two workers and their three children are there."""
    commands = "\n".join(tree.values())
    parts = ("redis-server", "uvicorn", "workers.reaper")
    return all(part in commands for part in parts) and commands.count("celery") >= 5


def test_it_prints_an_address_that_answers_and_ctrl_c_leaves_nobody(
    serve: Callable[..., Served],
) -> None:
    served = serve()
    address = served.wait_until_it_says(r"runs at (http://127\.0\.0\.1:\d+/)")
    author = served.wait_until_it_says(r"Author: (http\S+)")
    for page in (f"{address}healthz", author):
        with urllib.request.urlopen(page, timeout=5) as answer:
            assert answer.status == 200
    wait_for("all processes", lambda: whole(served.tree()), 60)
    tree = served.tree()
    os.killpg(served.process.pid, signal.SIGINT)  # what a terminal does at Ctrl-C
    served.process.wait(40)
    assert served.process.returncode == 0
    assert alive(tree) == {}
    assert "ended by itself" not in served.read()


def test_no_process_outlives_a_manager_that_is_killed(serve: Callable[..., Served]) -> None:
    served = serve()
    served.wait_until_it_says(r"runs at (\S+)")
    wait_for("all processes", lambda: whole(served.tree()), 60)
    tree = served.tree()
    served.process.kill()
    served.process.wait()
    wait_for("the end of all", lambda: not alive(tree), 30)


def test_a_process_that_dies_at_once_is_named_and_ends_all(serve: Callable[..., Served]) -> None:
    served = serve()
    served.wait_until_it_says(r"runs at (\S+)")
    tree = served.tree()
    reaper = next(pid for pid, command in tree.items() if "workers.reaper" in command)
    os.kill(reaper, signal.SIGKILL)
    served.wait_until_it_says(r"reaper ended by itself \((signal 9)\)")
    assert served.process.wait(40) == 1
    assert alive(tree) == {}


def test_a_taken_port_is_said_and_the_next_one_is_used(serve: Callable[..., Served]) -> None:
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        taker.listen()
        port = taker.getsockname()[1]
        served = serve(port)
        served.wait_until_it_says(rf"(Port {port} is taken by another program)")
        used = int(served.wait_until_it_says(r"runs at http://127\.0\.0\.1:(\d+)/"))
    assert used > port


def test_a_second_one_from_the_same_folder_is_refused_with_the_address(
    serve: Callable[..., Served],
) -> None:
    address = serve().wait_until_it_says(r"runs at (\S+)")
    second = serve()
    assert second.process.wait(20) == 1
    assert f"already runs from here, at {address}" in second.read()


async def test_a_process_that_has_long_run_well_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve_module, "PROVEN", 0.2)
    monkeypatch.setattr(serve_module, "VAR", tmp_path)
    (tmp_path / "log").mkdir()
    site = serve_module.Site(dict(os.environ))
    once = f"test -e {tmp_path}/second && exec sleep 60; sleep 0.4; touch {tmp_path}/second; exit 3"
    await site.start("worker", ["sh", "-c", once])
    first = site.running["worker"]
    await until(lambda: site.running["worker"] is not first)
    assert not site.over.done()
    assert site.running["worker"].returncode is None
    site.end("")
    await site.stop()
    assert site.running["worker"].returncode == -signal.SIGTERM
    assert "worker ended by itself (status 3); starting it again." in capsys.readouterr().out


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which nothing is installed, on a machine that has no programs."""
    for name, path in (
        ("ROOT", "."),
        ("VENV", ".venv"),
        ("PYTHON", ".venv/bin/python"),
        ("VENDOR", "vendor"),
        ("VAR", "var"),
        ("DATA", "var/data"),
        ("LOG", "var/setup.log"),
    ):
        monkeypatch.setattr(setup, name, tmp_path / path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def program(folder: Path, name: str, text: str) -> str:
    path = folder / "bin" / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def line() -> Line:
    return Line("a step")


def test_an_old_python_is_named_with_the_way_out(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(bare, "python3", OLD_PYTHON))
    with pytest.raises(setup.MissingError, match=r"(?s)no Python 3\.11 or 3\.12.*Install python3"):
        setup.environment(line(), ["worker"])


def test_a_fitting_python_on_the_path_is_taken_where_the_own_one_is_old(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(bare, "python3", OLD_PYTHON))
    newer = program(bare, "python3.12", "#!/bin/sh\necho 3 12\n")
    assert setup.fitting_python() == newer


def test_a_full_disk_is_named_before_anything_is_fetched(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2_900_000_000))
    with pytest.raises(setup.MissingError, match="less than 3 GB of room"):
        setup.environment(line(), ["worker"])
    assert not (bare / ".venv").exists()


@pytest.mark.parametrize(
    ("node", "words"),
    [("", "Node, or its npm, is not here"), ("v18.19.1", "Node 18 is too old")],
)
def test_a_missing_or_old_node_is_named(bare: Path, node: str, words: str) -> None:
    if node:
        program(bare, "node", f"#!/bin/sh\necho {node}\n")
        program(bare, "npm", "#!/bin/sh\n")
    with pytest.raises(setup.MissingError, match=rf"{words}.*Node 20 or newer"):
        setup.front_end(line())


def test_what_pip_said_last_is_shown_when_it_fails(bare: Path) -> None:
    (bare / ".venv/bin").mkdir(parents=True)
    (bare / ".venv/bin/pip").touch()
    fake = '#!/bin/sh\ncase "$1" in -c) echo 3 11;; *) echo "No address for host"; exit 1;; esac\n'
    setup.PYTHON.write_text(fake)
    setup.PYTHON.chmod(0o755)
    with pytest.raises(
        setup.MissingError, match=r"(?s)No address for host.*Is this machine online"
    ):
        setup.environment(line(), ["worker"])
    assert "No address for host" in setup.LOG.read_text()


def test_what_the_tests_need_is_named_where_it_may_not_be_installed(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bare, "apt-get", "#!/bin/sh\nexit 1\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(setup.MissingError, match=r"need Chromium.*apt-get install chromium"):
        setup.install(line(), "Chromium", "chromium")


def test_a_step_that_breaks_off_is_done_again(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    stamp.write_text("old")

    def breaks_off(line: Line) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        setup.with_stamp(stamp, "new", breaks_off)(line())
    assert not setup.stamped(stamp, "old")
    setup.with_stamp(stamp, "new", lambda line: None)(line())
    assert setup.stamped(stamp, "new")


def test_only_what_has_changed_is_done_again(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def environment(line: Line, extras: list[str]) -> None:
        done.append("-".join(extras))
        setup.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        setup.PYTHON.touch()

    monkeypatch.setattr(setup, "environment", environment)
    monkeypatch.setattr(sys, "argv", ["setup.py"])
    for step in ("front_end", "data"):
        monkeypatch.setattr(setup, step, lambda line, step=step: done.append(step))

    def again(**changed: str) -> list[str]:
        for name, text in changed.items():
            (bare / name.replace("_", ".")).write_text(text)
        done.clear()
        assert setup.main() == 0
        return done.copy()

    assert again() == ["worker-embedded", "front_end", "data"]
    assert again() == []
    assert again(pyproject_toml="[project]") == ["worker-embedded"]
    assert again(constraints_txt="torch==2") == ["worker-embedded"]
    assert again(package_json="{}") == ["front_end"]
    capsys.readouterr()
    assert again() == [] and capsys.readouterr().out == "Set up already.\n"


@pytest.mark.parametrize("said", ["abc", "-1", "0", "65536", "8000.0", "9" * 5_000])
def test_a_port_that_is_none_is_refused_in_a_sentence(said: str) -> None:
    with pytest.raises(CannotRunError, match="must be a whole number from 1 to 65535"):
        serve_module.wanted_port(said)


def test_a_port_that_is_one_is_taken() -> None:
    wanted = serve_module.wanted_port
    assert (wanted(""), wanted("1"), wanted("65535")) == (8_000, 1, 65_535)


def test_make_alone_lists_every_target() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make (\S+) +\S.*$", said, re.M)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert listed == [name for name in targets if name != "help"]


def test_what_making_the_front_end_files_anew_takes_away_is_brought_again(bare: Path) -> None:
    lighthouse = bare / "node_modules" / ".bin" / "lighthouse"
    lighthouse.parent.mkdir(parents=True)
    lighthouse.touch()
    done = {title: is_done for title, is_done, _ in setup.steps(dev=True)}
    assert not done["Front-end files"] and not done["Lighthouse for the tests"]
