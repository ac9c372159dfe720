"""Counts, as the steady lab does."""

from tests.faulty.steady.compute import run

__all__ = ["run"]
