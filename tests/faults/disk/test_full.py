"""Row 59: the disk of a whole site runs full, and has room again. A small tmpfs, mounted for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from labs.models import State
from tests.faults.ledger import is_whole
from tests.faults.site import Site
from tests.faults.streams.client import Guest
from tests.needs import not_run
from tests.servers import wait_for

pytestmark = pytest.mark.faults
SIZE, FREE = 48_000_000, 16_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        not_run("mount", "a disk that runs full is a tmpfs, which only root may mount")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def site(disk: Path) -> Iterator[Site]:
    made = Site(disk / "site")
    made.env["CONVOLAB_DISK_FREE"] = str(FREE)
    try:
        made.start()
        made.wait_until_ready()
        made.ledger.open()
        yield made
        made.ledger.close()
    finally:
        (disk / "ballast").unlink(missing_ok=True)
        made.stop()


def fill(disk: Path, leave: int) -> None:
    """So that this many bytes are left, or fewer."""
    with (disk / "ballast").open("ab") as ballast:
        while (more := shutil.disk_usage(disk).free - leave) > 0:
            try:
                ballast.write(bytes(min(more, 1_000_000)))
                ballast.flush()
            except OSError:
                break


def check_reading(guest: Guest, run: str) -> None:
    for path in ("/", "/labs/", "/labs/steady/", "/runs/", run, "/sign-in/", "/healthz"):
        assert guest.http.get(path).status_code == 200, path


def test_a_full_disk_is_told_and_pages_go_on_and_it_recovers_by_itself(
    disk: Path, site: Site, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), site.guest() as guest:
        done = guest.start("steady", steps=2)
        site.ledger.ended([done])
        with site.held():
            under_way = site.start_run(steps=8, pause=0.1)
            site.ledger.wait_until(under_way, State.RUNNING)

            fill(disk, leave=FREE // 2)
            assert guest.http.get("/readyz").json()["disk"] == "full"
            assert guest.http.get("/readyz").status_code == 503
            check_reading(guest, done)
            refused = guest.post("/labs/steady/run/", {"steps": 3})
            assert refused.status_code == 507 and "nearly full" in refused.text
            assert site.ledger.job(under_way).state == State.RUNNING

            fill(disk, leave=0)
            check_reading(guest, done)
            assert guest.http.get("/readyz").status_code == 503
            refused = guest.post("/labs/steady/run/", {"steps": 3})
            assert refused.status_code in (503, 507), "as SQLite may still write the learner's row"
            deleted = guest.post(f"{done}delete/", {})
            assert deleted.status_code in (302, 503), "as SQLite's file still has a page for it"
            assert "Traceback" not in deleted.text
            (disk / "ballast").unlink()
        wait_for("room", lambda: guest.http.get("/readyz").status_code == 200)
        after = [guest.start("steady", steps=4), guest.start("errand", steps=1)]
        for job in site.ledger.ended([under_way, *after]):
            is_whole(job)
