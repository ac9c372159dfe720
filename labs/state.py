"""What a panel shows: the newest event of each name. One function, for page, scrubber and stream.

An entry is an event with its place: `attempt` and `seq`. Entries may come twice, and entries of a
dead attempt may lie between those that count; the answer is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Entry = dict[str, Any]
Place = tuple[int, int]

MARKS = ("attempt", "closed")


def place_of(entry: Entry) -> Place:
    return entry["attempt"], entry["seq"]


def surviving(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that count, in order: none twice, none that a later attempt computed anew.

    An attempt's first entry says from which seq it goes on; what earlier attempts wrote past that
    is dropped.
    """
    ordered = sorted({place_of(e): e for e in entries}.values(), key=place_of)
    kept: list[Entry] = []
    limit: float = float("inf")
    own_limit = limit
    attempt = None
    for entry in reversed(ordered):
        if entry["attempt"] != attempt:
            attempt, own_limit = entry["attempt"], limit
        if entry["seq"] <= own_limit:
            kept.append(entry)
        if entry["kind"] == "attempt":
            limit = min(limit, entry["from"])
    return kept[::-1]


def state_at(entries: Iterable[Entry], k: Place | None = None) -> dict[str, Entry]:
    """The newest event of each name up to the place `k` (None: up to the end)."""
    shown: dict[str, Entry] = {}
    for entry in surviving(e for e in entries if k is None or place_of(e) <= k):
        if entry["kind"] not in MARKS:
            shown[entry["name"]] = entry
    return shown
