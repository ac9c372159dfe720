"""Numbers as a person writes them."""

from __future__ import annotations

from collections.abc import Sequence


def number(value: float, digits: int = 2) -> str:
    """At most `digits` decimals, no trailing zeros, a true minus sign."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
    return "0" if text in ("-0", "") else text.replace("-", "−")


def signed(value: float) -> str:
    return f"− {number(-value)}" if value < 0 else f"+ {number(value)}"


def terms(pixels: Sequence[float], weights: Sequence[float]) -> str:
    """ "31 × −1 + 77 × 0 + 80 × 1 = 49"; ≈ where a weight or the sum is shown rounded."""
    total = sum(x * w for x, w in zip(pixels, weights, strict=True))
    exact = (
        all(abs(w - round(w, 3)) < 1e-6 for w in weights) and abs(total - round(total, 2)) < 1e-4
    )
    products = (f"{number(x, 0)} × {number(w, 3)}" for x, w in zip(pixels, weights, strict=True))
    return f"{' + '.join(products)} {'=' if exact else '≈'} {number(total)}"
