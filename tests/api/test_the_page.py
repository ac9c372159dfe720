"""docs/api.md: its commands run as they stand, and what it shows of events and errors is so."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from labs.api import errors
from labs.api.calls import DEEPEST, LARGEST
from tests.stack import Stack
from tools.processes import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
PASSWORD = "a pass-phrase of the tests"
MAKE_ALICE = f"from accounts.models import User; User.objects.create_user('ada', '', '{PASSWORD}')"


@pytest.fixture(scope="module")
def said(site: Stack, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the page's commands print, and the folder that they ran in."""
    folder = tmp_path_factory.mktemp("program")
    site.manage("shell", "-c", MAKE_ALICE)
    env = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", "SITE": site.base_url}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S))],
        cwd=folder,
        env=env | {"NAME": "ada", "PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, folder


def test_a_guest_starts_follows_and_cancels_and_an_account_starts(said: tuple[str, Path]) -> None:
    lines = said[0].splitlines()
    started, events = lines[0], [line.split(" ", 4) for line in lines[1:-4]]
    assert re.fullmatch(r"started [0-9a-f-]{36}", started)
    assert [int(seq) for _, seq, *_ in events] == sorted(int(seq) for _, seq, *_ in events)
    assert events[-1][2] == "result" and "map" in {name for _, _, _, name, *_ in events}
    assert lines[-4:-1] == ["succeeded", "cancelled", "signed in: 302"]
    assert re.fullmatch(r"started [0-9a-f-]{36}", lines[-1]) and lines[-1] != started


def test_an_event_looks_as_the_page_shows_it(said: tuple[str, Path]) -> None:
    (shown,) = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.S))
    events = json.loads((said[1] / "page.json").read_text())["events"]
    (real,) = [event for event in events if event["kind"] == "result"]
    assert set(shown) == set(real)
    assert set(shown["facts"][0]) == set(real["facts"][0])
    assert set(shown["figures"]) <= set(real["figures"])


def test_the_page_has_every_code_of_an_error() -> None:
    codes = {*errors.SAID, *errors.REFUSED.values(), "not_valid", "server_error"}
    codes |= {kind.default_code for kind in (errors.TooLarge, errors.NoToken)}
    assert set(re.findall(r"^\| \d{3} \| `(\w+)` \|", PAGE, re.M)) == codes
    assert f"{LARGEST // 1000} kB" in PAGE and f"{DEEPEST} levels" in PAGE
