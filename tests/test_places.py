"""A checkout may lie anywhere, be moved and copied, and print to any terminal."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.servers import Redis
from tests.test_setup import bare, line, program
from tools import setup
from tools.moved import move_in
from tools.processes import ROOT

__all__ = ["bare"]


@pytest.mark.parametrize("name", ["second", "the second", "2" * 120])
def test_a_checkout_that_was_copied_has_its_own_environment_and_leaves_the_first_alone(
    name: str, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    subprocess.run(["python3", "-m", "venv", "--without-pip", first / ".venv"], check=True)
    packages = next((first / ".venv" / "lib").glob("python*")) / "site-packages"
    (packages / "_convolab.pth").write_text(f"{first}\n{first}/platform")
    script = first / ".venv" / "bin" / "celery"
    script.write_text(
        f"#!{first}/.venv/bin/python\nimport labs, sys\nprint(labs.__file__, *sys.argv[1:])\n"
    )
    script.chmod(0o755)
    for folder in ("labs", "platform"):
        (first / folder).mkdir()
    (first / "labs" / "__init__.py").touch()
    subprocess.run(["cp", "-al", first, tmp_path / name], check=True)
    was = {file: file.read_bytes() for file in first.rglob("*") if file.is_file()}

    second = tmp_path / name
    for _ in range(3):  # on from the first copy, and by a second way
        move_in(second / ".venv", second)
        said = subprocess.run([second / ".venv/bin/celery", "a b"], capture_output=True, check=True)
        assert said.stdout.decode() == f"{second}/labs/__init__.py a b\n"
        assert {file: file.read_bytes() for file in was} == was
        second = second.rename(second.with_name(f"{name[:100]} more"))


def test_a_checkout_that_was_moved_is_set_up_again_by_itself(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for step in ("environment", "moved", "front_end", "data"):
        monkeypatch.setattr(setup, step, lambda *_, step=step: done.append(step))
    monkeypatch.setattr(sys, "argv", ["setup.py"])
    setup.PYTHON.parent.mkdir(parents=True)
    setup.PYTHON.touch()

    def again() -> list[str]:
        done.clear()
        assert setup.main() == 0
        return done.copy()

    assert again() == ["environment", "front_end", "data"]
    (stamp,) = setup.VENV.glob("*.stamp")
    text = stamp.read_text()
    stamp.write_text(text.replace(str(bare), "/elsewhere"))
    assert again() == ["moved"] and stamp.read_text() == text
    stamp.write_text(text.partition(" ")[0])  # as before it said where
    assert again() == ["moved"] and again() == []


def test_an_environment_that_cannot_move_in_is_made_anew(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.PYTHON.parent.mkdir(parents=True)
    program(setup.VENV, "python", "#!/bin/sh\necho /elsewhere/labs/__init__.py\n")
    made: list[bool] = []
    monkeypatch.setattr(setup, "environment", lambda *_: made.append(setup.VENV.exists()))
    setup.moved(line(), ["worker"])
    assert made == [False]


@pytest.mark.parametrize(
    "command",
    [["tools/serve.py"], ["manage.py", "check_course", "“here”"]],
    ids=["make run", "manage.py"],
)
def test_a_terminal_that_has_few_signs_is_no_fault(command: list[str], tmp_path: Path) -> None:
    """Each is made to say “…”."""
    env = {"CONVOLAB_VAR": str(tmp_path), "PORT": "“here”", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | env, capture_output=True
    )
    said = (done.stdout + done.stderr).decode("ascii")
    assert done.returncode == 1 and "?here?" in said and "Traceback" not in said, said


def test_nor_is_it_while_the_site_is_set_up(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding="ascii"))
    monkeypatch.setattr(sys, "argv", ["setup.py"])
    monkeypatch.setattr(setup, "steps", lambda dev: [("Data", False, lambda line: None)])
    assert setup.main() == 0
    sys.stdout.flush()
    assert b"1/1 Data ? 0 s" in terminal.getvalue()


HARD = ["a b", "a#b", "a+b", 'a"b', "a'b", "a\\b", "ä", "a%41", "a$HOME", "*"]


@pytest.mark.parametrize("name", HARD)
def test_redis_keeps_its_data_where_it_is_told_whatever_the_folders_name(
    name: str, tmp_path: Path
) -> None:
    server = Redis(tmp_path / name)
    server.start()
    try:
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "1")
            assert client.config_get("dir")["dir"] == str(tmp_path / name)
    finally:
        server.stop()
    assert list((tmp_path / name).glob("appendonly*"))


SUBPROCESSES = ("run", "Popen", "check_output", "check_call", "call")


def unnamed(tree: ast.AST) -> Iterator[str]:
    """Calls that read or write text in whatever encoding this machine's language has."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        mode = next((a for a in [given.get("mode"), *call.args] if is_mode(a)), None)
        is_text = mode is not None and "b" not in ast.literal_eval(mode)
        if "encoding" not in given and (
            name in ("read_text", "write_text")
            or (name in ("open", "fdopen") and (is_text or not (call.args or given)))
            or (name == "open" and isinstance(call.func, ast.Name) and mode is None)
            or (name in SUBPROCESSES and {"text", "universal_newlines"} & set(given))
        ):
            yield f"{call.lineno}: {ast.unparse(call)}"


def is_mode(argument: ast.expr | None) -> bool:
    """Whether this is what `open` is told, and not the name of a file."""
    value = argument.value if isinstance(argument, ast.Constant) else None
    return isinstance(value, str) and 0 < len(value) <= 3 and set(value) <= set("rwaxbt+")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("path.read_text()", 1),
        ("path.write_text(x, errors='replace')", 1),
        ("path.read_text(encoding='utf-8')", 0),
        ("open(path)", 1),
        ("open(path, 'rb')", 0),
        ("open(path, mode='w')", 1),
        ("path.open()", 1),
        ("path.open('a')", 1),
        ("path.open('ab')", 0),
        ("os.fdopen(handle, 'w')", 1),
        ("guest.open('first-cnn')", 0),
        ("subprocess.run(x, text=True)", 1),
        ("subprocess.run(x, encoding='utf-8')", 0),
    ],
)
def test_the_guard_below_sees(code: str, found: int) -> None:
    assert len(list(unnamed(ast.parse(code)))) == found


def test_every_read_and_write_of_the_site_names_its_encoding() -> None:
    """Tests are left out: they run where we run them."""
    listed = subprocess.check_output(["git", "ls-files", "-z", "*.py"], cwd=ROOT).decode()
    named = [name for name in listed.split("\0") if name and "test_" not in name]
    ours = [name for name in named if not name.startswith("tests/")]
    found = {
        name: list(unnamed(ast.parse((ROOT / name).read_text(encoding="utf-8")))) for name in ours
    }
    assert len(found) > 100
    assert {name: calls for name, calls in found.items() if calls} == {}
