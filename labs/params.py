"""The params of a lab: one pydantic model that makes the controls and validates form and API.

A lab's `Params` derives from `Params` here, and each field is made by one of the functions below
(`slider`, `choice`, `switch`, `matrix`, `picture`, `blocks`, `drawing`), which say in one place
its bounds, default, label, unit and help. Every number is bounded.

    class Params(params.Params):
        stride: int = slider(1, low=1, high=4, label="Stride", unit="pixels")
        padding: Literal["none", "same"] = choice("none", {"none": "None", "same": "Same"})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from labs.words import number

Picture = str
"""A field of this type names a picture: "coffee" (built in) or "own:<id>" (the learner's)."""

Rows = tuple[tuple[float, ...], ...]
"""A field of this type is a matrix of numbers, row by row."""


class Params(BaseModel):
    """Strict base: no unknown field, no change after the fact, no infinity and no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="after")
    @classmethod
    def _fits_its_control(cls, value: Any, info: ValidationInfo) -> Any:
        extra = cls.model_fields[info.field_name or ""].json_schema_extra
        if isinstance(extra, dict):
            if extra["control"] == "matrix":
                _check_matrix(value, extra)
            elif extra["control"] == "drawing":
                _check_drawing(value, extra)
        return value


def refuse(sentence: str) -> PydanticCustomError:
    """An error whose text is shown to the learner as it is. Raise it in a field validator."""
    return PydanticCustomError("refused", "{sentence}", {"sentence": sentence})


def _check_matrix(rows: Rows, extra: Mapping[str, Any]) -> None:
    sides, low, high = extra["sizes"], extra["low"], extra["high"]
    if len(rows) not in sides or any(len(row) != len(rows) for row in rows):
        allowed = " or ".join(f"{n}×{n}" for n in sides)
        raise refuse(f"The grid must be square: {allowed}.")
    if any(not low <= cell <= high for row in rows for cell in row):
        raise refuse(f"Each cell must lie between {number(low)} and {number(high)}.")


def _check_drawing(cells: Sequence[int], extra: Mapping[str, Any]) -> None:
    side = extra["side"]
    if len(cells) not in (0, side * side) or any(not 0 <= cell <= 255 for cell in cells):
        raise refuse(f"A drawing has {side * side} grey values from 0 to 255.")


def _field(default: Any, control: str, label: str, help: str, **more: Any) -> Any:  # noqa: A002
    bounds = {k: more.pop(k) for k in ("ge", "le", "min_length", "max_length") if k in more}
    extra = {"control": control, **{k: v for k, v in more.items() if v not in (None, "")}}
    return Field(
        default,
        title=label,
        description=help,
        json_schema_extra=extra,
        validate_default=True,
        **bounds,
    )


def slider(
    default: float,
    *,
    low: float,
    high: float,
    label: str,
    step: float = 1,
    unit: str = "",
    help: str = "",  # noqa: A002
    log: bool = False,
) -> Any:
    """A number by slider and by field. `log` moves the slider by factors of ten."""
    return _field(
        default, "slider", label, help, ge=low, le=high, step=step, unit=unit, log=log or None
    )


def choice(
    default: str | int,
    options: Mapping[str, str] | Sequence[str],
    *,
    label: str,
    help: str = "",  # noqa: A002
    datasets: bool = False,
) -> Any:
    """One of a few, shown as radio buttons. The field's type is a Literal of the same values.

    Where they name `datasets`, those that are not on this site are marked so.
    """
    names = dict(options) if isinstance(options, Mapping) else {o: o for o in options}
    return _field(default, "choice", label, help, options=names, datasets=datasets or None)


def switch(default: bool, *, label: str, help: str = "") -> Any:  # noqa: A002
    """On or off."""
    return _field(default, "switch", label, help)


def matrix(
    default: Rows,
    *,
    label: str,
    low: float,
    high: float,
    sizes: tuple[int, ...],
    presets: Mapping[str, Rows] | None = None,
    step: float = 0.1,
    help: str = "",  # noqa: A002
) -> Any:
    """A square grid of numbers; `sizes` are the allowed sides. The field's type is `Rows`."""
    return _field(
        default,
        "matrix",
        label,
        help,
        low=low,
        high=high,
        sizes=list(sizes),
        step=step,
        presets={k: [list(r) for r in v] for k, v in (presets or {}).items()} or None,
    )


def picture(default: str, *, label: str, help: str = "") -> Any:  # noqa: A002
    """A built-in picture, an upload or a shot by the camera. The field's type is `Picture`."""
    return _field(default, "picture", label, help, max_length=64)


def blocks(
    default: Any,
    *,
    label: str,
    high: int,
    help: str = "",  # noqa: A002
) -> Any:
    """A list of network blocks, 1 to `high`. The field's type is a tuple of a Block union."""
    return _field(default, "blocks", label, help, min_length=1, max_length=high)


def drawing(*, label: str, side: int = 28, help: str = "") -> Any:  # noqa: A002
    """A square drawn by hand: side² grey values, 0 (paper) to 255 (ink), row by row.

    The field's type is `tuple[int, ...]`; empty means that nothing is drawn yet.
    """
    return _field((), "drawing", label, help, side=side)


def picture_fields(model: type[BaseModel]) -> list[str]:
    """The names of a model's picture fields."""
    return [name for name, field in model.model_fields.items() if control_of(field) == "picture"]


def control_of(field: Any) -> str:
    """The control that a field was made for, or ""."""
    extra = field.json_schema_extra
    return str(extra.get("control", "")) if isinstance(extra, dict) else ""
