"""Memory of each process of the site, after it has worked."""

from __future__ import annotations

import re
from pathlib import Path

from bench.clicks import Ours
from bench.client import Guest
from bench.clock import memory_mb
from bench.table import Row
from tests.stack import Stack

WEB_MB = 150


def bench(site: Stack) -> list[Row]:
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
            "web (no torch in it: " + torch_in(site.processes["web"].pid) + ")",
            f"{web:.0f} MB",
            goal=f"≤ {WEB_MB} MB",
            reached=web <= WEB_MB,
        )
    ]
    for name in ("interactive", "training", "reaper"):
        pids = [site.processes[name].pid, *site.children(name)]
        whole = sum(memory_mb(pid) for pid in pids)
        rows.append(Row(f"{name}, {len(pids)} process(es)", f"{whole:.0f} MB"))
    return rows


def torch_in(pid: int) -> str:
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return "found" if re.search(r"libtorch", maps) else "none mapped"


def wait_until_done(site: Stack) -> None:
    code = (
        "import time\nfrom labs.models import Job\n"
        "while Job.objects.filter(state__in=['queued', 'running']).exists(): time.sleep(0.5)"
    )
    site.manage("shell", "-v", "0", "-c", code)
