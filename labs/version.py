"""The code version of a lab: a hash of everything that can change what it computes."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path

from labs.lab import Lab

ROOT = Path(__file__).resolve().parents[1]


@cache
def code_version(lab: Lab) -> str:
    """SHA-256 over compute.py, every module of ours that it imports, and torch's pinned version."""
    digest = hashlib.sha256(_torch_pin().encode())
    for path in sorted(_closure(lab.path / "compute.py") | _closure(lab.path / "lab.py")):
        digest.update(str(path.name).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _torch_pin() -> str:
    wanted = importlib.metadata.requires("convolab") or []
    return next(line for line in wanted if line.startswith("torch=="))


def _closure(start: Path) -> set[Path]:
    """The files under labs/ that `start` imports, directly or through one another."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in found and path.exists():
            found.add(path)
            waiting += _imports(path)
    return found


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    ours = [name for name in names if name.split(".")[0] in ("labs", "tests")]
    return tuple(file for name in ours for file in _files(ROOT / Path(*name.split("."))))


def _files(base: Path) -> list[Path]:
    return [file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]
