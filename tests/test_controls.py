"""From Params to a form and back: what is decoded, what is refused, and in which words."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any, Literal

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from labs import params
from labs.controls import Control, Option, controls_for, decode, validate
from labs.data import registry
from labs.params import blocks, choice, drawing, matrix, picture, refuse, slider, switch

IDENTITY = ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0))


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Convolution(Block):
    """Slides kernels over the picture."""

    kind: Literal["conv"] = "conv"
    channels: int = slider(8, low=1, high=64, label="Channels")
    batch_norm: bool = switch(False, label="Batch norm")


class Pool(Block):
    kind: Literal["pool"] = "pool"
    mode: Literal["max", "average"] = choice("max", ["max", "average"], label="Mode")
    side: int = slider(2, low=1, high=9, label="Side")

    @field_validator("side")
    @classmethod
    def is_even(cls, side: int) -> int:
        if side % 2:
            raise refuse("A pool's side must be even.")
        return side


class Sample(params.Params):
    stride: int = slider(1, low=1, high=4, label="Stride", unit="pixels", help="How far it moves.")
    rate: float = slider(0.1, low=0.0001, high=1, step=0.0001, label="Rate", log=True)
    padding: Literal["none", "same"] = choice("none", {"same": "Same", "none": "None"}, label="Pad")
    dilation: Literal[1, 2] = choice(1, {"1": "One", "2": "Two"}, label="Dilation")
    flip: bool = switch(True, label="Flip")
    kernel: params.Rows = matrix(IDENTITY, label="Kernel", low=-9, high=9, sizes=(3, 5))
    photo: params.Picture = picture("coffee", label="Picture")
    net: tuple[Annotated[Convolution | Pool, Field(discriminator="kind")], ...] = blocks(
        (Convolution(),), label="Network", high=3
    )
    digit: tuple[int, ...] = drawing(label="Digit", side=2)

    @field_validator("dilation")
    @classmethod
    def fits(cls, value: int, info: ValidationInfo) -> int:
        if value == 2 and info.data.get("stride") == 4:
            raise refuse("A stride of 4 allows a dilation of 1.")
        return value


def form(**fields: str) -> QueryDict:
    post = QueryDict(mutable=True)
    post.update(fields)
    return post


def errors_of(**fields: str) -> dict[str, str]:
    return validate(Sample, decode(Sample, form(**fields)))[1]


def by_name(controls: list[Control]) -> dict[str, Control]:
    return {control.name: control for control in controls}


def test_an_empty_form_gives_the_defaults() -> None:
    made, errors = validate(Sample, decode(Sample, form()))
    assert (made, errors) == (Sample(), {})


def test_every_control_comes_back_as_it_was_sent() -> None:
    given_ = {c.name: c.text for c in controls_for(Sample, {}) if c.text}
    made, errors = validate(Sample, decode(Sample, form(**given_)))
    assert (made, errors) == (Sample(), {})


def test_it_decodes_to_the_types_that_json_has() -> None:
    post = form(stride="3", rate="0.25", dilation="2", flip="false", kernel="[[1]]", digit="[0]")
    assert decode(Sample, post) == {
        "stride": 3,
        "rate": 0.25,
        "dilation": 2,
        "flip": False,
        "kernel": [[1]],
        "digit": [0],
    }


def test_a_checked_switch_wins_over_its_hidden_false() -> None:
    assert decode(Sample, QueryDict("flip=false&flip=true")) == {"flip": True}
    assert decode(Sample, QueryDict("flip=false")) == {"flip": False}


def test_what_belongs_to_the_page_is_not_a_param() -> None:
    assert decode(Sample, form(csrfmiddlewaretoken="x", seed="3", number="12")) == {}


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("stride", "5", "Stride must be a whole number from 1 to 4 pixels."),
        ("stride", "1.5", "Stride must be a whole number from 1 to 4 pixels."),
        ("stride", "", "Stride must be a whole number from 1 to 4 pixels."),
        ("rate", "nan", "Rate must be a number from 0.0001 to 1."),
        ("rate", "1e999", "Rate must be a number from 0.0001 to 1."),
        ("padding", "some", "Pad must be one of these: Same, None."),
        ("dilation", "3", "Dilation must be one of these: One, Two."),
        ("flip", "perhaps", "Flip must be on or off."),
        ("kernel", "[[1, 2], [3, 4]]", "The grid must be square: 3×3 or 5×5."),
        ("kernel", "[[10,0,0],[0,0,0],[0,0,0]]", "Each cell must lie between −9 and 9."),
        ("kernel", '[["a"]]', "Kernel must be a square grid of numbers from −9 to 9."),
        ("kernel", "[[", "Kernel could not be read: it is not valid JSON."),
        ("kernel", "[[NaN]]", "Kernel could not be read: it is not valid JSON."),
        ("kernel", "[" * 50_000, "Kernel could not be read: it is not valid JSON."),
        ("kernel", "9" * 70_000, "Kernel is longer than 60,000 characters."),
        ("photo", "x" * 65, "Picture must name a picture of the site or one of yours."),
        ("digit", "[1]", "A drawing has 4 grey values from 0 to 255."),
        ("digit", '["a"]', "Digit must hold whole numbers from 0 to 255."),
        ("net", "[]", "Network must have from 1 to 3 blocks."),
        ("net", "3", "Network must have from 1 to 3 blocks."),
        ("net", '[{"kind": "dense"}]', "Block 1 must be one of these: Convolution, Pool."),
        ("net", '["conv"]', "Block 1 must be one of these: Convolution, Pool."),
        ("stolen", "1", "“stolen” is not a setting of this lab. Take it out."),
    ],
)
def test_it_says_what_is_allowed(field: str, text: str, says: str) -> None:
    errors = errors_of(**{field: text})
    assert list(errors) == [field]
    assert errors[field].startswith(says)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (
            {"kind": "conv", "channels": 65},
            "Block 2 (Convolution): Channels must be a whole number from 1 to 64.",
        ),
        (
            {"kind": "conv", "batch_norm": "x"},
            "Block 2 (Convolution): Batch norm must be on or off.",
        ),
        (
            {"kind": "pool", "mode": "min"},
            "Block 2 (Pool): Mode must be one of these: max, average.",
        ),
        ({"kind": "pool", "size": 2}, "Block 2 (Pool): “size” is not one of its settings."),
        ({"kind": "pool", "side": 3}, "Block 2 (Pool): A pool's side must be even."),
    ],
)
def test_it_names_the_block_at_fault(block: dict[str, Any], says: str) -> None:
    assert errors_of(net=json.dumps([{"kind": "conv"}, block])) == {"net": says}


def test_a_rule_across_fields_lands_at_its_field() -> None:
    assert errors_of(stride="4", dilation="2") == {
        "dilation": "A stride of 4 allows a dilation of 1."
    }


def test_each_wrong_field_gets_its_own_sentence() -> None:
    assert set(errors_of(stride="9", rate="9", padding="none")) == {"stride", "rate"}


def test_a_control_knows_its_bounds_unit_default_and_error() -> None:
    stride = by_name(controls_for(Sample, {"stride": 9}, {"stride": "Too far."}))["stride"]
    assert (stride.value, stride.default, stride.low, stride.high) == (9, 1, 1, 4)
    assert (stride.range, stride.whole, stride.error) == ("1 to 4 pixels", True, "Too far.")
    assert stride.template == "controls/slider.html"


def test_a_number_is_never_written_with_an_exponent() -> None:
    rate = by_name(controls_for(Sample, {"rate": 0.00001}))["rate"]
    assert (rate.text, rate.range) == ("0.00001", "0.0001 to 1")


def test_the_chosen_option_is_marked_also_where_values_are_numbers() -> None:
    dilation = by_name(controls_for(Sample, {"dilation": 2}))["dilation"]
    assert [(o.label, o.chosen) for o in dilation.options] == [("One", False), ("Two", True)]


def test_options_keep_the_order_of_the_lab() -> None:
    padding = by_name(controls_for(Sample, {}))["padding"]
    assert [option.value for option in padding.options] == ["same", "none"]


def test_the_learners_own_pictures_can_be_chosen() -> None:
    mine = Option("own:7", "my cat", url="/pictures/7/")
    photo = by_name(controls_for(Sample, {"photo": "own:7"}, pictures=[mine]))["photo"]
    chosen = [option for option in photo.options if option.chosen]
    assert [(o.value, o.label, o.url) for o in chosen] == [("own:7", "my cat", "/pictures/7/")]


def test_the_block_editor_learns_every_kind_with_its_fields() -> None:
    net = by_name(controls_for(Sample, {}))["net"]
    conv, pool = json.loads(net.schema_text)
    assert (conv["kind"], conv["label"], pool["label"]) == ("conv", "Convolution", "Pool")
    channels = conv["fields"][0]
    assert (channels["minimum"], channels["maximum"], channels["default"]) == (1, 64, 8)
    assert json.loads(net.text) == [{"kind": "conv", "channels": 8, "batch_norm": False}]


def test_an_error_without_a_control_is_shown_first() -> None:
    first = controls_for(Sample, {}, {"stolen": "Not a setting."})[0]
    assert (first.template, first.refused) == ("controls/refused.html", ("Not a setting.",))


def test_a_broken_matrix_still_shows_a_grid() -> None:
    kernel = by_name(controls_for(Sample, {"kernel": "[["}, {"kernel": "No."}))["kernel"]
    assert kernel.rows == [list(row) for row in IDENTITY]
    assert kernel.text == "[["


@given(st.dictionaries(st.sampled_from(list(Sample.model_fields)), st.text(max_size=40)))
def test_no_form_at_all_breaks_it(fields: dict[str, str]) -> None:
    values = decode(Sample, form(**fields))
    made, errors = validate(Sample, values)
    assert (made is None) == bool(errors)
    assert all(sentence.endswith(".") for sentence in errors.values())
    assert all(isinstance(control.text, str) for control in controls_for(Sample, values))


def test_the_words_of_a_refusal_need_no_django() -> None:
    code = "import labs.refusals, labs.fields, sys; print({'django'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_dataset_that_is_not_here_is_marked_unless_it_is_chosen_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "is_here", lambda name: False)

    class Learner(params.Params):
        data: Literal["digits", "mnist"] = choice(
            "digits", {"digits": "Digits", "mnist": "MNIST"}, label="Data", datasets=True
        )
        other: Literal["mnist", "x"] = choice("x", ["mnist", "x"], label="No dataset")

    def missing(**values: str) -> dict[str, tuple[bool, bool]]:
        data = by_name(controls_for(Learner, values))["data"]
        return {o.value: (o.missing, o.disabled) for o in data.options}

    assert missing() == {"digits": (False, False), "mnist": (True, True)}
    assert missing(data="mnist")["mnist"] == (True, False)
    assert not any(o.missing for o in by_name(controls_for(Learner, {}))["other"].options)


def test_it_needs_neither_torch_nor_numpy() -> None:
    code = "import labs.controls, sys; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
