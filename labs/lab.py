"""What a lab declares. A lab is one folder under labs/catalog; adding one changes no other file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from labs.events import Event
from labs.params import Params

CATALOG = Path(__file__).parent / "catalog"

INTERACTIVE = "interactive"
TRAINING = "training"
LANES = (INTERACTIVE, TRAINING)


@dataclass(frozen=True)
class Slot:
    """A place in the panel, there before its first event: the event's name and kind, and a title.

    `wide` takes the panel's whole width. `rows` × 8 px is the height held free for it.
    """

    name: str
    kind: str
    title: str
    wide: bool = False
    rows: int = 20


@dataclass(frozen=True)
class Claim:
    """What a lab promises, as a check on `Result.figures[figure]` over seeds.

    `at_least` is reached in at least `share` of the seeds, with `params` changed from the default.
    """

    name: str
    says: str
    figure: str
    at_least: float
    share: float = 0.95
    params: Mapping[str, object] = field(default_factory=dict)
    dataset: str = ""


@dataclass(frozen=True)
class Lab:
    """A lab as its lab.py declares it, under the name LAB.

    `seconds` is what the default run takes on two cores (for the queue's estimate), `limit` what
    ends it. `live` labs answer while a control moves; their compute takes well under a second.
    `seeded` labs show a seed. `preview` draws what can be told before a run (shapes, parameter
    counts) from the form's values as they are being edited, valid or not: it never raises.
    `dataset` says which dataset valid params ask for ("" for none).
    """

    title: str
    summary: str
    section: int
    lane: str
    params: type[Params]
    panel: tuple[Slot, ...]
    seconds: float
    limit: float
    live: bool = False
    seeded: bool = True
    claims: tuple[Claim, ...] = ()
    follow_ups: Mapping[str, type[Params]] = field(default_factory=dict)
    preview: Callable[[Mapping[str, Any]], tuple[Event, ...]] | None = None
    dataset: Callable[[Any], str] | None = None
    folder: str = ""

    @property
    def slug(self) -> str:
        return self.folder.replace("_", "-")

    @property
    def path(self) -> Path:
        return CATALOG / self.folder

    def compute(self) -> ModuleType:
        """The lab's compute module. Imports torch: workers only."""
        return importlib.import_module(f"labs.catalog.{self.folder}.compute")


@cache
def catalog() -> dict[str, Lab]:
    """Every lab by its slug, in the order of the course."""
    folders = sorted(m.name for m in pkgutil.iter_modules([str(CATALOG)]) if m.ispkg)
    found = [_load(folder) for folder in folders]
    return {lab.slug: lab for lab in sorted(found, key=lambda lab: (lab.section, lab.slug))}


def _load(folder: str) -> Lab:
    module = importlib.import_module(f"labs.catalog.{folder}.lab")
    return replace(module.LAB, folder=folder)
