"""What a student may change in a model, what that makes of it, and why not. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labs.catalog.shape_detective.cases import CASES, Case
from labs.catalog.shape_detective.layers import PERMUTE, RELU, Layer, flatten

OPTIONS = {
    "nothing": "Nothing: run it as it is",
    "in": "in_channels or in_features",
    "out": "out_channels or out_features",
    "kernel": "kernel_size",
    "stride": "stride",
    "padding": "padding",
    "pad-all": "padding of every Conv2d",
    "start": "start_dim",
    "flatten": "Put a Flatten before it",
    "relu": "Put a ReLU after it",
    "permute": "Put x.permute(0, 3, 1, 2) in its place",
    "remove": "Take it out",
}
SETTINGS = {
    "in": ("in_channels", "in_features"),
    "out": ("out_channels", "out_features"),
    "kernel": ("kernel_size",),
    "stride": ("stride",),
    "padding": ("padding",),
    "pad-all": ("padding",),
    "start": ("start_dim",),
}
BOUNDS = {
    "in": (1, 4096),
    "out": (1, 512),
    "kernel": (1, 11),
    "stride": (1, 28),
    "padding": (0, 8),
    "pad-all": (0, 8),
    "start": (0, 3),
}
"""So that any answer is computed in well under a second."""
HIGHEST = 4096
MOST_LAYERS = max(len(case.layers) for case in CASES.values())


@dataclass(frozen=True)
class Change:
    """A key of OPTIONS at a layer (from 1; 0 is none); `value` counts for the keys of BOUNDS."""

    layer: int
    what: str
    value: int


@dataclass(frozen=True)
class Placed:
    """A layer in a model that may have been changed. `number` is the case's, 0 for a new one."""

    layer: Layer
    number: int
    believed: str
    state: str = ""

    @property
    def name(self) -> str:
        """In a table: "8 Linear", on one line."""
        if not self.number:
            return f"+\u00a0{self.layer.kind} (new)"
        return f"{self.number}\u00a0{self.layer.kind}{f' ({self.state})' if self.state else ''}"

    @property
    def told(self) -> str:
        """In a sentence: "layer 8, Linear"."""
        if not self.number:
            return f"the new {self.layer.kind}"
        return f"layer {self.number}, {self.layer.kind}"


def as_written(case: Case) -> tuple[Placed, ...]:
    pairs = zip(case.layers, case.beliefs, strict=True)
    return tuple(Placed(layer, n, belief) for n, (layer, belief) in enumerate(pairs, start=1))


def setting_of(layer: Layer, what: str) -> str:
    """The setting of this layer that a change is about, or ""."""
    names = dict(layer.settings)
    return next((name for name in SETTINGS.get(what, ()) if name in names), "")


def misplaced(case: Case, layer: int, what: str) -> str:
    """Why the layer has nothing of the kind to change, or ""."""
    if what in ("nothing", "pad-all"):
        return ""
    if not layer:
        return "Name the layer first: its number is in the table."
    asked = case.layers[layer - 1]
    if what not in SETTINGS or setting_of(asked, what):
        return ""
    names = [name for names in SETTINGS.values() for name in names if name in dict(asked.settings)]
    has = " and ".join(dict.fromkeys(names)) or "no settings that can be changed here"
    return f"Layer {layer} is {asked.kind} and has no {' or '.join(SETTINGS[what])}. It has {has}."


def unfit(case: Case, change: Change) -> str:
    """Why the value cannot be taken, or ""."""
    if change.what not in BOUNDS:
        return ""
    low, high = BOUNDS[change.what]
    name = "padding" if change.what == "pad-all" else setting_of(_layer(case, change), change.what)
    if not low <= change.value <= high:
        return f"{name} must lie between {low} and {high:,} here. {change.value:,} does not."
    if mended(case, change) == as_written(case):
        return f"{name} is {change.value:,} already. Give another number."
    return ""


def _layer(case: Case, change: Change) -> Layer:
    return case.layers[change.layer - 1]


def mended(case: Case, change: Change) -> tuple[Placed, ...]:
    """The case's model with the change made; the change is one that the layer can have."""
    model: list[Placed] = []
    for placed in as_written(case):
        if change.what == "pad-all" and placed.layer.kind == "Conv2d":
            model.append(_set(placed, "padding", change.value))
        elif placed.number == change.layer and change.what != "pad-all":
            model += _changed(placed, change)
        else:
            model.append(placed)
    return tuple(model)


def _changed(placed: Placed, change: Change) -> list[Placed]:
    match change.what:
        case "nothing":
            return [placed]
        case "flatten":
            return [Placed(flatten(), 0, "–"), placed]
        case "relu":
            return [placed, Placed(RELU, 0, "–")]
        case "permute":
            return [replace(placed, layer=PERMUTE, state="changed")]
        case "remove":
            return []
    return [_set(placed, setting_of(placed.layer, change.what), change.value)]


def _set(placed: Placed, name: str, value: int) -> Placed:
    if placed.layer[name] == value:
        return placed
    return replace(placed, layer=placed.layer.changed(name, value), state="changed")


def described(case: Case, change: Change) -> str:
    """The change as a sentence: "Layer 8, Linear: in_features 3,136 becomes 1,600."."""
    if change.what in ("nothing", "pad-all"):
        every = f"Every Conv2d gets padding {change.value}."
        return "You change nothing yet." if change.what == "nothing" else every
    layer = _layer(case, change)
    place = f"Layer {change.layer}, {layer.kind}"
    match change.what:
        case "flatten":
            return f"A Flatten is put before layer {change.layer}, {layer.kind}."
        case "relu":
            return f"A ReLU is put after layer {change.layer}, {layer.kind}."
        case "permute":
            return f"{place}, becomes x.permute(0, 3, 1, 2)."
        case "remove":
            return f"{place}, is taken out."
    name = setting_of(layer, change.what)
    return f"{place}: {name} {layer[name]:,} becomes {change.value:,}."
