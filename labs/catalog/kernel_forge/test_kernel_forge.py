"""The map against torch and closed forms; the words against the numbers that they speak of."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.catalog.kernel_forge import compute, forge
from labs.catalog.kernel_forge.lab import LAB, PRESETS, Params
from labs.context import LabError
from labs.data.pictures import load
from labs.testing import PlainContext


def noise(height: int = 20, width: int = 27, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def events(picture: np.ndarray | None = None, **changes: Any) -> dict[str, Any]:
    ctx: Any = PlainContext()
    if picture is not None:
        ctx.picture = lambda _: picture
    found = {e.name: e for e in compute.run(Params(**changes), ctx) if e is not None}
    assert list(found) == [slot.name for slot in LAB.panel]
    assert [e.kind for e in found.values()] == [slot.kind for slot in LAB.panel]
    return found


def forged(picture: np.ndarray, **changes: Any) -> torch.Tensor:
    return forge.forge(Params(**changes), picture).map


def grey(picture: np.ndarray) -> np.ndarray:
    return np.array(np.rint(picture @ np.array([0.299, 0.587, 0.114])))


OPTIONS = st.fixed_dictionaries(
    {
        "kernel": st.sampled_from(list(PRESETS.values())),
        "flip": st.booleans(),
        "stride": st.integers(1, 4),
        "padding": st.sampled_from(["none", "same"]),
        "border": st.sampled_from(list(forge.MODES)),
        "dilation": st.integers(1, 4),
        "colour": st.sampled_from(["grey", "rgb"]),
        "red": st.sampled_from([-1.0, 0.5]),
        "bias": st.integers(-255, 255),
        "activation": st.sampled_from(["none", "relu"]),
        "row": st.integers(0, 255),
        "column": st.integers(0, 255),
    }
)


@settings(max_examples=60)
@given(OPTIONS)
def test_it_makes_the_map_of_one_torch_convolution(options: dict[str, Any]) -> None:
    params, picture = Params(**options), noise(30, 41)
    kernel = torch.tensor(params.kernel)
    kernel = torch.rot90(kernel, 2) if params.flip else kernel
    if params.colour == "grey":
        x, weight = torch.tensor(grey(picture)).float()[None], kernel[None, None]
    else:
        x = torch.tensor(picture).permute(2, 0, 1).float()
        weight = torch.stack([kernel * s for s in (params.red, params.green, params.blue)])[None]
    convolution = torch.nn.Conv2d(
        len(x),
        1,
        len(kernel),
        stride=params.stride,
        dilation=params.dilation,
        padding=params.dilation * (len(kernel) - 1) // 2 if params.padding == "same" else 0,
        padding_mode=params.border,
    )
    state = {"weight": weight, "bias": torch.tensor([float(params.bias)])}
    convolution.load_state_dict(state)
    wanted = convolution(x[None])[0, 0].detach()
    wanted = wanted.relu() if params.activation == "relu" else wanted
    found = forge.forge(params, picture)
    torch.testing.assert_close(found.map, wanted, rtol=1e-4, atol=2e-3)
    h, w = found.map.shape
    row, column = min(params.row, h - 1), min(params.column, w - 1)
    cell = (forge.window_at(found, params, row, column) * found.slices).sum() + params.bias
    cell = cell.relu() if params.activation == "relu" else cell
    torch.testing.assert_close(found.map[row, column], cell, rtol=1e-4, atol=2e-3)
    sides = [
        forge.output_size(side, found.padding, params.dilation, len(kernel), params.stride)
        for side in (30, 41)
    ]
    assert sides == [h, w]


@pytest.mark.parametrize("name", list(forge.TARGETS))
def test_a_target_is_reached_by_its_kernel_and_by_no_preset_that_is_another(name: str) -> None:
    mine = tuple(tuple(map(float, row)) for row in forge.TARGETS[name])
    found = events(noise(), kernel=mine, target=name, padding="same", stride=2)
    assert found["result"].figures["target"] == pytest.approx(1)
    assert "is reached" in found["target"].sentence
    torch.testing.assert_close(found["target"].items[0].values, found["map"].items[0].values)
    for preset in PRESETS.values():
        other = events(noise(), kernel=preset, target=name)
        assert other["result"].figures["target"] < 0.999 or preset == mine
    larger = tuple((0.0, *row, 0.0) for row in ((0.0,) * 3, *mine, (0.0,) * 3))
    assert events(noise(), kernel=larger, target=name)["result"].figures["target"] > 0.999


@pytest.mark.parametrize("name", [name for name in PRESETS if "blur" in name])
def test_a_blur_leaves_an_even_picture_as_it_is(name: str) -> None:
    even = np.full((20, 20, 3), 90, np.uint8)
    assert forged(even, kernel=PRESETS[name]).sub(90).abs().max() < 0.02


def test_without_a_target_the_page_says_how_to_choose_one() -> None:
    found = events(noise())
    assert found["target"].items == () and "Choose a target" in found["target"].sentence
    assert found["result"].figures["target"] == 0


def test_what_is_said_of_padding_and_of_the_slices_is_so() -> None:
    said = events(noise(), padding="same", row=0, column=0)["input"].sentence
    assert "with 1 pixel of padding" in said and "begins at row −1, column −1" in said
    kernel = events(noise(), colour="rgb", red=0.5, green=1, blue=-1)["kernel"]
    assert "times 0.5 for red, 1 for green and −1 for blue" in kernel.sentence
    small = events(noise(), kernel=PRESETS["Gaussian blur 5×5"])["kernel"]
    assert small.digits == 4, "its corner is 0.0039"


def test_a_flipped_kernel_is_the_convolution_of_mathematics() -> None:
    picture, kernel = noise(), PRESETS["Emboss"]
    x, k = grey(picture), np.array(kernel)
    wanted = np.zeros((18, 25))
    for a, b in np.ndindex(3, 3):  # (x * k)[i, j] = Σ x[i − a, j − b] · k[a, b]
        wanted += x[2 - a : 20 - a, 2 - b : 27 - b] * k[a, b]
    np.testing.assert_allclose(forged(picture, kernel=kernel, flip=True), wanted, atol=1e-2)
    assert np.abs(forged(picture, kernel=kernel).numpy() - wanted).max() > 1


def test_the_identity_gives_the_grey_picture_back() -> None:
    same = forged(noise(), kernel=PRESETS["Identity"], padding="same")
    np.testing.assert_array_equal(same, grey(noise()))


def test_the_map_of_three_channels_is_the_sum_of_its_slices() -> None:
    found = events(noise(), colour="rgb", red=0.5, green=-1, blue=0)["map"]
    total, red, green, blue = (item.values for item in found.items)
    torch.testing.assert_close(total, red + green + blue, atol=1e-3, rtol=1e-5)
    assert green.abs().max() > 0
    assert blue.abs().max() == 0


@pytest.mark.parametrize(
    ("border", "corner"), [("zeros", 0), ("replicate", 1), ("reflect", 5), ("circular", 16)]
)
def test_each_border_holds_what_its_name_says(border: str, corner: int) -> None:
    picture = np.arange(1, 17, dtype=np.uint8).reshape(4, 4)[..., None].repeat(3, axis=2)
    # numpy's reflect mirrors about the edge pixel: above the corner 1 stands 6, 5's right neighbour
    corner = 6 if border == "reflect" else corner
    up_left = ((1, 0, 0), (0, 0, 0), (0, 0, 0))  # looks at the pixel above and to the left
    assert forged(picture, kernel=up_left, padding="same", border=border)[0, 0] == corner


def test_relu_and_bias_work_on_the_sum() -> None:
    plain = forged(noise())
    torch.testing.assert_close(forged(noise(), bias=-40, activation="relu"), (plain - 40).relu())


def test_the_arithmetic_adds_up_to_the_cell() -> None:
    found = events(noise(), row=3, column=5, bias=7, activation="relu")
    note, cell = found["cell"], found["result"].figures["cell"]
    rows = [re.split(" [=≈] ", line)[1] for line in note.lines[:3]]
    sums = [float(r.replace("−", "-").replace(",", "")) for r in rows]
    terms = re.findall(r"(\d+) × (−?[\d.]+)", " ".join(note.lines[:3]))
    products = sum(float(x) * float(w.replace("−", "-")) for x, w in terms)
    assert len(terms) == 9
    assert products == pytest.approx(sum(sums))
    assert max(0, products + 7) == pytest.approx(cell)
    assert "+ 7 (bias)" in note.lines[3]
    assert all("≈" not in line for line in note.lines)


def test_a_rounded_weight_is_said_to_be_about() -> None:
    assert all("≈" in line for line in events(kernel=PRESETS["Box blur"])["cell"].lines[:3])


def test_the_window_holds_the_pixels_below_the_kernel() -> None:
    found = events(noise(), row=4, column=6, stride=2, dilation=2, kernel=PRESETS["Sharpen"])
    wanted = grey(noise())[8:13:2, 12:17:2]
    np.testing.assert_array_equal(found["window"].values, wanted)
    box = found["input"].boxes[0]
    assert (box.left, box.top, box.right, box.bottom) == (12, 8, 17, 13)


def test_a_window_in_the_padding_says_how_much_of_it_is() -> None:
    found = events(noise(), row=0, column=0, padding="same")
    assert found["window"].focus == ((0, 0), (0, 1), (0, 2), (1, 0), (2, 0))
    assert "5 of the window's 9 cells lie in the padding (zeros)" in found["cell"].text
    inside = events(noise(), row=5, column=5, padding="same")
    assert inside["window"].focus == ()
    assert "padding" not in inside["cell"].text


def test_a_cell_past_the_edge_is_the_last_one() -> None:
    found = events(noise(20, 27), row=255, column=255)
    assert found["cell"].text.startswith("Cell (17, 24)")


def test_the_size_note_fills_the_formula() -> None:
    lines = events(load("coffee"), size=64, stride=2, padding="same")["size"].lines
    assert lines[1] == "height: ⌊(43 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = 22"
    assert lines[2] == "width: ⌊(64 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = 32"


def test_three_slices_of_seven_fit_into_one_column_of_grids() -> None:
    found = events(kernel=PRESETS["Box blur 7×7"], colour="rgb")
    assert len(found["kernel"].values) == len(found["window"].row_labels) == 21
    assert len(found["cell"].lines) == 22


def test_it_refuses_a_kernel_larger_than_the_picture() -> None:
    with pytest.raises(LabError, match="reaches over 9 pixels, and the picture has 8×30"):
        forged(noise(8, 30), dilation=4)


@pytest.mark.parametrize(("border", "room"), [("reflect", 2), ("circular", 3)])
def test_it_refuses_a_border_that_the_picture_cannot_fill(border: str, room: int) -> None:
    with pytest.raises(LabError, match=f"needs 4 pixels of padding, and .* only {room}"):
        forged(noise(3, 30), dilation=4, padding="same", border=border)
    assert forged(noise(3, 30), dilation=4, padding="same", border="zeros").shape == (3, 30)


def test_the_same_params_give_the_same_events() -> None:
    first, second = events(), events()
    for name in first:
        if name not in ("map", "input"):
            assert first[name] == second[name]
    torch.testing.assert_close(first["map"].items[0].values, second["map"].items[0].values)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_chosen(preset: str) -> None:
    assert Params(kernel=PRESETS[preset]).kernel == PRESETS[preset]


def test_a_large_picture_takes_a_few_milliseconds() -> None:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        events(size=256, colour="rgb", kernel=PRESETS["Box blur 7×7"])
        times.append(time.perf_counter() - start)
    assert min(times) < 0.25  # about 0.02 s on two idle cores; others may share them


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("red", "green", "blue"), "Counts only with Channels: Red, green, blue."),
        (("border",), "Counts only with Padding: Same."),
        (("row", "column"), "Counted from 0."),
    ],
)
def test_a_control_says_when_it_counts_and_from_where(names: tuple[str, ...], says: str) -> None:
    for name in names:
        assert says in (Params.model_fields[name].description or ""), name
