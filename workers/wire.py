"""Events as JSON, with arrays as PNG pictures and the facts that the page says about them."""

from __future__ import annotations

import base64
import dataclasses
import io
import math
from functools import cache
from typing import Any

import numpy as np
from PIL import Image as Pillow

from labs.events import Event, Image

Array = Any

# The colours of the visual language: the same ends as the tokens in static/css.
VIRIDIS = ("440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58",
           "b5de2b", "fde725")  # fmt: skip
DIVERGING = ("1f4e8c", "5a8fc7", "b9d3ea", "f7f4ee", "f2c79a", "df8a3d", "a8500f")
PURPLE = ("fbf9fc", "d9cbe6", "a98bc4", "74479c", "3d1763")
GREY = ("000000", "ffffff")
RAMPS = {"map": VIRIDIS, "kernel": DIVERGING, "gradient": PURPLE, "input": GREY}


def encode(event: Event) -> dict[str, Any]:
    """The event as JSON-able data: its fields, its kind, and pictures as base64 PNG.

    `boxes` events get an `items` list of their one picture, so that both kinds carry alike.
    """
    wire: dict[str, Any] = {"kind": event.kind}
    for field in dataclasses.fields(event):
        wire[field.name] = _plain(getattr(event, field.name))
    if event.kind == "boxes":
        wire["items"] = [wire.pop("image")]
    return wire


def _plain(value: Any) -> Any:
    if isinstance(value, Image):
        return picture(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if hasattr(value, "item"):
        return _plain(value.item())
    return value


def picture(image: Image) -> dict[str, Any]:
    """A picture on the wire: PNG, its size, its scale's ends, its extremes and its mean."""
    values = np.asarray(
        image.values.detach().cpu() if hasattr(image.values, "detach") else image.values
    )
    facts: dict[str, Any] = {
        "label": image.label,
        "detail": image.detail,
        "meaning": image.meaning,
        "zoom": image.zoom,
        "height": values.shape[0],
        "width": values.shape[1],
        "shape": "×".join(str(n) for n in values.shape),
    }
    if values.size:
        extremes = {"minimum": values.min(), "maximum": values.max(), "mean": values.mean()}
        facts |= {name: _plain(float(v)) for name, v in extremes.items()}
    if values.dtype == np.uint8:
        facts |= {"low": 0, "high": 255}
        made = Pillow.fromarray(values)
    else:
        low, high = _ends(values, image)
        facts |= {"low": _plain(low), "high": _plain(high)}
        made = _coloured(values.astype(np.float32), low, high, image.meaning)
    return facts | {"png": _png(made)}


def _ends(values: Array, image: Image) -> tuple[float, float]:
    """The ends of the colour scale; a kernel's lie the same way from zero, which is paper."""
    low = float(values.min()) if image.low is None else image.low
    high = float(values.max()) if image.high is None else image.high
    if image.meaning == "kernel" and image.low is None and image.high is None:
        high = max(abs(low), abs(high), 1e-12)
        low = -high
    return low, high


def _coloured(values: Array, low: float, high: float, meaning: str) -> Pillow.Image:
    scale = 255 / (high - low) if high > low else 0.0
    levels = np.nan_to_num((values - low) * scale, nan=0.0, posinf=255.0, neginf=0.0)
    levels = np.clip(levels + 0.5, 0, 255).astype(np.uint8)
    if levels.ndim == 3:
        return Pillow.fromarray(levels)
    made = Pillow.fromarray(levels)
    if meaning != "input":
        made.putpalette(_palette(meaning))
    return made


@cache
def _palette(meaning: str) -> bytes:
    """256 colours, evenly between the ramp's: 768 bytes."""
    stops = np.array([[int(h[i : i + 2], 16) for i in (0, 2, 4)] for h in RAMPS[meaning]], float)
    at = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(at, range(len(stops)), stops[:, c]) for c in range(3)]
    return np.stack(channels, 1).round().astype(np.uint8).tobytes()


def _png(made: Pillow.Image) -> str:
    out = io.BytesIO()
    made.save(out, "PNG", compress_level=1 if made.width * made.height > 4096 else 6)
    return base64.b64encode(out.getvalue()).decode()
