"""The device of this worker. Only children of the pool call this: it loads torch."""

from __future__ import annotations

import logging
import os
from functools import cache

from django.conf import settings

log = logging.getLogger(__name__)


@cache
def device() -> str:
    """ "cuda" where there is one and the operator did not say otherwise; else "cpu"."""
    import torch

    if settings.DEVICE != "auto":
        return settings.DEVICE
    return "cuda" if torch.cuda.is_available() else "cpu"


def warm(lanes: list[str]) -> None:
    """Load what the first job would otherwise wait for."""
    import torch

    torch.set_num_threads(1 if lanes == ["interactive"] else threads())
    from labs.lab import every_lab
    from labs.version import code_version

    for lab in every_lab().values():
        code_version(lab)
        if lab.lane in lanes:
            module = lab.compute()
            getattr(module, "warm", lambda _: None)(device())
    torch.nn.functional.conv2d(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 3, 3))


def threads() -> int:
    """Threads of one operation: all cores but one, at most four.

    The last core is the site's: where two threads wait for each other beside a busy process, a
    training takes three times as long as with one. Networks as small as ours gain little past four.
    OMP_NUM_THREADS overrules it.
    """
    said = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0))
    return int(said) if said.isdigit() and int(said) else min(4, max(1, cores - 1))
