"""What every lab of the catalogue keeps to, so that the site can run it without knowing it.

A lab comes with its folder, and these tests come with it: nothing here names one.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from labs.controls import NOT_PARAMS
from labs.data import registry
from labs.events import KINDS, Event
from labs.lab import LANES, TRAINING, Lab, catalog
from labs.params import Params
from labs.testing import PlainContext
from tools.processes import ROOT
from workers.app import HARD_LIMIT
from workers.wire import encode

Wire = dict[str, Any]
LABS = [lab for lab in catalog().values() if not lab.package.startswith("tests.")]
MARGIN = 5
"""By how much a slow machine may be slower: timings do not decide."""
BUSY, SPARE, LEAST = 20, 5, 60
"""A busy machine was seen to take 20 times a lab's `seconds`; a limit leaves five times that, and a
minute at the least, for what begins with loading PyTorch."""
ALONE = ("progress", "note", "result")
"""Kinds that the page can show where the lab declared no place for them."""


def together(lab: Lab) -> pytest.ParameterSet:
    """All tests of a lab in one process, which keeps its tiny run."""
    return pytest.param(lab, id=lab.slug, marks=pytest.mark.xdist_group(lab.slug))


@pytest.fixture(params=map(together, LABS))
def lab(request: pytest.FixtureRequest) -> Lab:
    found: Lab = request.param
    return found


class Saving(PlainContext):
    """A context that always wants a checkpoint, and keeps each with the events that came before."""

    def __init__(self, events: list[Wire], saved: dict[str, Any] | None = None) -> None:
        super().__init__(saved=saved)
        self.save_wanted = True
        self.events = events
        self.checkpoints: list[tuple[int, dict[str, Any]]] = []

    def save(self, state: Any) -> None:
        super().save(state)
        assert self.saved is not None
        self.checkpoints.append((len(self.events), self.saved))


@dataclass
class Played:
    """A run from its first event to its last, as the archive would keep it."""

    events: list[Wire] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    context: PlainContext = field(default_factory=PlainContext)

    @property
    def seconds(self) -> float:
        return sum(self.pauses)


class Clock:
    """Seconds that a lab computes, or that it waits, whichever are more.

    Computing is counted on the wall or of the processor, whichever are fewer: other programs do
    not count. Waiting is what the wall shows and the processor does not.
    """

    def __init__(self) -> None:
        self.began = time.monotonic(), time.process_time()

    def seconds(self) -> float:
        wall, worked = time.monotonic() - self.began[0], time.process_time() - self.began[1]
        return max(min(wall, worked), wall - worked)


def tiny(lab: Lab) -> Params:
    return lab.params.model_validate(dict(lab.tiny))


def play(lab: Lab, params: Params, context: PlainContext, events: list[Wire]) -> Played:
    played = Played(events, context=context)
    running = lab.compute().run(params, context)
    clock = Clock()
    for event in running:
        played.pauses.append(clock.seconds())
        if event is not None:
            assert isinstance(event, Event)
            events.append(encode(event))
        clock = Clock()
    played.pauses.append(clock.seconds())
    return played


@cache
def small_run(lab: Lab) -> Played:
    return play(lab, tiny(lab), PlainContext(), [])


def pictures(event: Wire) -> list[Wire]:
    return list(event.get("items", []))


# --- what it declares


def test_it_says_what_it_is_and_where_it_belongs(lab: Lab) -> None:
    assert lab.title and lab.summary.endswith(".")
    assert 1 <= lab.section <= 18 and lab.lane in LANES
    assert lab.seconds > 0 and lab.limit < HARD_LIMIT, "past that, Celery ends the child unsaid"
    assert (lab.path / "__init__.py").is_file()
    assert list(lab.path.glob("test_*.py")), "a lab proves its own maths"


def test_its_limit_leaves_room_on_a_busy_machine(lab: Lab) -> None:
    assert lab.limit >= max(SPARE * BUSY * lab.seconds, LEAST)


def test_what_it_says_of_a_run_that_takes_too_long_is_something_that_can_be_done(lab: Lab) -> None:
    """A setting of this very lab to change; or, where none changes the time, to run it again."""
    says = lab.too_long.lower()
    labels = [str(field.title).lower() for field in lab.params.model_fields.values()]
    assert lab.too_long.endswith(".")
    assert "run it again" in says or any(label in says for label in labels), labels


def test_its_default_and_its_tiny_params_are_valid(lab: Lab) -> None:
    assert lab.params.model_validate(lab.params().model_dump(mode="json")) == lab.params()
    assert tiny(lab)


def fields_of(model: type[Params]) -> Iterator[tuple[str, Wire]]:
    """Every field of a model and of the models in it, with its JSON schema."""
    whole = model.model_json_schema()
    for name, schema in whole.get("properties", {}).items():
        yield name, schema
    for kind, inner in whole.get("$defs", {}).items():
        for name, schema in inner.get("properties", {}).items():
            yield f"{kind}.{name}", schema


def test_every_number_that_can_be_set_is_bounded(lab: Lab) -> None:
    for model in (lab.params, *lab.follow_ups.values()):
        for name, schema in fields_of(model):
            if schema.get("type") in ("integer", "number") and "const" not in schema:
                assert "enum" in schema or {"minimum", "maximum"} <= set(schema), name


def test_no_step_is_larger_than_its_range(lab: Lab) -> None:
    for model in (lab.params, *lab.follow_ups.values()):
        for name, schema in fields_of(model):
            if schema.get("control") == "slider":
                span = schema["maximum"] - schema["minimum"]
                assert 0 < schema["step"] <= span, f"{name}: a slider that cannot move; say step="


def test_no_field_has_a_name_of_the_pages_own(lab: Lab) -> None:
    for model in (lab.params, *lab.follow_ups.values()):
        assert not set(model.model_fields) & set(NOT_PARAMS), f"{NOT_PARAMS} are the page's"


def test_every_control_has_a_label(lab: Lab) -> None:
    for model in (lab.params, *lab.follow_ups.values()):
        for name, schema in model.model_json_schema().get("properties", {}).items():
            assert schema.get("control"), f"{name} was not made by a function of labs.params"
            assert model.model_fields[name].title, f"{name} has no label"


def test_its_panel_has_a_place_for_each_name_once(lab: Lab) -> None:
    names = [slot.name for slot in lab.panel]
    assert len(names) == len(set(names))
    assert {slot.kind for slot in lab.panel} <= set(KINDS)
    assert all(slot.title for slot in lab.panel)


def test_its_follow_ups_are_functions_of_its_compute(lab: Lab) -> None:
    for name in lab.follow_ups:
        assert name != "run" and callable(getattr(lab.compute(), name))


def test_its_preview_never_raises(lab: Lab) -> None:
    if lab.preview is not None:
        for values in ({}, {"no": "such"}, lab.params().model_dump(mode="json")):
            broken = dict.fromkeys(values, "broken")
            assert all(isinstance(e, Event) for e in (*lab.preview(values), *lab.preview(broken)))


def imports(lab: Lab, module: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse((lab.path / module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_its_declaration_imports_no_torch_and_its_compute_no_site(lab: Lab) -> None:
    tops = {name.partition(".")[0] for name in imports(lab, "lab.py")}
    assert not tops & {"torch", "torchvision", "numpy", "PIL", "django"}
    asked = imports(lab, "compute.py")
    site = {"django", "config", "accounts", "courses", "workers", "celery", "redis"}
    assert not {name.partition(".")[0] for name in asked} & site
    ours = {name for name in asked if name.startswith("labs.") and "catalog" not in name}
    allowed = ("events", "params", "context", "lab", "words", "nets", "data")
    assert {name.split(".")[1] for name in ours} <= set(allowed)


# --- what it yields


def test_it_yields_events_that_the_page_has_a_template_for(lab: Lab) -> None:
    slots = {slot.name: slot.kind for slot in lab.panel}
    events = small_run(lab).events
    assert events
    for event in events:
        assert (ROOT / "templates" / "events" / f"{event['kind']}.html").is_file()
        assert slots.get(event["name"], event["kind"]) == event["kind"], event["name"]
        assert event["name"] in slots or event["kind"] in ALONE, event["name"]


def test_every_place_of_its_panel_is_filled_in_the_end(lab: Lab) -> None:
    assert {slot.name for slot in lab.panel} <= {e["name"] for e in small_run(lab).events}


def test_its_events_are_json(lab: Lab) -> None:
    for event in small_run(lab).events:
        assert json.loads(json.dumps(event, allow_nan=False)) == event


def test_its_events_say_in_a_sentence_what_they_show(lab: Lab) -> None:
    """A note is its own sentence, and the status line is made of the progress."""
    for event in small_run(lab).events:
        if event["kind"] not in ("note", "progress"):
            assert event["sentence"].endswith("."), event["name"]


def assert_a_page_can_bear(events: list[Wire]) -> None:
    for event in events:
        assert all(len(series["points"]) <= 200 for series in event.get("series", []))
        assert len(event.get("rows", [])) * len(event.get("columns", [])) <= 200
        if event["kind"] == "matrix":
            assert len(event["values"]) <= 21 and all(len(row) <= 20 for row in event["values"])
    assert sum(1 for event in events if pictures(event)) <= 60
    assert sum(len(item["png"]) for event in events for item in pictures(event)) <= 8_000_000


def test_it_keeps_to_the_sizes_that_a_page_can_bear(lab: Lab) -> None:
    assert_a_page_can_bear(small_run(lab).events)


def test_its_progress_is_true(lab: Lab) -> None:
    for event in small_run(lab).events:
        if event["kind"] == "progress":
            assert 0 <= event["done"] <= event["total"] and event["total"] > 0


def test_the_same_seed_gives_the_same_events(lab: Lab) -> None:
    assert play(lab, tiny(lab), PlainContext(), []).events == small_run(lab).events


def test_its_claims_are_about_figures_of_its_result(lab: Lab) -> None:
    figures = next(e["figures"] for e in small_run(lab).events if e["kind"] == "result")
    for claim in lab.claims:
        assert claim.figure in figures and claim.says.endswith(".")
        if not claim.dataset or registry.is_available(claim.dataset):
            assert lab.params.model_validate(dict(claim.params))


# --- how it runs


def test_it_stops_at_once_when_it_is_closed(lab: Lab) -> None:
    for events_seen in (0, 1, 3):
        running = lab.compute().run(tiny(lab), PlainContext())
        for _ in range(events_seen):
            next(running, None)
        running.close()
        assert list(running) == []


def test_it_goes_on_from_a_checkpoint_as_if_it_had_never_stopped(lab: Lab) -> None:
    events: list[Wire] = []
    context = Saving(events)
    play(lab, tiny(lab), context, events)
    assert events == small_run(lab).events, "saving changes nothing"
    if lab.lane == TRAINING:
        assert context.checkpoints, "what may take over 10 s saves a checkpoint each epoch"
    for seen, state in context.checkpoints[:1] + context.checkpoints[-1:]:
        again: list[Wire] = []
        play(lab, tiny(lab), Saving(again, saved=state), again)
        assert again == events[seen:]


def test_it_can_be_stopped_twice_a_second(lab: Lab) -> None:
    """A second try has its data loaded, and may find the machine less busy."""
    if max(small_run(lab).pauses) >= MARGIN * 0.5:
        assert max(play(lab, tiny(lab), PlainContext(), []).pauses) < MARGIN * 0.5


@pytest.mark.slow
def test_its_default_run_fits_its_limit_and_the_page(lab: Lab) -> None:
    assert small_run(lab), "its data is loaded"
    played = play(lab, lab.params(), PlainContext(), [])
    assert played.seconds < lab.limit
    assert max(played.pauses) < MARGIN * 0.5
    assert_a_page_can_bear(played.events)
