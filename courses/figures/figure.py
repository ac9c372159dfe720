"""What a figure is: params that a reader may move, and the drawing that they make. No torch."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from labs.params import Params


class Still(Params):
    """The params of a figure that nobody moves."""


@dataclass(frozen=True)
class Drawing:
    """One state of a figure.

    `svg` is the picture, `alt` its text alternative, `says` the sentence beside it, with the
    numbers of this state.
    """

    svg: str
    alt: str
    says: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure of the course. Its name is its function's, with hyphens; `wide` breaks out."""

    name: str
    params: type[Params]
    draw: Callable[[Any], Drawing]
    wide: bool = False

    @property
    def moves(self) -> bool:
        return bool(self.params.model_fields)


_declared: dict[str, Figure] = {}


def figure(
    params: type[Params] = Still, *, wide: bool = False
) -> Callable[[Callable[[Any], Drawing]], Callable[[Any], Drawing]]:
    """Declare a function of this package as a figure: `@figure(Params)`."""

    def declare(draw: Callable[[Any], Drawing]) -> Callable[[Any], Drawing]:
        name = draw.__name__.replace("_", "-")
        if name in _declared and _declared[name].draw.__module__ != draw.__module__:
            raise ValueError(f"two figures are named {name}")
        _declared[name] = Figure(name, params, draw, wide)
        return draw

    return declare


@cache
def every_figure() -> dict[str, Figure]:
    """All figures of the modules in this package, by name."""
    package = importlib.import_module("courses.figures")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"courses.figures.{module.name}")
    return dict(sorted(_declared.items()))
