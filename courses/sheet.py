"""A page that is drawn once and kept, with holes for what is each reader's own.

The template writes a hole as `{{ hole.csrf }}`; `fill` puts in what a reader has there, or what
everybody has. So a guest's page costs one query and one pass over its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe

HOLE = re.compile("\x00([a-z0-9:-]+)\x00")


class Holes:
    """What a template finds under `hole`: the mark of the hole of that name."""

    def __getitem__(self, name: str) -> SafeString:
        return mark(name)


def mark(name: str) -> SafeString:
    return mark_safe(f"\x00{name}\x00")  # noqa: S308 (a name of ours)


@dataclass(frozen=True)
class Sheet:
    """The text with its holes, and what stands in each where a reader has nothing of their own."""

    text: str
    common: Mapping[str, str]

    def fill(self, own: Mapping[str, str]) -> str:
        """The page. What is put in may have holes itself, once."""
        values = {**self.common, **own}

        def put(found: re.Match[str]) -> str:
            return values.get(found[1], "")

        return HOLE.sub(put, HOLE.sub(put, self.text))


def holes() -> dict[str, Any]:
    """A template's context for a page with holes. The token of every form is one, too."""
    return {"hole": Holes(), "csrf_token": mark("csrf"), "is_sheet": True}
