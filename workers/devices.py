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

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 0)) or _threads(lanes))
    from labs.lab import every_lab
    from labs.version import code_version

    for lab in every_lab().values():
        code_version(lab)
        if lab.lane in lanes:
            module = lab.compute()
            getattr(module, "warm", lambda _: None)(device())
    torch.nn.functional.conv2d(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 3, 3))


def _threads(lanes: list[str]) -> int:
    """Threads of one operation: a drag must not wait for a training's threads, nor the reverse."""
    cores = len(os.sched_getaffinity(0))
    return max(1, cores // 2) if lanes == ["interactive"] else cores
