"""What a lab's `run(params, ctx)` may ask of the place it runs in. Workers and tests provide it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class LabError(Exception):
    """Compute stops with a sentence for the student. Any other exception is our own fault."""


class Artifacts(Protocol):
    """Files of a run. Names are plain: letters, digits, dot, dash."""

    def write(self, name: str, content: bytes) -> None: ...

    def read(self, name: str) -> bytes:
        """Raises KeyError where the run has no such file."""

    def delete(self, name: str) -> None: ...


class Context(Protocol):
    """`device` is a torch device's name ("cpu", "cuda"); `seed` fixes every random choice."""

    device: str
    seed: int
    saved: dict[str, Any] | None
    """The state that `save` was last given, where this run goes on after a stop; else None."""

    artifacts: Artifacts
    """In a follow-up these are the parent run's files."""

    @property
    def save_wanted(self) -> bool:
        """True when a checkpoint is due (the worker is stopping, or enough time has passed)."""

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a checkpoint: nested dicts and lists of tensors, numbers, strings, booleans, None.

        The state is as of the last event yielded; nothing may be yielded twice after a resume.
        """

    def picture(self, value: str) -> Any:
        """The picture that a `Picture` param names: numpy uint8 (H, W, 3), H·W ≤ 8 megapixels."""

    def data(self, name: str) -> Any:
        """A dataset by name (labs/data), cached in the process."""

    def tell(self, **facts: str | float | int) -> None:
        """Say what ran (dtype="bfloat16", compiled="no"): shown with the run, not an event."""
