"""SQLite: who finds the database locked waits here, and not within SQLite.

While somebody held the lock, in one test of two a request that only read (of a page, a static
file, /healthz) stood still for the whole five seconds. The likely cause: SQLite waits with its
connection's mutex held, and the garbage collector may need that in any thread. So SQLite itself
waits a tenth of a second at a time (config.environment), and the rest is slept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

PAUSE = 0.02


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Received when a connection is made."""
    if connection.vendor == "sqlite" and patiently not in connection.execute_wrappers:
        connection.execute_wrappers.append(patiently)


def patiently(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Try again for LOCK_PATIENCE seconds. Within a transaction the lock is ours already (BEGIN
    IMMEDIATE): what is said of a lock there will not change.
    """
    end = time.monotonic() + settings.LOCK_PATIENCE
    while True:
        try:
            return execute(sql, params, many, context)
        except OperationalError as fault:
            inside = context["connection"].connection.in_transaction
            if "locked" not in str(fault) or inside or time.monotonic() > end:
                raise
        time.sleep(PAUSE)
