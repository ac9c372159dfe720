"""The fields of a Params, as its form and its refusals need them. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue


class AsDeclared(GenerateJsonSchema):
    """Options and presets keep the order that the lab gives them."""

    def sort(
        self,
        value: JsonSchemaValue,
        parent_key: str | None = None,  # noqa: ARG002 (pydantic names it)
    ) -> JsonSchemaValue:
        return value


@cache
def fields_of(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
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
