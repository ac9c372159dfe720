"""Events without arrays as JSON-able data: what the site itself may make (no numpy here)."""

from __future__ import annotations

import dataclasses
from typing import Any

from labs.events import Event


def plain(event: Event) -> dict[str, Any]:
    """The event's fields and its kind. Events with pictures go through workers/wire.py."""
    return dataclasses.asdict(event) | {"kind": event.kind, "attempt": 0, "seq": 0}
