"""Numbers as a person writes them: a true minus, no more digits than mean something, no e-notation.

Everything here gives words for a page; compute uses it for sentences, templates for cells.
"""

from __future__ import annotations

import math

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 2) -> str:
    """At most `digits` decimals, and no trailing zeros: "−0.5"."""
    text = f"{value:,.{digits}f}"
    if not text.strip("-0."):
        return "0"
    return _signed(text.rstrip("0").rstrip(".") if digits else text)


def fixed(value: float, digits: int = 2) -> str:
    """Exactly `digits` decimals: "−0.50"."""
    text = f"{value:,.{digits}f}"
    return _signed(text if text.strip("-0.") else text.lstrip("-"))


def signed(value: float) -> str:
    """A term of a sum: "+ 2.5" or "− 2.5"."""
    return f"− {number(-value)}" if value < 0 else f"+ {number(value)}"


def short(value: float, digits: int = 3) -> str:
    """`digits` that count, of the very small and the very large as a power of ten: "2.1 × 10⁻⁵"."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    if float(value).is_integer() and abs(value) < 1e9:
        return _signed(f"{int(value):,}")
    front, _, power = f"{value:.{digits}g}".partition("e")
    if not power:
        return _signed(front)
    times = "" if front == "1" else f"{_signed(front)} × "
    return f"{times}10{str(int(power)).translate(SUPERSCRIPT)}"


def _signed(text: str) -> str:
    return text.replace("-", "−")
