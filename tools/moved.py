"""A checkout that was moved or copied: its .venv still names the folder that it was made for.

Runs on the Python that setup.py runs on, before anything is installed.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path


def made_for(venv: Path) -> str:
    """The checkout that a virtual environment was made for; "" where it does not say."""
    said = sorted(venv.glob("lib/python*/site-packages/_convolab.pth"))
    return said[0].read_text(encoding="utf-8").partition("\n")[0] if said else ""


def move_in(venv: Path, root: Path) -> None:
    """Have all that names the old folder name this one: programs, and where our packages are.

    Each file is written anew and put in the old one's place, so that a copy which shares its files
    with the first (hard links) leaves the first as it is. What says where .venv is at home goes
    last: what is broken off is done again.
    """
    old, new = made_for(venv), str(root)
    if old in ("", new):
        return
    sites = sorted(venv.glob("lib/python*/site-packages"))
    named = [file for site in sites for file in site.glob("convolab-*.dist-info/direct_url.json")]
    homes = [file for site in sites for file in site.glob("_convolab.pth")]
    for file in [*sorted((venv / "bin").iterdir()), *named, *homes]:
        if not file.is_symlink() and file.is_file():
            rename_in(file, old, new)


def rename_in(file: Path, old: str, new: str) -> None:
    before = file.read_bytes()
    text = before.decode("utf-8", "surrogateescape")
    head = re.match(rf"#!{re.escape(old)}/\.venv/bin/python[\d.]*\n", text)
    first = first_line(f"{new}/.venv/bin/python") if head else ""
    rest = re.sub(
        rf"{re.escape(old)}(?=[/\n\"']|\Z)", lambda _: new, text[head.end() if head else 0 :]
    )
    after = (first + rest).encode("utf-8", "surrogateescape")
    if after != before:
        fresh = file.with_name(f".{file.name}.fresh")
        fresh.write_bytes(after)
        shutil.copymode(str(file), str(fresh))
        fresh.replace(file)


def first_line(python: str) -> str:
    """What has a script run by this Python; the kernel reads neither a space nor a long path."""
    if " " not in python and len(python) < 120:
        return f"#!{python}\n"
    return f"""#!/bin/sh\n'''exec' "{python}" "$0" "$@"\n' '''\n"""
