"""The process beside the site that renders drafts: it forks for each, and only the child renders.

It has one thread, so that it may fork. Standard input is a socket from the site, which brings a
connection for each draft; where that is closed, or nothing comes for a while, it ends.

    python -m courses.sandboxed SECONDS BYTES     (courses.sandbox starts it)
"""

from __future__ import annotations

import ctypes
import gc
import json
import math
import os
import resource
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from courses.sandbox import BROKEN, IDLE

PR_SET_PDEATHSIG = 1


def main(seconds: float, memory: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the site, and ends this with it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children leave nothing behind
    os.nice(5)
    import django

    django.setup()
    from courses.warm import draw

    draw()
    gc.freeze()
    control = socket.socket(fileno=sys.stdin.fileno())
    while select.select([control], [], [], IDLE)[0]:
        _, connections, _, _ = socket.recv_fds(control, 1, 1)
        if not connections:
            return
        if os.fork() == 0:
            control.detach()
            os.close(0)
            _limit(seconds, memory)
            _render(socket.socket(fileno=connections[0]))
        os.close(connections[0])


def _render(site: socket.socket) -> None:
    """In the child: answer one request, and end."""
    from courses.draft import draft_of

    def at(line: int) -> None:
        site.sendall(b"%d\n" % line)

    try:
        at(0)
        with site.makefile("rb") as sent:
            request = json.loads(sent.read())
        draft = draft_of(**request, at=at)
        site.sendall(json.dumps(draft, ensure_ascii=False).encode() + b"\n")
    except (MemoryError, ConnectionError):
        pass
    except BaseException:
        traceback.print_exc()
        site.sendall(BROKEN + b"\n")
    finally:  # whatever goes wrong on the way out, too: memory may be short there as well
        os._exit(0)


def _limit(seconds: float, memory: int) -> None:
    """Time by the clock and of the processor, and memory. It dies with its parent, and first."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    for limit, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, math.ceil(seconds)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
