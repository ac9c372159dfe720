"""What a lab declares. A lab is one folder under labs/catalog; adding one changes no other file."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from labs.events import Event
from labs.params import Params
from labs.questions import Question

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


@dataclass(frozen=True, eq=False)
class Lab:
    """A lab as its lab.py declares it, under the name LAB.

    `seconds` is what the default run takes on two cores (for the queue's estimate), `limit` what
    ends it, on a busy machine too, and `too_long` what a student may then do about it, in a
    sentence that names the lab's own settings. `follow_ups` says what can be asked of a finished
    run, `answers` the slots of each answer. `live` labs answer while a control moves; their compute
    takes well under a second. `seeded` labs show a seed. `preview` draws what can be told before a
    run (shapes, parameter counts) from the form's values as they are being edited, valid or not: it
    never raises.
    `dataset` says which dataset valid params ask for ("" for none). `tiny` are params, changed from
    the default, of a run that is small and yet shows everything: the contract tests run it.
    """

    title: str
    summary: str
    section: int
    lane: str
    params: type[Params]
    panel: tuple[Slot, ...]
    seconds: float
    limit: float
    too_long: str = ""
    live: bool = False
    seeded: bool = True
    claims: tuple[Claim, ...] = ()
    follow_ups: Mapping[str, type[Params]] = field(default_factory=dict)
    answers: Mapping[str, tuple[Slot, ...]] = field(default_factory=dict)
    preview: Callable[[Mapping[str, Any]], tuple[Event, ...]] | None = None
    dataset: Callable[[Any], str] | None = None
    tiny: Mapping[str, object] = field(default_factory=dict)
    package: str = ""

    @property
    def folder(self) -> str:
        return self.package.rpartition(".")[2]

    @property
    def slug(self) -> str:
        return self.folder.replace("_", "-")

    @property
    def path(self) -> Path:
        return Path(str(importlib.import_module(self.package).__file__)).parent

    def questions(
        self, params: Params, figures: Mapping[str, Any], chance: Random
    ) -> list[Question]:
        """What is asked about a run of these params and figures; nothing without questions.py."""
        if importlib.util.find_spec(f"{self.package}.questions") is None:
            return []
        asks = importlib.import_module(f"{self.package}.questions").questions
        found: list[Question] = asks(params, figures, chance)
        return found

    def compute(self) -> ModuleType:
        """The lab's compute module. Imports torch: workers only."""
        return importlib.import_module(f"{self.package}.compute")


@cache
def catalog() -> dict[str, Lab]:
    """Every lab of the course by its slug, in the course's order.

    CONVOLAB_CATALOGUES names the packages that hold labs (tests add labs that misbehave).
    """
    packages = os.environ.get("CONVOLAB_CATALOGUES", "labs.catalog").split(",")
    found = [lab for package in packages for lab in _labs_in(package)]
    return {lab.slug: lab for lab in sorted(found, key=lambda lab: (lab.section, lab.slug))}


@cache
def every_lab() -> dict[str, Lab]:
    """The catalogue, and the jobs of the site's own (taking a picture in) that run like labs."""
    return catalog() | {lab.slug: lab for lab in _labs_in("labs.internal")}


def _labs_in(package: str) -> list[Lab]:
    folders = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return [_load(f"{package}.{folder.name}") for folder in folders if folder.ispkg]


def _load(package: str) -> Lab:
    module = importlib.import_module(f"{package}.lab")
    declared: Lab = module.LAB
    return replace(declared, package=package)
