"""One reducer (fault 16): what is shown at any cut, plus the rest, is what is shown at the end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.lab import Lab, catalog
from labs.state import MARKS, Entry, place_of, state_at, surviving
from labs.testing import PlainContext
from tests.engine.cast import learner, live, start, take, work
from workers import life
from workers.carry import Carrier, carry
from workers.wire import encode

NAMES = ("loss", "kernels", "note", "progress")
LABS = [lab for lab in catalog().values() if lab.slug != "unruly"]


def written(attempt: int, seq: int, name: str) -> Entry:
    """The event that every attempt computes at this seq; `by` tells who wrote this copy."""
    return {"attempt": attempt, "seq": seq, "kind": "note", "name": name, "text": f"{name} {seq}"}


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Entry], list[str]]:
    """A job's entries over up to four attempts, and the names of the events that it yields.

    Each attempt but the last dies somewhere; what it wrote after its last checkpoint is computed
    anew. What the archive has is there twice, and the order is anybody's.
    """
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12))
    entries: list[Entry] = []
    saved, attempts = 0, draw(st.integers(1, 4))
    for attempt in range(1, attempts + 1):
        entries.append({"attempt": attempt, "seq": 0, "kind": "attempt", "from": saved})
        end = len(names) if attempt == attempts else draw(st.integers(saved, len(names)))
        entries += [written(attempt, s, names[s - 1]) for s in range(saved + 1, end + 1)]
        saved = draw(st.integers(saved, end))
    entries.append({"attempt": attempts + 1, "seq": 0, "kind": "closed", "state": "succeeded"})
    twice = [e for e in entries if draw(st.booleans())]
    return draw(st.permutations(entries + twice)), names


def in_order(entries: list[Entry]) -> list[Entry]:
    return sorted({place_of(e): e for e in entries}.values(), key=place_of)


def followed(entries: list[Entry], cut: int) -> dict[str, Entry]:
    """What a page shows that was loaded at the cut and saw the rest come in."""
    ordered = in_order(entries)
    shown = state_at(entries, place_of(ordered[cut]))
    for entry in ordered[cut + 1 :]:
        if entry["kind"] == "attempt":
            shown = state_at(entries, place_of(entry))
        elif entry["kind"] not in MARKS:
            shown[entry["name"]] = entry
    return shown


def assert_every_cut_leads_to_the_end(entries: list[Entry]) -> None:
    final = state_at(entries)
    for cut in range(len(in_order(entries))):
        assert followed(entries, cut) == final


@given(histories())
def test_the_state_at_any_cut_and_the_rest_give_the_end(
    history: tuple[list[Entry], list[str]],
) -> None:
    assert_every_cut_leads_to_the_end(history[0])


@given(histories())
def test_the_end_shows_what_a_run_without_a_stop_would_show(
    history: tuple[list[Entry], list[str]],
) -> None:
    entries, names = history
    expected = {name: f"{name} {seq}" for seq, name in enumerate(names, start=1)}
    assert {name: e["text"] for name, e in state_at(entries).items()} == expected


@given(histories())
def test_what_survives_is_each_seq_once_in_order_and_survives_again(
    history: tuple[list[Entry], list[str]],
) -> None:
    entries, names = history
    kept = surviving(entries)
    assert [e["seq"] for e in kept if e["kind"] not in MARKS] == list(range(1, len(names) + 1))
    assert surviving(kept) == kept == surviving(kept[::-1] + kept)


@given(histories(), st.integers(1, 4))
def test_what_a_dead_attempt_writes_later_never_counts(
    history: tuple[list[Entry], list[str]], attempt: int
) -> None:
    entries, names = history
    later = [e for e in entries if e["kind"] == "attempt" and e["attempt"] > attempt]
    if not later:
        return
    resumed_from = min(e["from"] for e in later)
    late = [
        written(attempt, seq, name) | {"text": "of a zombie"}
        for seq, name in enumerate(names, start=1)
        if seq > resumed_from
    ]
    assert state_at(entries + late) == state_at(entries)


def test_a_page_whose_attempt_began_anew_goes_back_to_the_checkpoint() -> None:
    first = [
        {"attempt": 1, "seq": 0, "kind": "attempt", "from": 0},
        written(1, 1, "loss"),
        written(1, 2, "note"),
    ]
    second = {"attempt": 2, "seq": 0, "kind": "attempt", "from": 1}
    assert set(state_at(first)) == {"loss", "note"}
    assert set(state_at([*first, second])) == {"loss"}
    assert set(state_at([*first, second], (1, 2))) == {"loss", "note"}


# --- real runs


def entries_of(lab: Lab) -> list[Entry]:
    """A real tiny run that died after its first checkpoint and was computed on from there."""
    params = lab.params.model_validate(dict(lab.tiny))
    entries: list[Entry] = [{"attempt": 1, "seq": 0, "kind": "attempt", "from": 0}]
    context = PlainContext()
    context.save_wanted = True
    state, saved_at = None, 0
    for event in lab.compute().run(params, context):
        if event is not None:
            entries.append(encode(event) | {"attempt": 1, "seq": len(entries)})
        if context.saves and state is None:
            # The checkpoint is as of the event before: this one is computed again.
            state, saved_at = context.saved, len(entries) - 1 - (event is not None)
    if state is not None:
        entries.append({"attempt": 2, "seq": 0, "kind": "attempt", "from": saved_at})
        again = lab.compute().run(params, PlainContext(saved=state))
        encoded = (encode(event) for event in again if event is not None)
        entries += [e | {"attempt": 2, "seq": n} for n, e in enumerate(encoded, saved_at + 1)]
    return entries


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_every_cut_of_a_real_run_leads_to_its_end(lab: Lab) -> None:
    entries = entries_of(lab)
    assert_every_cut_leads_to_the_end(entries)
    whole = [e for e in entries if e["attempt"] == 1]
    shown, alone = state_at(entries), state_at(whole)
    assert {n: (e["seq"], content(e)) for n, e in shown.items()} == {
        n: (e["seq"], content(e)) for n, e in alone.items()
    }


def content(entry: Entry) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in ("attempt", "seq")}


@pytest.mark.django_db(transaction=True)
def test_a_run_of_three_attempts_shows_the_same_at_every_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first attempt dies without a word at its third checkpoint, the second is stopped."""
    run = start(learner(), steps=9, save_every=2, with_picture=True)
    died = take()
    assert died is not None
    with monkeypatch.context() as patch:
        patch.setattr("workers.carry.Carrier._save", saves_twice())
        with pytest.raises(Died):
            carry(died)
    died.refresh_from_db()
    assert died.lapse()
    calls = iter([False] * 9 + [True] * 100)
    with monkeypatch.context() as patch:
        patch.setattr(life, "stopping", lambda: next(calls))
        work()
    finished = work()
    assert finished is not None and finished.state == "succeeded" and finished.attempt == 3
    entries = finished.archived() + live(run.job)
    assert {e["attempt"] for e in entries if e["kind"] == "attempt"} == {1, 2, 3}
    assert_every_cut_leads_to_the_end(entries)
    assert [e["seq"] for e in surviving(entries) if e["kind"] not in MARKS] == list(range(1, 38))
    assert state_at(entries) == state_at(finished.archived())


class Died(BaseException):
    """The process is gone: nothing in it can catch that."""


def saves_twice() -> Any:
    """A `Carrier._save` whose process dies with the third checkpoint, before it is committed."""
    real, calls = Carrier._save, iter(range(3))

    def save(self: Carrier, name: str) -> None:
        if next(calls) == 2:
            raise Died
        real(self, name)

    return save
