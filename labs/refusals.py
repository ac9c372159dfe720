"""Why params were refused, said to a person: what is wrong, and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

LONGEST_JSON = 60_000
"""Characters of one structured field: ten times what the largest drawing needs."""

STRUCTURED = ("matrix", "blocks", "drawing")


def sentence(name: str, schema: Mapping[str, Any] | None, error: ErrorDetails) -> str:
    """What a person is told: what is wrong and what is allowed."""
    if error["type"] == "refused":
        said = str(error["ctx"]["sentence"])
        where = _block(schema, error)[0] if schema and "kinds" in schema else ""
        return f"{where}: {said}" if where else said
    if schema is None:
        named = name if len(name) <= 40 else name[:40] + "…"
        return f"“{named}” is not a setting of this lab. Take it out." if named else error["msg"]
    label, given = schema.get("title", name), error["input"]
    if error["type"] == "missing":
        return f"{label} is missing."
    if schema["control"] in STRUCTURED and isinstance(given, str) and len(error["loc"]) == 1:
        return _unreadable(label, given)
    return _says(str(schema["control"]), label, schema, error)


def _unreadable(label: str, given: str) -> str:
    if len(given) > LONGEST_JSON:
        return f"{label} is longer than {LONGEST_JSON:,} characters. Make it smaller."
    return f"{label} could not be read: it is not valid JSON. Reset puts the default back."


def _says(control: str, label: str, schema: Mapping[str, Any], error: ErrorDetails) -> str:
    if control == "slider":
        return _number_sentence(label, schema)
    if control == "choice":
        return f"{label} must be one of these: {', '.join(schema['options'].values())}."
    if control == "matrix":
        allowed = span(schema["low"], schema["high"], "")
        return f"{label} must be a square grid of numbers from {allowed}."
    if control == "blocks":
        return _block_sentence(label, schema, error)
    return {
        "switch": f"{label} must be on or off.",
        "picture": f"{label} must name a picture of the site or one of yours.",
        "drawing": f"{label} must hold whole numbers from 0 to 255.",
    }[control]


def _number_sentence(label: str, schema: Mapping[str, Any]) -> str:
    whole = "whole " if schema.get("type") == "integer" else ""
    allowed = span(schema.get("minimum"), schema.get("maximum"), schema.get("unit", ""))
    return f"{label} must be a {whole}number from {allowed}."


def _block_sentence(label: str, schema: Mapping[str, Any], error: ErrorDetails) -> str:
    where, kind = _block(schema, error)
    if not where:
        return f"{label} must have from {schema.get('minItems', 1)} to {schema['maxItems']} blocks."
    name = str(error["loc"][-1])
    if kind and error["type"] == "extra_forbidden":
        return f"{where}: “{name[:40]}” is not one of its settings."
    field = next((f for f in kind["fields"] if f["name"] == name), None) if kind else None
    if field:
        return f"{where}: {_allowed(field.get('title', name), field)}"
    return f"{where} must be one of these: {', '.join(k['label'] for k in schema['kinds'])}."


def _block(schema: Mapping[str, Any], error: ErrorDetails) -> tuple[str, Mapping[str, Any] | None]:
    """Which block is at fault ("Block 2 (Pooling)"; "" where it is all of them), and its kind."""
    place, tags = (error["loc"][1:2] or ("",))[0], set(error["loc"][2:3])
    if not isinstance(place, int):
        return "", None
    kind = next((kind for kind in schema["kinds"] if kind["kind"] in tags), None)
    return f"Block {place + 1}" + (f" ({kind['label']})" if kind else ""), kind


def _allowed(title: str, field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return f"{title} must be one of these: {', '.join(map(str, field['enum']))}."
    if field.get("type") == "boolean":
        return f"{title} must be on or off."
    return _number_sentence(title, field)


def span(low: float | None, high: float | None, unit: str) -> str:
    """The bounds in words, with a true minus: "−1 to 1 pixels"."""
    ends = f"{plain_number(low or 0)} to {plain_number(high or 0)}".replace("-", "−")
    return f"{ends} {unit}" if unit else ends


def plain_number(value: float) -> str:
    """As short as it is exact, and never with an exponent: a form field must read it back."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.10f}".rstrip("0").rstrip(".")
