"""What the templates draw: every kind of event, the panel's states, and what no page may hold."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.template.loader import render_to_string

from labs import params
from labs.controls import controls_for
from labs.events import KINDS
from labs.lab import Slot
from labs.params import slider
from labs.templatetags import draw
from tests.test_controls import Sample

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))

IMAGE = {
    "src": "data:image/png;base64,AAAA",
    "label": "kernel 1",
    "detail": "",
    "meaning": "kernel",
    "zoom": 8,
    "width": 5,
    "height": 3,
    "shape": "3×5",
    "low": -1.5,
    "high": 1.5,
    "minimum": -1.25,
    "mean": 0.1,
    "maximum": 1.5,
}


class Below(params.Params):
    bias: int = slider(0, low=-9, high=9, label="Bias")
    rate: float = slider(0.5, low=0, high=1, step=0.1, label="Rate")
    steps: int = slider(3, low=0, high=9, label="Steps")


SERIES: list[dict[str, Any]] = [
    {"label": "training", "role": "train", "points": [[0, 2.5], [10, 1.0], [20, None]]},
    {"label": "validation", "role": "validation", "points": [[0, 2.0], [20, 1.5]]},
]
EVENTS: dict[str, dict[str, Any]] = {
    "progress": {"done": 3, "total": 5, "unit": "epoch"},
    "curves": {"x_label": "step", "y_label": "loss", "series": SERIES, "log_y": False},
    "images": {"items": [IMAGE]},
    "matrix": {"values": [[-2.0, 0.0], [1.0, None]], "meaning": "kernel", "digits": 1},
    "bars": {"bars": [["cat", 0.75], ["dog", 0.25]], "digits": 2, "high": 1.0, "highlight": 0},
    "table": {"columns": ["Layer", "Size"], "rows": [["Dense", 1290], ["Pool", 0.5]]},
    "boxes": {
        "image": IMAGE,
        "boxes": [
            {"left": 1, "top": 0, "right": 3, "bottom": 2, "label": "cat", "role": "found"},
        ],
    },
    "note": {"text": "The layer gets 1,600.", "lines": ["64 × 5 × 5 = 1600"], "tone": "wrong"},
    "result": {"facts": [{"label": "test accuracy", "value": 97.4, "unit": "%"}]},
}


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.tags if tag == name]


def event(kind: str, **more: Any) -> dict[str, Any]:
    base = {"kind": kind, "name": "place", "title": "A title", "sentence": "In a sentence."}
    return base | EVENTS[kind] | more


def drawn(kind: str, ask_url: str = "", **more: Any) -> Page:
    context = {"event": event(kind, **more), "ask_url": ask_url}
    return Page(render_to_string(f"events/{kind}.html", context))


def panel(**more: Any) -> Page:
    status = {"state": "running", "text": "Running, epoch 3 of 5", "can_cancel": True}
    context: dict[str, Any] = {
        "lab": SimpleNamespace(live=False, follow_ups={}),
        "run": SimpleNamespace(pk="00000000-0000-0000-0000-000000000007", state="running"),
        "slots": [
            SimpleNamespace(slot=Slot("loss", "curves", "Loss", wide=True, rows=34), html=""),
            SimpleNamespace(slot=Slot("kernels", "images", "Kernels"), html="KERNELS"),
        ],
        "status": status,
        "stream_url": "/runs/7/events/?after=1-3",
        "after": None,
    }
    return Page(render_to_string("_fragments/panel.html", context | more))


# --- every kind of event


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_says_its_sentence(kind: str) -> None:
    assert "In a sentence." in drawn(kind).text


@pytest.mark.parametrize("kind", ["curves", "images", "matrix", "bars", "table", "boxes"])
def test_each_picture_has_its_facts_as_a_table(kind: str) -> None:
    page = drawn(kind)
    assert page.all("table")
    assert len(page.all("td")) >= 2


def test_a_picture_says_its_shape_and_the_ends_of_its_scale() -> None:
    page = drawn("images")
    (image,) = page.all("img")
    assert (image["width"], image["height"]) == ("40", "24")
    assert image["alt"] == "kernel 1, 3×5, values −1.5 to 1.5"
    assert "3×5" in page.text


def test_a_label_from_outside_is_text_and_never_markup() -> None:
    label = "<script>alert(1)</script>"
    html = render_to_string(
        "events/bars.html", {"event": event("bars", bars=[[label, 1.0]]), "ask_url": ""}
    )
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_no_pictures_make_no_empty_table() -> None:
    page = drawn("images", items=[])
    assert "In a sentence." in page.text
    assert not page.all("table")


def test_many_pictures_make_at_most_200_cells_and_it_says_that_there_are_more() -> None:
    page = drawn("images", items=[IMAGE] * 64)
    assert len(page.all("img")) == 64
    assert len(page.all("td")) + len(page.all("th")) <= 205
    assert "The first 40 of 64." in page.text
    assert "The first" not in drawn("images", items=[IMAGE] * 40).text


def test_many_boxes_make_a_table_that_says_where_it_is_cut() -> None:
    boxes = EVENTS["boxes"]["boxes"]
    assert "The first 33 of 50." in drawn("boxes", boxes=boxes * 50).text
    assert "The first" not in drawn("boxes", boxes=boxes * 33).text


def test_a_picture_has_one_shape_channels_first() -> None:
    colour = IMAGE | {"label": "input, 3×3×5", "meaning": "input", "shape": "3×5×3"}
    page = drawn("images", items=[colour])
    assert page.all("img")[0]["alt"] == "input, 3×3×5, values −1.5 to 1.5"
    assert "3×5×3" not in page.text
    assert not [p for p in page.all("p") if p.get("class") == "picture-shape"]
    unnamed = drawn("images", items=[colour | {"label": "cat"}])
    assert [p for p in unnamed.all("p") if p.get("class") == "picture-shape"]
    assert unnamed.text.count("3×3×5") == 2, "below the picture, and in its facts"


def test_a_matrix_shades_by_sign_and_size_and_leaves_zero_paper() -> None:
    shades = [attrs["class"] for attrs in drawn("matrix").all("td")]
    assert shades == ["shade minus s10", "shade minus s0", "shade plus s5", "shade"]


def test_a_cell_asks_only_where_there_is_something_to_ask() -> None:
    assert not drawn("matrix", ask="cell").all("button")
    buttons = drawn("matrix", ask="cell", ask_url="/runs/7/asks/cell/").all("button")
    assert len(buttons) == 4
    assert buttons[1]["hx-post"] == "/runs/7/asks/cell/"
    assert json.loads(buttons[1]["hx-vals"]) == {"row": 0, "column": 1}


def test_a_bar_is_as_long_as_its_share_of_the_scale() -> None:
    widths = [rect["width"] for rect in drawn("bars").all("rect") if rect["class"] == "bar-fill"]
    assert widths == ["75.0%", "25.0%"]


def test_a_box_is_drawn_in_the_pixels_of_its_picture() -> None:
    page = drawn("boxes")
    assert page.all("path")[0]["d"] == "M1.00,0.00H3.00V2.00H1.00Z"


# --- curves


def test_curves_carry_their_points_for_the_script() -> None:
    (curves,) = drawn("curves").all("live-curves")
    sent = json.loads(curves["data-points"])
    assert [s["points"] for s in sent["series"]] == [s["points"] for s in SERIES]
    assert "hx-morph-skip-children" in curves


def test_a_number_that_is_not_finite_is_a_gap() -> None:
    points = [[0, float("nan")], [1, float("inf")], [2, 1.0]]
    series = [{"label": "loss", "role": "train", "points": points}]
    (curves,) = drawn("curves", series=series).all("live-curves")
    sent = json.loads(curves["data-points"])
    assert sent["series"][0]["points"] == [[0, None], [1, None], [2, 1.0]]


def test_a_curve_runs_from_corner_to_corner_of_its_axes() -> None:
    straight = [{"label": "line", "role": "train", "points": [[0, 0.0], [5, 5.0], [10, 10.0]]}]
    plot = draw.plot(event("curves", series=straight))
    middle = f"{(plot.left + plot.right) / 2:.1f},{(plot.top + plot.bottom) / 2:.1f}"
    expected = f"M{plot.left}.0,{plot.bottom}.0L{middle}L{plot.right}.0,{plot.top}.0"
    assert plot.lines[0].path == expected


def test_equal_factors_are_equal_distances_on_a_log_axis() -> None:
    series = [{"label": "a", "role": "train", "points": [[0, 1.0], [1, 0.1], [2, 0.01], [3, 0.0]]}]
    plot = draw.plot(event("curves", series=series, log_y=True))
    ys = [float(pair.split(",")[1]) for pair in plot.lines[0].path[1:].split("L")]
    assert len(ys) == 3
    assert ys[1] - ys[0] == pytest.approx(ys[2] - ys[1], abs=0.11)


def test_names_of_lines_that_end_together_do_not_touch() -> None:
    same = [{"label": n, "role": "train", "points": [[0, 1.0], [1, 0.5]]} for n in "abc"]
    ys = sorted(line.y for line in draw.plot(event("curves", series=same)).lines)
    assert min(b - a for a, b in itertools.pairwise(ys)) >= 15


@pytest.mark.parametrize("points", [[], [[0, 1.0]], [[3, None]], [[0, 2.0], [1, 2.0]]])
def test_curves_can_be_empty_short_or_flat(points: list[Any]) -> None:
    series = [{"label": "a", "role": "train", "points": points}]
    assert drawn("curves", series=series).all("live-curves")
    assert drawn("curves", series=series, log_y=True).all("live-curves")


def test_a_long_curve_is_a_table_of_at_most_200_cells() -> None:
    series = [{"label": n, "points": [[x, x / 7] for x in range(200)]} for n in "abc"]
    rows = draw.curve_rows({"series": series})
    assert sum(len(row) for row in rows) <= 200
    assert (rows[0][0], rows[-1][0]) == ("0", "199")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345, "12,345"),
        (-0.00012345, "−0.0001234"),
        (2.0, "2"),
        (None, "–"),
        ("8×8", "8×8"),
        (float("nan"), "not a number"),
    ],
)
def test_a_number_has_the_digits_that_mean_something(value: Any, text: str) -> None:
    assert draw.short(value) == text


# --- the panel


def test_the_panel_has_its_shape_before_the_first_event() -> None:
    page = panel()
    ids = {attrs.get("id") for _, attrs in page.tags}
    assert {"panel", "status", "slot-loss", "slot-loss-body", "slot-kernels-body", "live"} <= ids
    loss = next(attrs for _, attrs in page.tags if attrs.get("id") == "slot-loss-body")
    assert "rows-40" in loss["class"]
    assert "Not computed yet." in page.text
    assert "KERNELS" in page.text


def test_a_live_panel_follows_its_stream_until_the_done_event() -> None:
    live = next(attrs for _, attrs in panel().tags if attrs.get("id") == "live")
    assert live["hx-sse:connect"] == "/runs/7/events/?after=1-3"
    assert (live["hx-sse:close"], live["hx-trigger"]) == ("done", "connect")
    assert live["data-deadline"] == "40"
    assert live["hx-swap"] == "none"


def test_a_finished_run_opens_no_stream_and_offers_what_comes_next() -> None:
    run = SimpleNamespace(pk="00000000-0000-0000-0000-000000000007", state="succeeded")
    file = {"name": "model.safetensors", "url": "/f", "size": 73_000, "sha256": "ab" * 32}
    after = {
        "run": run,
        "downloads": [file],
        "permalink": "/runs/7/",
        "again_url": "/labs/first-cnn/?from=7",
        "seed": 3,
    }
    status = {"state": "succeeded", "text": "Done in 4.1 s", "can_cancel": False}
    page = panel(run=run, status=status, stream_url="", after=after)
    assert not [attrs for _, attrs in page.tags if "hx-sse:connect" in attrs]
    assert {"/labs/first-cnn/?from=7", "/runs/7/", "/f"} <= {a["href"] for a in page.all("a")}
    assert "73 kB" in page.text
    assert not page.all("form")


def test_only_a_run_that_goes_on_can_be_cancelled() -> None:
    assert panel().all("form")[0]["action"].endswith("/cancel/")
    done = {"state": "succeeded", "text": "Done in 4.1 s", "can_cancel": False}
    assert not panel(status=done).all("form")


@pytest.mark.parametrize(
    "state",
    ["empty", "queued", "running", "restarting", "succeeded", "failed", "cancelled", "replay"],
)
def test_every_state_is_designed_and_said_in_words(state: str) -> None:
    status = {"state": state, "text": f"It is {state}", "reason": "", "can_cancel": False}
    page = Page(render_to_string("_fragments/status.html", {"status": status}))
    assert f"It is {state}" in page.text
    assert f"status-{state}" in page.tags[0][1]["class"]


def test_progress_is_shown_while_a_run_goes_on() -> None:
    status = {"state": "running", "text": "Running", "done": 3, "total": 5, "can_cancel": True}
    page = Page(render_to_string("_fragments/status.html", {"status": status}))
    assert page.all("progress")[0]["value"] == "3"


def test_a_form_of_questions_speaks_of_no_lab_in_particular() -> None:
    asked = SimpleNamespace(
        name="q", title="Ask", url="/q/", controls=[], slots=[Slot("a", "note", "A")]
    )
    page = Page(render_to_string("_fragments/follow_up.html", {"form": asked}))
    assert "The answer appears here." in page.text
    assert "Draw" not in page.text


def test_a_live_lab_promises_without_scripts_only_what_its_button_does() -> None:
    status = {"state": "empty", "text": "Not started", "can_cancel": False}
    lab = SimpleNamespace(live=True, follow_ups={})
    html = render_to_string("_fragments/status.html", {"status": status, "lab": lab})
    assert '<span class="js-only">Live: the panel follows every change.</span>' in html
    assert '<span class="no-js-only">Press Compute' in html


# --- controls


def form(errors: dict[str, str] | None = None) -> Page:
    controls = controls_for(Sample, {}, errors or {})
    return Page(render_to_string("_fragments/controls.html", {"controls": controls}))


def test_every_field_has_a_name_that_is_heard() -> None:
    page = form()
    labelled = {attrs["for"] for attrs in page.all("label") if "for" in attrs}
    for attrs in page.all("textarea") + page.all("input"):
        wrapped = attrs.get("type") in ("radio", "checkbox", "hidden", "file")
        assert wrapped or "aria-label" in attrs or attrs["id"] in labelled, attrs


def test_every_param_is_sent_by_its_name_and_nothing_else_is() -> None:
    fields = [attrs for tag in ("input", "textarea") for attrs in form().all(tag)]
    assert {attrs["name"] for attrs in fields if "name" in attrs} == set(Sample.model_fields)


def test_an_error_stands_at_its_control_and_is_announced() -> None:
    page = form({"stride": "Stride must be a whole number from 1 to 4 pixels."})
    stride = next(attrs for attrs in page.all("input") if attrs.get("name") == "stride")
    assert stride["aria-invalid"] == "true"
    line = next(attrs for attrs in page.all("p") if attrs.get("data-error-for") == "stride")
    assert line["id"] in stride["aria-describedby"].split()
    assert "hidden" not in line
    assert "Stride must be a whole number from 1 to 4 pixels." in page.text


def test_a_control_shows_its_value_unit_range_default_and_help() -> None:
    page = form()
    assert "in pixels" in page.text
    assert "How far it moves. 1 to 4 pixels; default 1." in page.text


def test_a_phone_offers_a_minus_where_one_may_be_needed() -> None:
    below = controls_for(Below, {})
    page = Page(render_to_string("_fragments/controls.html", {"controls": below}))
    modes = {i["name"]: i.get("inputmode") for i in page.all("input") if i.get("type") == "number"}
    assert modes == {"bias": None, "rate": "decimal", "steps": "numeric"}


def test_every_error_line_can_be_announced_and_have_the_focus() -> None:
    lines = [p for p in form().all("p") if "data-error-for" in p]
    assert {p["data-error-for"] for p in lines} == set(Sample.model_fields)
    assert all((p["role"], p["tabindex"]) == ("alert", "-1") for p in lines)


def test_a_slider_knows_its_unit_for_what_it_says() -> None:
    ranges = {i["data-twin"]: i.get("data-unit") for i in form().all("input") if "data-twin" in i}
    assert ranges == {"control-stride": "pixels", "control-rate": ""}


def test_an_uploaded_picture_is_waited_for_refused_or_ready() -> None:
    pk = "00000000-0000-0000-0000-000000000007"
    shown = {"id": pk, "state": "waiting", "reason": "", "url": "/p.png", "value": f"own:{pk}"}

    def answer(**more: str) -> Page:
        return Page(render_to_string("_fragments/picture.html", {"picture": shown | more}))

    assert answer().tags[0][1]["hx-trigger"] == "load delay:400ms, every 3s"
    assert "Too large." in answer(state="refused", reason="Too large.").text
    ready = answer(state="ready", label="my cat", delete="/pictures/7/delete/")
    assert ready.tags[0][1]["data-value"] == f"own:{pk}"
    (radio,) = [i for i in ready.all("input") if i.get("type") == "radio"]
    assert radio["value"] == f"own:{pk}", "the tile comes with the answer"
    assert ready.all("button")[0]["aria-label"] == "Delete my cat"


# --- what no page may hold


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_template_keeps_to_the_content_security_policy(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=|hx-on|js:|javascript:|<style", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert not re.search(r"https?://|//[a-z]+\.", source)
    assert not re.search(r"sse-swap|hx-ext|hx-disabled-elt|hx-vars", source), "gone in htmx 4"
    assert len(source.splitlines()) <= 60


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_a_script_is_small_and_asks_nothing_of_another_host(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"https?://|\beval\(|new Function|innerHTML\s*=\s*[`\"]", source)
    assert len(source.splitlines()) < 150


def test_every_file_that_a_page_asks_for_is_there_or_comes_from_npm() -> None:
    vendored = (ROOT / "tools" / "vendor.mjs").read_text()
    for path in TEMPLATES:
        for name in re.findall(r"{% static '([^']+)' %}", path.read_text()):
            if name.startswith("vendor/"):
                assert f'"{name.removeprefix("vendor/")}"' in vendored
            else:
                assert (ROOT / "static" / name).is_file(), name


def test_the_lock_file_holds_no_registry_address() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/htmx.org"]["integrity"].startswith("sha512-")
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


# --- colours

CSS = (ROOT / "static" / "css" / "site.css").read_text()


def tokens(selector: str) -> dict[str, str]:
    block = CSS[CSS.index(selector) :].split("}")[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


LIGHT = tokens(":root {")
DARK = LIGHT | tokens(':root[data-theme="dark"] {')


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_ways_to_darkness_have_the_same_colours() -> None:
    assert tokens(':root:not([data-theme="light"]) {') == tokens(':root[data-theme="dark"] {')


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_colour_is_read_on_paper(theme: dict[str, str]) -> None:
    words = "ink soft accent kernel kernel-minus map gradient train validation other right wrong"
    for name in words.split():
        assert contrast(theme[name], theme["paper"]) >= 4.5, name
    assert contrast(theme["on-accent"], theme["accent"]) >= 4.5
    for name in ("edge", "focus"):
        assert contrast(theme[name], theme["paper"]) >= 3, name


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_number_is_read_on_every_shade(theme: dict[str, str]) -> None:
    for name in ("cell-plus", "cell-minus", "cell-counts", "cell-gradient"):
        assert contrast(theme["ink"], theme[name]) >= 4.5, name
