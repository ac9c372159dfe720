"""Numbers in words: what a student reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs import words

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.5, "−0.5"), (2.0, "2"), (-0.001, "0"), (1.239, "1.24"), (-1200.0, "−1,200"), (0.0, "0")],
)
def test_a_number_has_no_trailing_zeros_and_no_minus_before_zero(value: float, text: str) -> None:
    assert words.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(-0.5, "−0.50"), (-0.001, "0.00"), (10.0, "10.00")])
def test_a_fixed_number_keeps_its_decimals(value: float, text: str) -> None:
    assert words.fixed(value) == text


def test_a_whole_number_without_decimals_keeps_its_zeros() -> None:
    assert (words.number(120.0, 0), words.number(-0.2, 0)) == ("120", "0")


@pytest.mark.parametrize(("value", "text"), [(2.5, "+ 2.5"), (-2.5, "− 2.5")])
def test_a_term_carries_its_sign(value: float, text: str) -> None:
    assert words.signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.14e-5, "2.14 × 10⁻⁵"),
        (1e-12, "10⁻¹²"),
        (-3e12, "−3 × 10¹²"),
        (0.01234, "0.0123"),
        (12345, "12,345"),
        (float("nan"), "not a number"),
        (float("-inf"), "minus infinite"),
    ],
)
def test_a_short_number_is_a_power_of_ten_where_it_would_be_long(value: float, text: str) -> None:
    assert words.short(value) == text


@given(value=NUMBERS)
def test_no_number_is_written_with_a_hyphen_or_an_exponent(value: float) -> None:
    text = words.short(value)
    assert "-" not in text and ("e" not in text or "n" in text)
