"""From a lab's Params to the form that sets them, and back: controls, decoding, plain sentences."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from django.templatetags.static import static
from pydantic import ValidationError

from labs.data import registry
from labs.data.pictures import PICTURES
from labs.fields import fields_of
from labs.params import Params
from labs.refusals import LONGEST_JSON, STRUCTURED, plain_number, sentence, span

NOT_PARAMS = ("csrfmiddlewaretoken", "seed", "number", "show", "from")


@dataclass(frozen=True)
class Option:
    """One value of a choice, or one picture to choose: `url` shows it ("" for none).

    `missing` is a dataset that this site has not; `delete` is where a picture of one's own goes.
    """

    value: str
    label: str
    chosen: bool = False
    url: str = ""
    alt: str = ""
    delete: str = ""
    missing: bool = False

    @property
    def disabled(self) -> bool:
        """What is chosen already stays: a form without it would quietly send the default."""
        return self.missing and not self.chosen


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the template of one control needs. `text` is the value as a form field carries it."""

    kind: str
    name: str
    label: str
    help: str = ""
    error: str = ""
    value: Any = None
    default: Any = None
    low: float | None = None
    high: float | None = None
    step: float = 1
    unit: str = ""
    log: bool = False
    whole: bool = False
    options: tuple[Option, ...] = ()
    sizes: tuple[int, ...] = ()
    side: int = 0
    presets: Mapping[str, Any] | None = None
    schema: tuple[Mapping[str, Any], ...] = ()
    refused: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def template(self) -> str:
        return f"controls/{self.kind}.html"

    @property
    def id(self) -> str:
        return f"control-{self.prefix}{self.name}"

    @property
    def text(self) -> str:
        return self._as_text(self.value)

    @property
    def default_text(self) -> str:
        return self._as_text(self.default)

    @property
    def range(self) -> str:
        """The bounds in words: "1 to 4 pixels"."""
        return span(self.low, self.high, self.unit)

    @property
    def schema_text(self) -> str:
        return json.dumps(self.schema)

    @property
    def presets_text(self) -> str:
        return json.dumps(self.presets or {})

    @property
    def rows(self) -> Any:
        """A matrix to show: the value if it is one, else the default."""
        return self.value if self.value and _is_grid(self.value) else self.default

    def _as_text(self, value: Any) -> str:
        if self.kind in STRUCTURED and not isinstance(value, str):
            return json.dumps(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        return plain_number(value) if isinstance(value, int | float) else str(value)


def controls_for(
    model: type[Params],
    values: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
    pictures: Sequence[Option] = (),
    prefix: str = "",
) -> list[Control]:
    """The controls of `model` filled with `values`; an error that has no control comes first.

    `pictures` are the learner's own. A `prefix` keeps the ids of several forms on a page apart.
    """
    errors = errors or {}
    fields = fields_of(model)
    loose = tuple(says for name, says in errors.items() if name not in fields)
    found = [Control(kind="refused", name="", label="", refused=loose)] if loose else []
    for name, schema in fields.items():
        value = _plain(values.get(name, schema.get("default")))
        control = _control(name, schema, value, errors.get(name, ""), pictures)
        found.append(replace(control, prefix=prefix))
    return found


def decode(model: type[Params], post: QueryDict) -> dict[str, Any]:
    """Form strings as JSON-like values. What cannot be read stays a string; `validate` refuses it.

    A name that is no field stays in, to be refused, unless it belongs to the page itself.
    """
    fields = fields_of(model)
    return {
        name: _decode(fields.get(name), str(post[name]))
        for name in post
        if name in fields or name not in NOT_PARAMS
    }


def validate(
    model: type[Params], values: Mapping[str, Any]
) -> tuple[Params | None, dict[str, str]]:
    """The typed params and no errors, or None and one sentence for each field at fault."""
    try:
        return model.model_validate(dict(values)), {}
    except ValidationError as refused:
        found = refused.errors(include_url=False)
    errors: dict[str, str] = {}
    for error in found:
        name = str(error["loc"][0]) if error["loc"] else ""
        errors.setdefault(name, sentence(name, fields_of(model).get(name), error))
    return None, errors


def _control(
    name: str,
    schema: Mapping[str, Any],
    value: Any,
    error: str,
    pictures: Sequence[Option],
) -> Control:
    kind = str(schema["control"])
    options: tuple[Option, ...] = ()
    if kind == "choice":
        options = _choice_options(str(value), schema)
    elif kind == "picture":
        options = _picture_options(str(value), pictures)
    return Control(
        kind=kind,
        name=name,
        label=schema.get("title", name),
        help=schema.get("description", ""),
        error=error,
        value=value,
        default=schema.get("default"),
        low=schema.get("minimum", schema.get("low")),
        high=schema.get("maximum", schema.get("high", schema.get("maxItems"))),
        step=schema.get("step", 1),
        unit=schema.get("unit", ""),
        log=schema.get("log", False),
        whole=schema.get("type") == "integer",
        options=options,
        sizes=tuple(schema.get("sizes", ())),
        side=schema.get("side", 0),
        presets=schema.get("presets"),
        schema=schema.get("kinds", ()),
    )


def _choice_options(value: str, schema: Mapping[str, Any]) -> tuple[Option, ...]:
    by_name = schema.get("datasets", False)
    return tuple(
        Option(k, v, k == value, missing=by_name and not registry.is_available(k))
        for k, v in schema["options"].items()
    )


def _picture_options(value: str, pictures: Sequence[Option]) -> tuple[Option, ...]:
    found = [
        Option(p.name, p.title, p.name == value, static(p.thumbnail), p.alt)
        for p in PICTURES.values()
    ]
    found += [replace(own, chosen=own.value == value) for own in pictures]
    if not any(option.chosen for option in found):
        found.append(Option(value, "Your picture" if ":" in value else value.capitalize(), True))
    return tuple(found)


def _decode(schema: Mapping[str, Any] | None, text: str) -> Any:
    if schema is None:
        return text
    control = schema["control"]
    if control in STRUCTURED:
        return _decode_json(text)
    if control == "switch":
        return {"true": True, "on": True, "false": False}.get(text, text)
    if control == "choice":
        return next((v for v in schema["literals"] if str(v) == text), text)
    return _decode_number(text) if control == "slider" else text


def _decode_json(text: str) -> Any:
    if len(text) > LONGEST_JSON:
        return text[: LONGEST_JSON + 1]
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def _decode_number(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _is_grid(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(row, list) and all(isinstance(cell, int | float) for cell in row)
        for row in value
    )


def _plain(value: Any) -> Any:
    """Tuples and blocks as JSON has them: lists and dicts."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
