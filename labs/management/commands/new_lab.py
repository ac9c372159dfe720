"""`manage.py new_lab NAME`: a folder that is a lab already, to make your own of."""

from __future__ import annotations

import argparse
import importlib
import keyword
import os
import re
from pathlib import Path
from string import Template
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labs.lab import every_lab

SKELETON = Path(__file__).resolve().parents[2] / "skeleton"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40


class Command(BaseCommand):
    help = "Make the folder of a new lab, which passes the contract tests as it is."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="small letters and digits: edge_hunt or edge-hunt")
        parser.add_argument("--title", default="", help="as the student reads it")
        parser.add_argument("--section", type=int, default=1, help="of the course, 1 to 18")
        home = os.environ.get("CONVOLAB_CATALOGUES", "labs.catalog").split(",")[0]
        parser.add_argument("--into", default=home, help="the package that holds labs")

    def handle(self, *_: Any, name: str, title: str, section: int, into: str, **__: Any) -> None:
        name = name.replace("-", "_")
        title = title.strip() or name.replace("_", " ").capitalize()
        problem = refusal(name, title, section)
        if problem:
            raise CommandError(problem)
        folder = Path(str(importlib.import_module(into).__path__[0])) / name
        make(folder, {"name": name, "title": title, "section": str(section), "package": into})
        slug = name.replace("_", "-")
        self.stdout.write(
            f"{folder} is a lab now. Its page: /labs/{slug}/ (restart the site)."
            "\nTry it (`make dev` once brings pytest):"
            f"\n  .venv/bin/python -m pytest {folder} tests/contract -k '{name} or {slug}'"
            "\nGo on with docs/writing-a-lab.md."
        )


def refusal(name: str, title: str, section: int) -> str:
    """Why no lab can be made of this; "" where one can."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        return (
            f"“{name}” is no name for a lab: it becomes a folder and an address. Take small "
            f"letters and digits, with _ between words, at most {LONGEST}: edge_hunt."
        )
    if keyword.iskeyword(name):
        return f"“{name}” is a word of Python itself, so it cannot be a module. Take another."
    if name.replace("_", "-") in every_lab():
        return f"There is a lab of the name “{name}” already. Take another name."
    if not 1 <= section <= 18:
        return f"The course has sections 1 to 18; there is no section {section}."
    if not title.isprintable() or set(title) & set('"\\') or len(title) > 60:
        return 'A title has at most 60 characters, in one line, without " and without \\.'
    return ""


def make(folder: Path, words: dict[str, str]) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        raise CommandError(f"{folder} is there already. Take another name, or remove it.") from None
    (folder / "__init__.py").touch()
    files = {"lab.py": "lab.py", "compute.py": "compute.py", f"test_{words['name']}.py": "test.py"}
    for made, source in files.items():
        text = (SKELETON / f"{source}.txt").read_text(encoding="utf-8")
        (folder / made).write_text(Template(text).substitute(words), encoding="utf-8")
