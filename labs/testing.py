"""A context for tests, calibration and scripts: what compute asks for, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.context import Artifacts


class MemoryArtifacts:
    """A run's files, kept in a dict."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def write(self, name: str, content: bytes) -> None:
        self.files[name] = content

    def read(self, name: str) -> bytes:
        return self.files[name]

    def delete(self, name: str) -> None:
        self.files.pop(name, None)


class PlainContext:
    """Set `save_wanted` as you need it. `told` holds what the run said about itself.

    A checkpoint goes through bytes, as it does in a worker, so `saved` shares nothing with the run
    that saved it.
    """

    def __init__(
        self, seed: int = 0, device: str = "cpu", saved: dict[str, Any] | None = None
    ) -> None:
        self.seed = seed
        self.device = device
        self.saved = saved
        self.artifacts: Artifacts = MemoryArtifacts()
        self.told: dict[str, str | float | int] = {}
        self.save_wanted = False
        self.saves = 0

    def save(self, state: Mapping[str, Any]) -> None:
        from labs.nets.checkpoint import pack, unpack

        self.saved = unpack(pack(dict(state)))
        self.saves += 1

    def picture(self, value: str) -> Any:
        """A built-in picture. Raises KeyError where there is none of that name."""
        from labs.data.pictures import load

        return load(value)

    def data(self, name: str) -> Any:
        from labs.data.datasets import load

        return load(name)

    def tell(self, **facts: str | float | int) -> None:
        self.told.update(facts)
