"""The life of a worker's processes: who they are, what they load, and how they are told to stop."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import mmap
import os
import signal
import socket
import sys
from functools import cache
from pathlib import Path
from typing import Any

from celery import signals

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
BOOT_ID, PID_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
_flag = mmap.mmap(-1, 1)  # shared with the children, which are forked after this import
faulthandler.register(signal.SIGUSR2, file=2)  # who seems stuck says where, into the log


def stopping() -> bool:
    """The worker was told to stop: finish soon, or save and go back into the queue."""
    return bool(_flag[0])


@cache
def _this(pid: int) -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        # Process ids mean something within one boot and one PID namespace.
        "boot": f"{BOOT_ID.read_text(encoding='utf-8').strip()}/{PID_NAMESPACE.stat().st_ino}",
        "pid": pid,
        "start": _start_of(pid),
    }


def this_process() -> dict[str, Any]:
    """Host, boot, pid and start of this process: a pid alone may be somebody else's by now."""
    return _this(os.getpid())


def _start_of(pid: int) -> int | None:
    """Clock ticks from boot to the process's start; None where no such process lives."""
    try:
        after_name = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        )
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if after_name[0] in "ZX" else int(after_name[19])


def is_gone(worker: dict[str, Any]) -> bool:
    """Whether a process of this host and boot has ended."""
    return bool(_start_of(worker["pid"]) != worker["start"])


def lanes() -> list[str]:
    """Those that `-Q` names on this worker's command line."""
    from labs.lab import LANES

    named = " ".join(sys.argv[sys.argv.index("-Q") + 1 :][:1]) if "-Q" in sys.argv else ""
    return [lane for lane in LANES if lane in named.split(",")]


@signals.worker_shutting_down.connect
def tell_children(**_: Any) -> None:
    _flag[0] = 1


@signals.worker_ready.connect
def greet(**_: Any) -> None:
    """Ring the own lanes (something may have waited), and check that torch is not in the parent."""
    from labs import stream

    if "torch" in sys.modules:
        raise RuntimeError("torch is loaded in the worker's parent: CUDA would break after a fork")
    for lane in lanes():
        stream.ring(lane)


@signals.worker_process_init.connect
def warm(**_: Any) -> None:
    """A new child: die with the parent, be the first to go when memory is short, load torch."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")
    except OSError:
        log.debug("oom_score_adj is not ours to set")
    from django.db import connection

    from workers import devices

    connection.settings_dict["CONN_MAX_AGE"] = None  # a child keeps its connection
    devices.warm(lanes())
