"""A lab's settings in its address: `/labs/kernel-forge/?stride=2&kernel=[[…]]`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode


def query_of(params: Mapping[str, Any], show: Sequence[str] = ()) -> str:
    """The query string that sets these params, as controls.decode reads it back.

    `show` names the controls that a lecture shows first.
    """
    said = {name: _text(value) for name, value in params.items()}
    return urlencode({**said, "show": ",".join(show)} if show else said)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def scope_of(number: int) -> str:
    """What stands before the ids of a lecture's second lab, and of the next (static/js/scopes.js).

    No heading's id has an underscore.
    """
    return f"lab{number}_" if number > 1 else ""
