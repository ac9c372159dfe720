"""Memory of each process of the site, after it has worked."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from bench.clicks import Ours
from bench.client import Guest
from bench.clock import memory_mb
from bench.table import Row
from courses.sandbox import IDLE
from tests.stack import Stack

WEB_MB = 150
READERS = 16
HUNDRED = """
from courses.admin.previews import preview_path
from courses.models import Lecture
shown = list(Lecture.objects.published())
for n, row in enumerate(Lecture.objects.filter(published="")):
    row.publish(shown[n % len(shown)].published.replace("title: ", f"title: Copy {n}, ", 1))
print(*[row.get_absolute_url() for row in Lecture.objects.published()])
print(preview_path(row))
"""


def bench(site: Stack) -> list[Row]:
    site.manage("load_course", "-v", "0")
    lectures, draft = site.manage("shell", "-v", "0", "-c", HUNDRED).splitlines()
    read(site, lectures.split() * 3)
    ours = Ours(site)
    for _ in range(100):
        ours.click()
    guest = Guest(site.base_url)
    guest.open("first-cnn")
    guest.start("first-cnn", epochs=2)
    wait_until_done(site)
    web = memory_mb(site.processes["web"].pid)
    rows = [
        Row(
            f"web, {len(lectures.split())} lectures read by {READERS} at once (no torch in it: "
            + torch_in(site.processes["web"].pid)
            + ")",
            f"{web:.0f} MB",
            goal=f"≤ {WEB_MB} MB",
            reached=web <= WEB_MB,
        ),
        sandbox(site, draft),
    ]
    for name in ("interactive", "training", "reaper"):
        pids = [site.processes[name].pid, *site.children(name)]
        whole = sum(memory_mb(pid) for pid in pids)
        rows.append(Row(f"{name}, {len(pids)} process(es)", f"{whole:.0f} MB"))
    return rows


def read(site: Stack, urls: list[str]) -> None:
    web = httpx.Client(base_url=site.base_url, timeout=60)
    with web, ThreadPoolExecutor(READERS) as pool:
        assert {answer.status_code for answer in pool.map(web.get, urls)} == {200}


def sandbox(site: Stack, draft: str) -> Row:
    """What is there for IDLE seconds after a draft was rendered."""
    read(site, [draft])
    threads = Path(f"/proc/{site.processes['web'].pid}/task").iterdir()
    (pid,) = {
        int(pid) for t in threads for pid in (t / "children").read_text(encoding="utf-8").split()
    }
    says = f"web's process for drafts, which ends {IDLE} s after the last"
    return Row(says, f"{memory_mb(pid):.0f} MB")


def torch_in(pid: int) -> str:
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return "found" if re.search(r"libtorch", maps) else "none mapped"


def wait_until_done(site: Stack) -> None:
    code = (
        "import time\nfrom labs.models import Job\n"
        "while Job.objects.filter(state__in=['queued', 'running']).exists(): time.sleep(0.5)"
    )
    site.manage("shell", "-v", "0", "-c", code)
