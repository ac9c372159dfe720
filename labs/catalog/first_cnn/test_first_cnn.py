from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labs.catalog.first_cnn import compute, model, show
from labs.catalog.first_cnn.drawn import centred, reading
from labs.catalog.first_cnn.lab import LAB, Cell, Drawing, Params
from labs.catalog.first_cnn.preview import DEFAULT, preview
from labs.context import LabError
from labs.controls import validate
from labs.data.datasets import load
from labs.data.registry import REGISTRY
from labs.events import Bars, Curves, Event, Images, Matrix, Note, Progress, Result, Table
from labs.nets.blocks import Flatten
from labs.nets.shapes import walk
from labs.testing import MemoryArtifacts, PlainContext

SMALL: dict[str, Any] = {**LAB.tiny, "batch": 128, "epochs": 2}


def play(params: Params, ctx: PlainContext) -> list[Event]:
    return [event for event in compute.run(params, ctx) if event is not None]


def exact(value: Any) -> Any:
    """An event as nested tuples, tensors to the last bit."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.contiguous().numpy().tobytes()
    if dataclasses.is_dataclass(value):
        return type(value), *(exact(getattr(value, f.name)) for f in dataclasses.fields(value))
    return tuple(map(exact, value)) if isinstance(value, tuple | list) else value


def files(ctx: PlainContext) -> dict[str, bytes]:
    assert isinstance(ctx.artifacts, MemoryArtifacts)
    return ctx.artifacts.files


def first_layer(net: torch.nn.Sequential) -> torch.nn.Conv2d:
    layer = net[0]
    assert isinstance(layer, torch.nn.Conv2d)
    return layer


def named(events: list[Event], name: str) -> list[Any]:
    return [event for event in events if event.name == name]


@cache
def trained() -> tuple[list[Event], PlainContext]:
    """A run of four default epochs: enough to read most digits."""
    ctx = PlainContext(3)
    return play(Params(epochs=4), ctx), ctx


# --- the run


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    first, again, other = (exact(play(Params(**SMALL), PlainContext(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_curve_ends_where_the_result_is_also_on_a_large_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compute, "LOOKED_AT", 100)
    found = play(Params(**SMALL), PlainContext(1))
    curve = named(found, "accuracy")[-1].series[1].points
    result = named(found, "result")[-1].figures["test_accuracy"]
    assert curve[-1][1] == pytest.approx(result, abs=1e-5)
    assert round(result * 100, 4) % 1 > 0, "more than the first 100 were looked at"
    said = [event.sentence for event in named(found, "accuracy") if len(event.series[1].points)]
    assert "% of 100 pictures" in said[0] and "% of all pictures" in said[-1]


@pytest.mark.parametrize(
    ("more", "says"),
    [({}, "while it learns, with shifts."), ({"shifts": False}, "while it learns.")],
)
def test_it_says_why_training_may_lie_below_the_test(more: dict[str, Any], says: str) -> None:
    found = play(Params(**SMALL, **more), PlainContext(1))
    assert named(found, "accuracy")[-1].sentence.endswith(says)
    assert "with shifts and dropout." in named(trained()[0], "accuracy")[-1].sentence


class Saving(PlainContext):
    """Wants a checkpoint at every step, and keeps each with the number of events before it."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.save_wanted = True
        self.yielded = 0
        self.kept: list[tuple[int, dict[str, Any]]] = []

    def save(self, state: Any) -> None:
        super().save(state)
        assert self.saved is not None
        self.kept.append((self.yielded, self.saved))


@cache
def saving_run() -> tuple[Any, Saving]:
    ctx = Saving(1)
    events: list[Event] = []
    for event in compute.run(Params(**SMALL), ctx):
        if event is not None:
            events.append(event)
            ctx.yielded += 1
    return exact(events), ctx


def test_checkpoints_change_nothing() -> None:
    assert saving_run()[0] == exact(play(Params(**SMALL), PlainContext(1)))


@pytest.mark.parametrize("step", [1, 17, 31, 45, 62])
def test_a_run_that_was_stopped_yields_exactly_the_events_that_were_left(step: int) -> None:
    whole, ctx = saving_run()
    before, saved = ctx.kept[step - 1]
    assert saved["training"]["step"] == step
    resumed = PlainContext(1, saved=saved)
    assert exact(play(Params(**SMALL), resumed)) == whole[before:]
    assert files(resumed) == files(ctx)


def test_it_checkpoints_at_each_epoch_and_whenever_one_is_wanted() -> None:
    quiet, eager = PlainContext(1), PlainContext(1)
    play(Params(**SMALL), quiet)
    assert quiet.saves == 2
    eager.save_wanted = True
    play(Params(**SMALL), eager)
    assert eager.saves == 2 * (4000 // 128)


def test_it_shows_what_it_declares() -> None:
    events, _ = trained()
    kinds = {slot.name: slot.kind for slot in LAB.panel}
    assert {e.name for e in events} == set(kinds) | {"progress"}
    assert all(kinds.get(e.name, "progress") == e.kind for e in events)


@pytest.mark.parametrize("epochs", [1, 2, 12, 50])
@pytest.mark.parametrize("per_epoch", [7, 62, 937])
def test_about_fifty_picture_events_whatever_the_epochs(epochs: int, per_epoch: int) -> None:
    steps = epochs * per_epoch
    looks = show.look_steps(steps)
    assert max(looks) == steps
    assert len(looks) <= show.EARLY_LOOKS + show.LATER_LOOKS
    tests = show.test_steps(steps)
    assert max(tests) == steps and min(tests) >= 1 and len(tests) == min(steps, show.TESTS)
    assert 2 * (1 + len(looks)) + len(tests) <= 60


def test_a_curve_has_at_most_200_points_and_ends_where_the_run_ends() -> None:
    steps, per_epoch = 46_850, 937
    loss, accuracy = show.curves([0.5] * steps, [0.9] * steps, [[937, 0.9]], steps, per_epoch, 500)
    assert len(loss.series[0].points) <= 200
    assert loss.series[0].points[-1][0] == pytest.approx(50, abs=0.5)
    assert [series.role for series in accuracy.series] == ["train", "validation"]


def test_the_curve_is_the_mean_of_the_steps_between_its_points() -> None:
    loss, _ = show.curves([1.0, 3.0, 5.0, 7.0, 9.0], [0.0] * 5, [], 300, 10, 500)
    assert loss.series[0].points == ((0.2, 2.0), (0.4, 6.0))


def test_it_shows_every_kernel_of_the_first_layer_on_one_scale() -> None:
    events, ctx = trained()
    last: Images = named(events, "kernels")[-1]
    kept = model.from_bytes(ctx.artifacts.read("model.safetensors"))
    weights = first_layer(kept.net).weight
    assert torch.equal(torch.stack([i.values for i in last.items]), weights.detach()[:, 0])
    assert {(i.low, i.high) for i in last.items} == {
        (-weights.abs().max().item(), weights.abs().max().item())
    }


def test_the_confusion_matrix_counts_all_test_pictures_and_agrees_with_the_result() -> None:
    events, _ = trained()
    matrix: Matrix = named(events, "confusion")[-1]
    result: Result = named(events, "result")[-1]
    assert sum(map(sum, matrix.values)) == 1000
    assert [sum(row) for row in matrix.values] == [100] * 10
    right = sum(matrix.values[n][n] for n in range(10))
    assert result.figures["test_accuracy"] == pytest.approx(right / 1000)
    assert named(events, "accuracy")[-1].series[1].points[-1][1] == pytest.approx(right / 1000)
    assert matrix.ask == "cell" and matrix.meaning == "counts"


def test_the_errors_shown_are_wrong_and_the_surest_first() -> None:
    events, _ = trained()
    shown: Images = named(events, "errors")[-1]
    assert 0 < len(shown.items) <= 12
    for item in shown.items:
        taken, true = item.label.split(", not ")
        assert taken != true
    sure = [float(item.detail.split()[0]) for item in shown.items]
    assert sure == sorted(sure, reverse=True)


def test_its_result_tells_accuracy_and_parameters() -> None:
    events, _ = trained()
    figures = named(events, "result")[-1].figures
    assert figures["test_accuracy"] > 0.9
    assert figures["parameters"] == walk(DEFAULT, (1, 28, 28), 10).parameters == 80858


def test_a_network_without_convolutions_runs_and_says_that_it_has_no_kernels() -> None:
    params = Params(epochs=1, batch=512, blocks=(Flatten(),))
    events = play(params, PlainContext())
    assert named(events, "kernels")[-1].items == ()
    assert "no convolution" in named(events, "maps")[-1].sentence
    assert isinstance(events[-1], Result)


def test_weights_that_run_away_end_the_run_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cross_entropy = F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", lambda *a, **k: cross_entropy(*a, **k) * float("inf"))
    with pytest.raises(LabError, match=r"no longer a number.*Take a learning rate below 0.005"):
        play(Params(**SMALL), PlainContext())


def test_it_says_what_ran() -> None:
    _, ctx = trained()
    assert ctx.told["dtype"] in ("bfloat16 (autocast)", "float32")
    assert ctx.told["reloaded"] == "same logits on 100 pictures"


# --- the files


def test_the_saved_model_answers_as_the_run_did() -> None:
    events, ctx = trained()
    kept = model.from_bytes(ctx.artifacts.read("model.safetensors"))
    data = load("digits")
    with torch.inference_mode():
        predicted = kept.net(kept.scale.apply(data.test_x)).argmax(1)
    accuracy = (predicted == data.test_y).double().mean().item()
    assert accuracy == pytest.approx(named(events, "result")[-1].figures["test_accuracy"], abs=2e-3)
    answers = model.arrays_from_bytes(ctx.artifacts.read("predictions.safetensors"))
    assert (answers["predicted"] != predicted).sum() <= 2, "one chunk rounds as another does"
    assert torch.equal(answers["true"], data.test_y)


def test_model_json_says_all_that_it_takes_to_use_the_weights() -> None:
    _, ctx = trained()
    about = json.loads(ctx.artifacts.read("model.json"))
    assert about["classes"] == list("0123456789") and about["dataset"] == "digits"
    assert [block["kind"] for block in about["blocks"]][:3] == [
        "convolution",
        "activation",
        "pooling",
    ]
    assert 0 < about["normalisation"]["mean"] < 1 and about["parameters"] == 80858


def test_a_model_that_came_back_different_is_not_handed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    to_bytes = model.to_bytes

    def broken(made: model.Model) -> bytes:
        with torch.no_grad():
            content = to_bytes(made)
            first_layer(made.net).weight.add_(1e-3)
        return content

    monkeypatch.setattr(model, "to_bytes", broken)
    ctx = PlainContext()
    with pytest.raises(RuntimeError, match="answers otherwise"):
        play(Params(**SMALL), ctx)
    assert files(ctx) == {}


# --- params


def test_the_default_fits_its_claim_of_fewer_than_100_000_parameters() -> None:
    assert walk(DEFAULT, (1, 28, 28), 10).parameters < 100_000
    assert all(LAB.params.model_validate(dict(claim.params)) for claim in LAB.claims[:1])


def refused(**values: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        Params(**values)
    return {str(error["loc"][0]): error["msg"] for error in caught.value.errors()}


def test_a_fault_is_answered_at_the_blocks_with_its_arithmetic() -> None:
    errors = refused(blocks=[{"kind": "pooling", "size": 4}] * 3)
    assert list(errors) == ["blocks"] and "⌊(1 − 4) / 4⌋ + 1 = 0" in errors["blocks"]


def test_too_many_parameters_are_refused_with_the_layer_and_what_is_allowed() -> None:
    blocks = [{"kind": "convolution", "filters": 256}, {"kind": "flatten"}]
    errors = refused(blocks=[*blocks, {"kind": "dense", "units": 1024}])
    assert "at most 5,000,000 are allowed" in errors["blocks"] and "layer 3" in errors["blocks"]


def test_more_than_nineteen_blocks_or_fifty_epochs_are_refused() -> None:
    assert "blocks" in refused(blocks=[{"kind": "activation"}] * 19 + [{"kind": "flatten"}])
    assert "epochs" in refused(epochs=51)


def test_a_run_that_would_take_too_long_is_refused_at_the_blocks() -> None:
    convolution = {"kind": "convolution", "filters": 64, "size": 5}
    blocks = [convolution, {"kind": "pooling"}] * 2
    errors = refused(epochs=50, batch=32, blocks=[*blocks, {"kind": "flatten"}])
    assert "50 epochs × 4,000 pictures" in errors["blocks"]


def test_a_dataset_that_is_not_here_is_refused_with_how_to_bring_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("CONVOLAB_DATA", str(tmp_path))
    errors = refused(dataset="fashion-mnist")
    assert "manage.py datasets fetch fashion-mnist" in errors["dataset"]


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
block_like = st.fixed_dictionaries(
    {"kind": st.sampled_from(["convolution", "pooling", "flatten", "dense", "norm", "no"]) | junk},
    optional={"filters": st.integers(-9, 999) | junk, "size": st.integers(-9, 99) | junk},
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "blocks": st.lists(block_like | junk, max_size=25) | junk,
            "epochs": st.integers() | junk,
            "batch": st.integers() | junk,
            "dataset": st.sampled_from(list(REGISTRY)) | junk,
        },
    )
)
def test_hostile_forms_are_refused_or_kept_in_bounds_and_the_preview_never_fails(
    values: dict[str, Any],
) -> None:
    shown = preview(values)
    assert [type(event) for event in shown] == [Table, Note]
    assert len(shown[0].rows) * len(shown[0].columns) <= 200  # type: ignore[attr-defined]
    try:
        params = Params(**values)
    except ValidationError:
        return
    assert shown[1].tone == "right"  # type: ignore[attr-defined]
    assert walk(params.blocks, (1, 28, 28), 10).parameters <= 5_000_000


def test_the_preview_names_the_layer_at_fault_and_shows_those_before_it() -> None:
    table, note = preview({"blocks": [{"kind": "convolution"}, {"kind": "dense"}]})
    assert isinstance(table, Table) and isinstance(note, Note)
    assert len(table.rows) == 1 and table.rows[0][1] == "16×28×28"
    assert note.tone == "wrong" and note.text.startswith("Layer 2, dense, 64 units")


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (
            {"kind": "convolution", "filters": ""},
            "Block 2 (Convolution): Filters must be a whole number from 1 to 256.",
        ),
        (
            {"kind": "convolution", "size": 4},
            "Block 2 (Convolution): A kernel's size must be odd (1, 3, 5 or 7), so that it has a"
            " middle.",
        ),
        (
            {"kind": "dropout", "rate": "."},
            "Block 2 (Dropout): Share set to zero must be a number from 0 to 0.9.",
        ),
        ({"kind": "convolution", "no": 1}, "Block 2 (Convolution): “no” is not one of its"),
        ({"kind": "x"}, "Block 2 must be one of these: Convolution, Activation, Pooling"),
        ("x", "Block 2 must be one of these: Convolution"),
    ],
)
def test_a_block_that_is_half_typed_is_refused_in_words_before_the_run_and_at_it(
    block: Any, says: str
) -> None:
    blocks = [{"kind": "pooling"}, block, {"kind": "flatten"}]
    table, note = preview({"blocks": blocks})
    assert isinstance(table, Table) and isinstance(note, Note)
    assert len(table.rows) == 1, "the layers before it are shown"
    assert note.text.startswith(says)
    assert validate(Params, {"blocks": blocks})[1]["blocks"] == note.text


@pytest.mark.parametrize("blocks", [[], 3, None, [{"kind": "activation"}] * 20])
def test_a_network_of_no_length_says_how_long_one_is(blocks: Any) -> None:
    assert "Network must have from 1 to 19 blocks." in preview({"blocks": blocks})[1].text  # type: ignore[attr-defined]


def test_the_columns_of_the_preview_say_what_stands_in_them() -> None:
    table = preview({})[0]
    assert isinstance(table, Table)
    assert table.columns[2] == "Size, worked out" and table.columns[4] == "Parameters, worked out"


# --- the follow-ups


def ask(digit: torch.Tensor) -> list[Event]:
    values = tuple(digit.flatten().tolist())
    return [e for e in compute.draw(Drawing(drawing=values), trained()[1]) if e is not None]


def test_drawn_digits_are_read_wherever_they_stand_on_the_paper() -> None:
    data = load("digits")
    read = []
    for n in range(40):
        small = F.interpolate(data.test_x[n : n + 1].float(), 22)[0, 0].to(torch.uint8)
        moved = F.pad(small, [(0, 6), (6, 0)][n % 2] + [(6, 0), (0, 6)][n // 2 % 2])
        bars = ask(moved)[0]
        assert isinstance(bars, Bars)
        read.append(bars.highlight == data.test_y[n])
    assert sum(read) >= 34, f"{sum(read)} of 40"


def test_the_probabilities_of_a_drawing_sum_to_one_and_the_sentence_names_the_largest() -> None:
    bars, seen, maps = ask(load("digits").test_x[0, 0])
    assert isinstance(bars, Bars) and bars.highlight is not None
    assert sum(value for _, value in bars.bars) == pytest.approx(100, abs=0.1)
    assert max(bars.bars, key=lambda bar: bar[1]) == bars.bars[bars.highlight]
    assert bars.sentence == reading(
        bars.bars[bars.highlight][0], bars.bars[bars.highlight][1] / 100
    )
    assert [event.name for event in (bars, seen, maps)] == ["reading", "seen", "drawn-maps"]


@pytest.mark.parametrize("drawing", [(), (0,) * 784])
def test_an_empty_drawing_takes_back_what_was_read(drawing: tuple[int, ...]) -> None:
    found = list(compute.draw(Drawing(drawing=drawing), trained()[1]))
    assert [event.name for event in found if event] == ["reading", "seen", "drawn-maps"]
    bars = found[0]
    assert isinstance(bars, Bars) and bars.bars == ()
    assert "no ink yet" in bars.sentence


def test_one_dot_of_ink_is_read_without_a_fault() -> None:
    dot = torch.zeros(28, 28, dtype=torch.uint8)
    dot[0, 27] = 1
    assert isinstance(ask(dot)[0], Bars)


@pytest.mark.parametrize(
    ("top", "left", "height", "width"), [(0, 0, 9, 3), (10, 12, 16, 16), (27, 0, 2, 28)]
)
def test_a_drawing_is_sized_to_20_pixels_and_centred_by_its_mass(
    top: int, left: int, height: int, width: int
) -> None:
    drawing = torch.zeros(28, 28, dtype=torch.uint8)
    drawing[top : top + height, left : left + width] = 200
    made = centred(drawing)[0].double()
    rows, columns = made.sum(1), made.sum(0)
    places = torch.arange(28).double()
    assert made.max() == 200
    assert max((rows > 0).sum(), (columns > 0).sum()) == 20
    assert float(rows @ places / rows.sum()) == pytest.approx(14, abs=0.51)
    assert float(columns @ places / columns.sum()) == pytest.approx(14, abs=0.51)
    tall, wide = int((rows > 0).sum()), int((columns > 0).sum())
    assert tall / wide == pytest.approx(height / width, rel=0.3)


def test_mnist_itself_is_hardly_changed_by_the_centring() -> None:
    x = load("digits").test_x[:50]
    moved = torch.stack([centred(picture[0]) for picture in x])
    difference = (moved.float() - x.float()).abs().mean(dim=(1, 2, 3))
    assert difference.median() == 0, "most come back as they were"
    assert difference.mean() < 3, "of 255"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("7", "It reads a 7 (93 %)."),
        ("8", "It reads an 8 (93 %)."),
        ("bag", "It takes it for “bag” (93 %)."),
    ],
)
def test_the_reading_is_a_sentence(name: str, says: str) -> None:
    assert reading(name, 0.931) == says


def test_a_cell_shows_the_pictures_that_it_counts() -> None:
    events, ctx = trained()
    matrix: Matrix = named(events, "confusion")[-1]
    true, taken = max(
        ((r, c) for r in range(10) for c in range(10) if r != c),
        key=lambda cell: matrix.values[cell[0]][cell[1]],
    )
    (found,) = compute.cell(Cell(row=true, column=taken), ctx)
    assert isinstance(found, Images) and len(found.items) == matrix.values[true][taken]
    data = load("digits")
    for item in found.items:
        n = int(item.label.split()[1]) - 1
        assert data.test_y[n] == true and torch.equal(item.values, data.test_x[n, 0])


def test_a_full_cell_shows_twenty_four() -> None:
    (found,) = compute.cell(Cell(row=0, column=0), trained()[1])
    assert isinstance(found, Images)
    assert len(found.items) == 24 and "first 24" in found.sentence


def test_an_empty_cell_says_so() -> None:
    events, ctx = trained()
    matrix: Matrix = named(events, "confusion")[-1]
    row, column = next((r, c) for r in range(10) for c in range(10) if not matrix.values[r][c])
    (found,) = compute.cell(Cell(row=row, column=column), ctx)
    assert isinstance(found, Images)
    assert found.items == () and found.sentence.startswith("0 test pictures")


def test_progress_goes_from_nothing_to_all() -> None:
    progress: list[Progress] = named(trained()[0], "progress")
    assert (progress[0].done, progress[-1].done) == (0, progress[-1].total)
    assert [p.done for p in progress] == sorted(p.done for p in progress)


def test_curves_are_kept_on_one_pair_of_axes_each() -> None:
    loss, accuracy = named(trained()[0], "loss")[-1], named(trained()[0], "accuracy")[-1]
    assert isinstance(loss, Curves) and isinstance(accuracy, Curves)
    assert loss.series[0].points[-1][0] == pytest.approx(4, abs=0.05)
    assert "in the test on" in accuracy.sentence
