"""Every case against models that are written here by hand in PyTorch; every sentence against them.

The arithmetic is held against torch for any layer and any shape.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn

from labs.catalog.shape_detective import compute, questions
from labs.catalog.shape_detective.arithmetic import worked
from labs.catalog.shape_detective.cases import CASES
from labs.catalog.shape_detective.changes import OPTIONS, Change, as_written, mended, misplaced
from labs.catalog.shape_detective.faults import Examined, examine
from labs.catalog.shape_detective.lab import LAB, Params
from labs.catalog.shape_detective.layers import (
    PERMUTE,
    RELU,
    RESHAPE,
    SOFTMAX,
    Layer,
    Shape,
    conv,
    dense,
    flatten,
    makes,
    written,
)
from labs.catalog.shape_detective.preview import preview
from labs.catalog.shape_detective.trial import Batch, Permute, Reshape, batch_of, module_of
from labs.catalog.shape_detective.verdict import suspect_event
from labs.testing import PlainContext

C, L = nn.Conv2d, nn.Linear
SILENT = (8, 9, 10)


def two(one: nn.Module, other: nn.Module) -> tuple[nn.Module, ...]:
    return one, nn.ReLU(), nn.MaxPool2d(2), other, nn.ReLU(), nn.MaxPool2d(2)


def same(makes_first: int, makes_second: int, comes: int = 1) -> tuple[nn.Module, ...]:
    return two(C(comes, makes_first, 3, padding=1), C(makes_first, makes_second, 3, padding=1))


def by_hand(case: int, *, mended: bool) -> nn.Sequential:
    """The case's model, or its mend, written without a look at cases.py."""
    m = mended
    models: dict[int, Any] = {
        1: lambda: (
            *two(C(1, 32, 3), C(32, 64, 3)),
            *(nn.Flatten(), L(1600 if m else 3136, 128), nn.ReLU(), L(128, 10)),
        ),
        2: lambda: (
            *two(C(1, 32, 3, padding=1), C(32 if m else 16, 32, 3, padding=1)),
            *(nn.Flatten(), L(1568, 10)),
        ),
        3: lambda: (*same(16, 32), *([nn.Flatten()] if m else []), L(1568, 10)),
        4: lambda: (
            *(*same(16, 32), C(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), L(576 if m else 1024, 10)),
        ),
        5: lambda: (
            *two(C(1, 16, 5), C(16, 32, 5)),
            *(C(32, 64, 4 if m else 5), nn.ReLU(), nn.Flatten(), L(64, 10)),
        ),
        6: lambda: (*two(C(1, 8, 5), C(8, 16, 5)), nn.Flatten(int(m)), L(256, 10)),
        7: lambda: (*same(16, 32), nn.Flatten(), L(1568, 64), nn.ReLU(), L(64, 10 if m else 9)),
        8: lambda: (
            *(*same(16, 32), nn.Flatten(), L(1568, 64)),
            *([nn.ReLU()] if m else []),
            L(64, 10),
        ),
        9: lambda: (*same(8, 16), nn.Flatten(), L(784, 10), *([] if m else [nn.Softmax(1)])),
        10: lambda: (Permute() if m else Reshape(), *same(16, 32, 3), nn.Flatten(), L(1568, 10)),
    }
    return nn.Sequential(*models[case]())


def batch(case: int) -> Batch:
    digits = PlainContext().data("digits")
    return batch_of(CASES[case], digits.test_x, digits.test_y)


def tried(net: nn.Sequential, x: Tensor, y: Tensor) -> tuple[list[Shape], str]:
    """The shapes that the layers make, and what PyTorch raises in the end, if anything."""
    shapes: list[Shape] = []
    try:
        for module in net:
            x = module(x)
            shapes.append(tuple(x.shape))
        F.cross_entropy(x, y).backward()
    except (RuntimeError, IndexError, ValueError) as raised:
        return shapes, f"{type(raised).__name__}: {raised}"
    return shapes, ""


def events(**given_: Any) -> dict[str, Any]:
    found = [event for event in compute.run(Params(**given_), PlainContext()) if event]
    assert {e.name: e.kind for e in found} == {slot.name: slot.kind for slot in LAB.panel}
    return {event.name: event for event in found}


def the_mend(case: int) -> dict[str, Any]:
    layer, change, value = CASES[case].mend
    return {"case": case, "layer": layer, "change": change, "value": value}


@cache
def as_it_was(case: int) -> Examined:
    return examine(as_written(CASES[case]), batch(case), 0)


@cache
def shapes_by_hand(case: int) -> list[Shape]:
    return tried(by_hand(case, mended=False), batch(case).x, batch(case).y)[0]


# --- the cases


@pytest.mark.parametrize("case", CASES)
def test_the_broken_model_fails_as_pytorch_says_word_for_word(case: int) -> None:
    b = batch(case)
    shapes, error = tried(by_hand(case, mended=False), b.x, b.y)
    assert bool(error) == (case not in SILENT)
    found = events(case=case)
    note, rows = found["error"], found["model"].rows
    assert note.lines == ((error,) if error else ())
    assert [row[3] for row in rows[: len(shapes)]] == [written(shape) for shape in shapes]
    beyond = [row[3] for row in rows[len(shapes) :]]
    assert beyond == ["✗ stops here", *["not reached"] * 9][: len(beyond)]
    assert found["result"].figures["mended"] == 0


@pytest.mark.parametrize("case", CASES)
def test_the_mend_runs_forward_through_the_loss_and_back(case: int) -> None:
    b = batch(case)
    net = by_hand(case, mended=True)
    shapes, error = tried(net, b.x, b.y)
    assert not error and shapes[-1] == (10, 10)
    found = events(**the_mend(case))
    assert [row[3] for row in found["model"].rows] == [written(shape) for shape in shapes]
    assert found["mend"].tone == "right" and found["mend"].text.startswith("Mended. ")
    assert found["suspect"].tone == "right"
    counted = sum(p.numel() for p in net.parameters())
    assert found["result"].figures == {
        "found": 1,
        "mended": 1,
        "reached": len(shapes),
        "parameters": counted,
    }
    assert f"{counted:,} parameters" in found["mend"].lines[2]


@pytest.mark.parametrize("case", CASES)
def test_a_step_downhill_lowers_the_loss_of_the_mended_model(case: int) -> None:
    trial = examine(mended(CASES[case], Change(*CASES[case].mend)), batch(case), 0).trial
    assert abs(trial.loss - math.log(10)) < 0.1
    assert trial.after < trial.loss


def test_the_first_case_can_be_mended_by_its_number_or_by_its_padding() -> None:
    padded = events(case=1, layer=4, change="pad-all", value=1)
    assert padded["mend"].tone == "right" and "the author believed" in padded["mend"].text
    assert [row[3] for row in padded["model"].rows] == list(CASES[1].beliefs)
    assert "64×7×7" in CASES[1].beliefs and "3,136" in CASES[1].beliefs
    both = mended(CASES[1], Change(4, "pad-all", 1))
    changed = [p.layer.changed("in_features", 1600) if p.number == 8 else p.layer for p in both]
    shapes, error = tried(nn.Sequential(*map(module_of, changed)), batch(1).x, batch(1).y)
    assert shapes[-1] == (10, 3136) and "10x3136 and 1600x128" in error, "not both, as it says"


def test_the_trap_of_the_lost_batch_gets_past_the_layers_and_stops_at_the_loss() -> None:
    note = events(case=6, layer=8, change="in", value=2560)["mend"]
    assert note.tone == "wrong" and "the loss stops" in note.text
    net = nn.Sequential(*two(C(1, 8, 5), C(8, 16, 5)), nn.Flatten(0), L(2560, 10))
    assert note.lines == (tried(net, batch(6).x, batch(6).y)[1],)


def test_nine_classes_run_until_a_nine_comes() -> None:
    net, b = by_hand(7, mended=False), batch(7)
    assert not tried(net, b.x[:9], b.y[:9])[1]
    assert tried(net, b.x, b.y)[1] == "IndexError: Target 9 is out of bounds."


@pytest.mark.parametrize(
    ("case", "layer", "change", "value"),
    [(2, 1, "out", 16), (4, 9, "padding", 1), (5, 1, "padding", 2)],
)
def test_the_other_ways_that_the_cases_speak_of_mend_them(
    case: int, layer: int, change: str, value: int
) -> None:
    found = events(case=case, layer=layer, change=change, value=value)
    assert found["mend"].tone == "right" and "in another way" in found["mend"].text
    assert found["result"].figures["found"] == 0
    assert found["suspect"].text == CASES[case].also[layer]


# --- what is wrong though it runs


def test_a_softmax_before_the_loss_keeps_it_above_the_floor_that_is_told() -> None:
    floor = -math.log(math.e / (math.e + 9))
    assert f"{floor:.3f}" == "1.461"
    assert "1.461" in events(case=9)["error"].text and "1.46," in CASES[9].story
    sure = F.cross_entropy(torch.eye(10), torch.arange(10)).item()
    assert math.isclose(sure, floor, rel_tol=1e-6)
    logits = F.cross_entropy(100 * torch.eye(10), torch.arange(10)).item()
    assert logits < 1e-6, "without the softmax the loss does come near 0"


def test_two_dense_layers_in_a_row_are_one() -> None:
    net = by_hand(8, mended=False)
    one, two_ = net[7], net[8]
    assert isinstance(one, L) and isinstance(two_, L)
    merged = L(1568, 10)
    merged.weight.data = two_.weight @ one.weight
    merged.bias.data = two_.weight @ one.bias + two_.bias
    x = torch.randn(5, 1568)
    assert torch.allclose(merged(x), two_(one(x)), atol=1e-5)
    assert sum(p.numel() for m in (one, two_) for p in m.parameters()) == 101_066
    assert sum(p.numel() for p in merged.parameters()) == 15_690
    lines = events(case=8, layer=9, change="relu")["mend"].lines
    assert any("101,066" in line for line in lines) and any("15,690" in line for line in lines)


def test_reshape_shows_the_convolution_another_picture_and_permute_the_same() -> None:
    b = batch(10)
    assert b.x.shape == (10, 28, 28, 3) and b.upright.shape == (10, 3, 28, 28)
    assert not torch.equal(Reshape()(b.x), b.upright)
    assert torch.equal(Permute()(b.x), b.upright)
    assert torch.equal(Reshape()(b.x)[:, 0].flatten(1), b.x.flatten(1)[:, :784])


def test_more_outputs_than_classes_and_a_relu_at_the_end_are_not_a_mend() -> None:
    more = events(case=7, layer=10, change="out", value=12)["mend"]
    assert more.tone == "wrong" and "12 outputs for ten classes: 2 are never right" in more.text
    last = events(case=8, layer=9, change="relu")["mend"]
    assert last.tone == "wrong" and "A ReLU comes last" in last.text


def test_moving_the_axes_of_maps_is_not_a_mend() -> None:
    note = events(case=2, layer=4, change="permute")["mend"]
    assert note.tone == "wrong" and "32×14×14 becomes 14×32×14" in note.text


# --- every sentence


@pytest.mark.parametrize("case", CASES)
def test_every_layer_that_one_can_suspect_gets_a_true_sentence(case: int) -> None:
    about, shapes = CASES[case], shapes_by_hand(case)
    came = [tuple(batch(case).x.shape), *shapes]
    for layer in range(1, len(about.layers) + 1):
        note = suspect_event(about, layer, as_it_was(case).trial)
        assert (note.tone == "right") == (layer == about.culprit)
        if layer > len(shapes) + 1:
            assert "never gets to" in note.text and f"at layer {len(shapes) + 1}," in note.text
            assert not note.lines
            continue
        assert note.lines[0] == f"comes {written(came[layer - 1])}"
        if layer <= len(shapes) and layer not in (about.culprit, *about.also):
            assert written(shapes[layer - 1]) in note.text
            agrees = written(shapes[layer - 1]) == about.beliefs[layer - 1]
            assert ("The author believed so too." in note.text) == agrees
        if layer <= len(shapes):
            assert any(written(shapes[layer - 1]).split()[0] in line for line in note.lines)


@pytest.mark.parametrize("case", CASES)
def test_the_case_that_is_not_solved_does_not_name_its_layer(case: int) -> None:
    about = CASES[case]
    quiet = next(n for n in range(1, 12) if n != about.culprit)
    found = events(case=case, layer=quiet)
    assert about.why not in found["suspect"].text
    if case in SILENT:
        assert f"layer {about.culprit}" not in found["error"].text


def small_changes(case: int, *layers: int) -> Iterator[Change]:
    about = CASES[case]
    for layer in layers:
        for what in ("flatten", "relu", "permute", "remove"):
            yield Change(layer, what, 0)
        for what, value in (("in", 32), ("padding", 2), ("stride", 3), ("start", 2)):
            if not misplaced(about, layer, what):
                yield Change(layer, what, value)


def assert_it_tells_what_pytorch_makes(case: int, change: Change) -> None:
    """And the arithmetic knows without torch where it stops."""
    b, model = batch(case), mended(CASES[case], change)
    net = nn.Sequential(*(module_of(placed.layer) for placed in model))
    shapes, error = tried(net, b.x, b.y)
    told: list[Shape] = []
    came: Shape | None = tuple(b.x.shape)
    for placed in model:
        came = makes(placed.layer, came) if came else None
        told += [came] if came else []
    assert told == shapes, change
    now = examine(model, b, 0)
    assert [now.trial.made(n) for n in range(len(now.trial.outputs))] == shapes
    assert now.trial.error == error, change
    assert not (now.is_sound and error)


@pytest.mark.parametrize("case", CASES)
def test_whatever_is_changed_at_the_fault_the_page_tells_what_pytorch_makes(case: int) -> None:
    for change in small_changes(case, CASES[case].culprit):
        assert_it_tells_what_pytorch_makes(case, change)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_whatever_is_changed_anywhere_the_page_tells_what_pytorch_makes(case: int) -> None:
    for change in small_changes(case, *range(1, len(CASES[case].layers) + 1)):
        assert_it_tells_what_pytorch_makes(case, change)


# --- the arithmetic

SIDES = st.integers(1, 12)
LAYERS = st.one_of(
    st.builds(
        lambda c, f, k, s, p: conv(c, f, k, p).changed("stride", s),
        *(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4)),
        st.integers(0, 3),
    ),
    st.builds(
        lambda k, s, p: Layer("MaxPool2d", (("kernel_size", k), ("stride", s), ("padding", p))),
        *(st.integers(1, 5), st.integers(1, 4), st.integers(0, 3)),
    ),
    st.builds(dense, st.integers(1, 12), st.integers(1, 4)),
    st.builds(flatten, st.integers(0, 3)),
    st.sampled_from([RELU, SOFTMAX, PERMUTE, RESHAPE]),
)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(1, 3), SIDES, SIDES),
    st.tuples(st.integers(1, 3), SIDES),
    st.tuples(SIDES),
)


@given(LAYERS, SHAPES)
def test_the_arithmetic_makes_what_pytorch_makes(layer: Layer, came: Shape) -> None:
    try:
        made: Shape | None = tuple(module_of(layer)(torch.zeros(came)).shape)
    except (RuntimeError, IndexError):
        made = None
    assert makes(layer, came) == made
    lines = worked(layer, came)
    assert lines and check(*lines) >= 0
    if made is not None and layer.kind != "Flatten":
        assert f"makes {written(made)}" in lines


PRODUCT = re.compile(r"(?<![\d·.])(\d[\d,]*(?:·\d[\d,]*)+) = (\d[\d,]*)")
FLOOR = re.compile(r"⌊\((\d+) \+ 2·(\d+) − (\d+)\) / (\d+)⌋ \+ 1 = (?:⌊[^⌋]+⌋ \+ 1 = )?(−?\d+)")


def whole(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-"))


def check(*texts: str) -> int:
    """Does each product and each window count in the texts come out? How many there were."""
    count = 0
    for text in texts:
        for factors, product in PRODUCT.findall(text):
            assert math.prod(map(whole, factors.split("·"))) == whole(product), text
            count += 1
        for side, padding, kernel, stride, found in FLOOR.findall(text):
            n = math.floor((int(side) + 2 * int(padding) - int(kernel)) / int(stride)) + 1
            assert n == whole(found), text
            count += 1
    return count


@pytest.mark.parametrize("case", CASES)
def test_the_products_in_the_texts_come_out(case: int) -> None:
    about = CASES[case]
    check(about.story, about.why, *about.lines, *about.also.values())
    found = events(case=case, layer=about.culprit)
    assert check(*found["suspect"].lines, *(row[4] for row in found["model"].rows)) >= 3


# --- what may be asked


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"case": 3, "layer": 8}, "This model has the layers 1 to 7. Choose one of them."),
        (
            {"layer": 3, "change": "in"},
            "Layer 3 is MaxPool2d and has no in_channels or in_features. "
            "It has kernel_size and stride and padding.",
        ),
        (
            {"layer": 2, "change": "stride"},
            "Layer 2 is ReLU and has no stride. It has no settings that can be changed here.",
        ),
        ({"change": "remove"}, "Name the layer first: its number is in the table."),
        (
            {"layer": 8, "change": "in", "value": 3136},
            "in_features is 3,136 already. Give another number.",
        ),
        (
            {"layer": 1, "change": "kernel", "value": 28},
            "kernel_size must lie between 1 and 11 here. 28 does not.",
        ),
        ({"change": "pad-all", "value": 0}, "padding is 0 already. Give another number."),
    ],
)
def test_it_refuses_what_cannot_be_changed_and_says_what_can(
    given_: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Params(**given_)
    assert [error["msg"] for error in refused.value.errors()] == [says]
    assert says in preview({"case": 1, **given_})[0].lines[0]  # type: ignore[attr-defined]


def test_the_preview_shows_the_model_and_gives_nothing_away() -> None:
    for number, case in CASES.items():
        story, table = preview({"case": number})
        assert case.story in story.text  # type: ignore[attr-defined]
        rows = table.rows  # type: ignore[attr-defined]
        assert [row[2] for row in rows] == list(case.beliefs)
        assert len(rows) == len(case.layers) == len(case.beliefs)
        assert case.why not in story.text  # type: ignore[attr-defined]


def test_every_option_is_a_change_that_some_layer_can_have() -> None:
    assert set(OPTIONS) == set(Params.model_fields["change"].annotation.__args__)  # type: ignore[union-attr]
    for what in OPTIONS:
        assert any(
            not misplaced(case, layer, what)
            for case in CASES.values()
            for layer in range(1, len(case.layers) + 1)
        )


# --- the questions


def test_the_answers_to_the_questions_are_pytorchs() -> None:
    for seed in range(20):
        asked = questions.questions(Params(), {}, Random(seed))
        row, shape, error, _ = asked
        H, K, F1, F2 = _row(row.ask)
        P = int(match[1]) if (match := re.search(r"padding (\d)", row.ask)) else 0
        net = nn.Sequential(*two(C(1, F1, K, padding=P), C(F1, F2, K, padding=P)), nn.Flatten())
        assert net(torch.zeros(1, 1, H, H)).shape[1] == row.answer  # type: ignore[attr-defined]
        came = re.search(r"Maps of (\d+)×(\d+)×(\d+) meet (.+?)\. What", shape.ask)
        assert came
        layer = eval(f"nn.{came[4]}")
        made = layer(torch.zeros(1, *(int(came[n]) for n in (1, 2, 3)))).shape[1:]
        assert tuple(made) == shape.answer  # type: ignore[attr-defined]
        said = re.search(r"\((\d+)x(\d+) and (\d+)x(\d+)\)", error.ask)
        assert said
        b, comes, wanted, units = map(int, said.groups())
        with pytest.raises(RuntimeError, match=re.escape(said[0])):
            L(wanted, units)(torch.zeros(b, comes))
        assert L(int(error.answer), units)(torch.zeros(b, comes)).shape == (b, units)  # type: ignore[attr-defined]
        assert check(row.solution, shape.solution) >= 2


def _row(ask: str) -> tuple[int, int, int, int]:
    found = re.search(r"of (\d+)×\d+ go through a (\d)×\d convolution with (\d+) filters", ask)
    last = re.search(r"convolution with (\d+) filters and", ask)
    assert found and last
    return int(found[1]), int(found[2]), int(found[3]), int(last[1])


def test_the_goal_is_met_by_a_mended_run() -> None:
    for figures in ({"mended": 1.0, "found": 1.0}, {"mended": 0.0, "found": 1.0}):
        goal = questions.questions(Params(), figures, Random(0))[-1]
        assert goal.mark("").right == bool(figures["mended"])
