"""Where letters go: what the environment says of it, as the site reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.processes import ROOT

LOOK = """
import json
from django.conf import settings as s
print(json.dumps([s.EMAIL_BACKEND.split(".")[-2], s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_USER,
                  s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_TLS, s.DEFAULT_FROM_EMAIL, s.EMAIL_TIMEOUT]))
"""


def look(**env: str) -> list[object]:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", LOOK],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def test_without_an_address_they_go_to_the_log() -> None:
    assert look()[0] == "console"


@pytest.mark.parametrize("in_file", [True, False])
def test_they_go_to_the_server_that_is_named(in_file: bool, tmp_path: Path) -> None:
    """A password of a file is taken as it is; in an address it is written as addresses are."""
    (tmp_path / "password").write_text("p@ss/w%rd\n")
    more = {"CONVOLAB_EMAIL_PASSWORD_FILE": str(tmp_path / "password")} if in_file else {}
    written = "" if in_file else ":p%40ss%2Fw%25rd"
    found = look(
        CONVOLAB_EMAIL_URL=f"smtp+tls://convolab{written}@mail.example.org:587",
        CONVOLAB_EMAIL_FROM="convolab@example.org",
        **more,
    )
    account = ["convolab", "p@ss/w%rd"]
    expected = ["smtp", "mail.example.org", 587, *account, True, "convolab@example.org", 10]
    assert found == expected
