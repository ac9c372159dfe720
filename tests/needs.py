"""What a machine may lack: a test that needs it says so and is skipped, or fails where it must be.

CONVOLAB_REQUIRE names, with commas, what must be there: `engine` (Docker), `datasets`
(MNIST), `page` (the text that the course grew from), `mount` (a file system, by root).
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

KNOWN = {"engine", "datasets", "page", "mount"}


def not_run(what: str, why: str) -> NoReturn:
    required = {name for name in os.environ.get("CONVOLAB_REQUIRE", "").split(",") if name}
    assert what in KNOWN and required <= KNOWN, f"CONVOLAB_REQUIRE knows {sorted(KNOWN)}"
    if what in required:
        pytest.fail(f"NOT RUN, and CONVOLAB_REQUIRE asks for it: {why}")
    pytest.skip(f"NOT RUN: {why}")
