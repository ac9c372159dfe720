"""Figures that a lecture quotes, `{{lab.claim.statistic}}`, as `make calibrate` stored them.

`{{first-cnn.digits-97.median|%1}}` gives a share in percent with one decimal: "98.2 %".
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from labs.lab import catalog
from labs.words import number

QUOTE = re.compile(r"\{\{\s*([a-z0-9-]+)\.([a-z0-9-]+)\.([a-z_]+)\s*(?:\|\s*(%?)([0-6]))?\s*\}\}")
STATISTICS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "median": lambda kept: statistics.median(kept["values"]),
    "mean": lambda kept: statistics.fmean(kept["values"]),
    "least": lambda kept: min(kept["values"]),
    "greatest": lambda kept: max(kept["values"]),
    "share": lambda kept: kept["share"],
    "seeds": lambda kept: kept["seeds"],
    "at_least": lambda kept: kept["at_least"],
    "date": lambda kept: kept["date"],
    "ran": lambda kept: kept["ran"],
}


class NoSuchFigure(ValueError):
    """A sentence: what of a quote is not there, and what is."""


@cache
def _claims(slug: str) -> Mapping[str, Any]:
    path = catalog()[slug].path / "calibrated.json"
    return json.loads(path.read_text(encoding="utf-8"))["claims"] if path.is_file() else {}


def quoted(quote: re.Match[str]) -> str:
    """What a quote says, as a person writes it. Raises NoSuchFigure."""
    slug, claim, name, percent, digits = quote.groups()
    if slug not in catalog():
        raise NoSuchFigure(f"There is no lab “{slug}” to quote from")
    claims = _claims(slug)
    if claim not in claims:
        known = ", ".join(claims) or "none yet"
        raise NoSuchFigure(f"{slug} has no calibrated claim “{claim}”; measured are: {known}")
    if name not in STATISTICS:
        raise NoSuchFigure(f"“{name}” is no statistic; there are {', '.join(STATISTICS)}")
    value = STATISTICS[name](claims[claim])
    if isinstance(value, str):
        return value
    places = int(digits) if digits else 4
    return f"{number(100 * value, places)} %" if percent else number(value, places)
