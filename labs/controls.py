"""From a lab's Params to the form that sets them, and back: controls, decoding, plain sentences."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from django.http import QueryDict
from django.templatetags.static import static
from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from labs.data.pictures import PICTURES
from labs.params import Params
from labs.refusals import LONGEST_JSON, STRUCTURED, plain_number, sentence, span

NOT_PARAMS = ("csrfmiddlewaretoken", "seed", "number")


@dataclass(frozen=True)
class Option:
    """One value of a choice, or one picture to choose: `url` shows it ("" for none)."""

    value: str
    label: str
    chosen: bool = False
    url: str = ""
    alt: str = ""


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

    @property
    def template(self) -> str:
        return f"controls/{self.kind}.html"

    @property
    def id(self) -> str:
        return f"control-{self.name}"

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
    pictures: Sequence[Any] = (),
) -> list[Control]:
    """The controls of `model` filled with `values`; an error that has no control comes first.

    `pictures` are the learner's own: objects or dicts with `value`, `label` and `url`.
    """
    errors = errors or {}
    fields = _fields(model)
    loose = tuple(says for name, says in errors.items() if name not in fields)
    found = [Control(kind="refused", name="", label="", refused=loose)] if loose else []
    for name, schema in fields.items():
        value = _plain(values.get(name, schema.get("default")))
        found.append(_control(name, schema, value, errors.get(name, ""), pictures))
    return found


def decode(model: type[Params], post: QueryDict) -> dict[str, Any]:
    """Form strings as JSON-like values. What cannot be read stays a string; `validate` refuses it.

    A name that is no field stays in, to be refused, unless it belongs to the page itself.
    """
    fields = _fields(model)
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
        errors.setdefault(name, sentence(name, _fields(model).get(name), error))
    return None, errors


class AsDeclared(GenerateJsonSchema):
    """Options and presets keep the order that the lab gives them."""

    def sort(
        self,
        value: JsonSchemaValue,
        parent_key: str | None = None,  # noqa: ARG002 (pydantic names it)
    ) -> JsonSchemaValue:
        return value


@cache
def _fields(model: type[Params]) -> dict[str, dict[str, Any]]:
    """Each field's JSON schema, and for blocks the kinds of block with their fields."""
    whole = model.model_json_schema(schema_generator=AsDeclared)
    fields = {}
    for name, schema in whole.get("properties", {}).items():
        fields[name] = {**schema, "literals": get_args(model.model_fields[name].annotation)}
        if schema.get("control") == "blocks":
            fields[name]["kinds"] = _block_kinds(schema["items"], whole.get("$defs", {}))
    return fields


def _block_kinds(items: Mapping[str, Any], defs: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The union of blocks, flattened: for each its kind, label, help and fields."""
    kinds = []
    for branch in items.get("oneOf") or items.get("anyOf") or [items]:
        block = defs[branch["$ref"].rpartition("/")[2]] if "$ref" in branch else branch
        fields = [{"name": n, **_resolved(s, defs)} for n, s in block["properties"].items()]
        tag = next(f for f in fields if "const" in f)
        kinds.append(
            {
                "tag": tag["name"],
                "kind": tag["const"],
                "label": block.get("title", tag["const"]),
                "help": block.get("description", ""),
                "fields": [f for f in fields if f is not tag],
            }
        )
    return tuple(kinds)


def _resolved(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return dict(schema)
    return {**defs[schema["$ref"].rpartition("/")[2]], **schema}


def _control(
    name: str, schema: Mapping[str, Any], value: Any, error: str, pictures: Sequence[Any]
) -> Control:
    kind = str(schema["control"])
    options: tuple[Option, ...] = ()
    if kind == "choice":
        options = tuple(Option(k, v, k == str(value)) for k, v in schema["options"].items())
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


def _picture_options(value: str, pictures: Sequence[Any]) -> tuple[Option, ...]:
    found = [
        Option(p.name, p.title, p.name == value, static(p.thumbnail), p.alt)
        for p in PICTURES.values()
    ]
    for own in pictures:
        named, label, url = (_of(own, key) for key in ("value", "label", "url"))
        found.append(Option(named, label, named == value, url))
    if not any(option.chosen for option in found):
        found.append(Option(value, "Your picture" if ":" in value else value.capitalize(), True))
    return tuple(found)


def _of(own: Any, key: str) -> str:
    return str(own.get(key, "") if isinstance(own, Mapping) else getattr(own, key, ""))


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
