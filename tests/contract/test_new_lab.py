"""`manage.py new_lab`: what it makes is a lab as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.contract.shelf import pytest_on, python, shelf_in


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package for labs, beside a catalogue that has one lab, whatever ours has."""
    monkeypatch.syspath_prepend(tmp_path)
    known = dict.fromkeys(("kernel-forge", "picture"))
    monkeypatch.setattr("labs.management.commands.new_lab.every_lab", lambda: known)
    return shelf_in(tmp_path)


@pytest.mark.slow
def test_a_new_lab_passes_the_contract_tests_and_its_own_as_it_is(shelf: Path) -> None:
    command = ("manage.py", "new_lab", "edge-hunt", "--section", "5")
    made = python(shelf, *command)
    assert made.returncode == 0, made.stderr
    assert "/labs/edge-hunt/" in made.stdout and ".venv/bin/python -m pytest" in made.stdout
    assert "“edge_hunt” already" in python(shelf, *command).stderr
    tried = pytest_on(shelf, "-vv")
    assert tried.returncode == 0, tried.stdout
    assert "[edge-hunt]" in tried.stdout and "[kernel-forge]" not in tried.stdout


@pytest.mark.slow
def test_a_new_lab_is_clean(shelf: Path) -> None:
    call_command("new_lab", "edge_hunt", title="Edge hunt", section=5, into=shelf.name)
    for habit in (["check", "--ignore=I"], ["format", "--check"]):  # I: the shelf's name sorts late
        ruff = python(shelf, "-m", "ruff", *habit, "--config", "pyproject.toml", str(shelf))
        assert ruff.returncode == 0, ruff.stdout
    mypy = python(shelf, "-m", "mypy", str(shelf / "edge_hunt"))
    assert mypy.returncode == 0, mypy.stdout
    assert '"Edge hunt"' in (shelf / "edge_hunt" / "lab.py").read_text()


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        ("Edge", {}, "small letters"),
        ("2d", {}, "small letters"),
        ("../edge", {}, "small letters"),
        ("edge__hunt", {}, "small letters"),
        ("e" * 41, {}, "at most 40"),
        ("lambda", {}, "Python itself"),
        ("kernel_forge", {}, "already"),
        ("kernel-forge", {}, "already"),
        ("picture", {}, "already"),
        ("edge", {"section": 19}, "sections 1 to 18"),
        ("edge", {"title": 'a"b'}, "A title has"),
    ],
)
def test_it_refuses_in_words(name: str, more: dict[str, object], says: str, shelf: Path) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("new_lab", name, into=shelf.name, **more)
    assert [path.name for path in shelf.iterdir() if path.name != "__pycache__"] == ["__init__.py"]


def test_it_leaves_alone_what_is_there(shelf: Path) -> None:
    (shelf / "edge").mkdir()
    (shelf / "edge" / "mine.txt").write_text("mine")
    with pytest.raises(CommandError, match="there already"):
        call_command("new_lab", "edge", into=shelf.name)
    assert [path.name for path in (shelf / "edge").iterdir()] == ["mine.txt"]
