"""Runs by the API: start, show, list, cancel, follow."""

from __future__ import annotations

import hashlib

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Learner
from labs.models import Job, Run
from labs.state import state_at
from tests.api.caller import Caller, error_of
from tests.engine.cast import shown, take, work

pytestmark = pytest.mark.django_db(transaction=True)  # the lease looks on another connection


@pytest.fixture
def alice() -> Caller:
    return Caller()


def test_a_guest_starts_a_run_and_is_told_where_it_is(alice: Caller) -> None:
    started = alice.start(steps=3, seed=7)
    assert started.status_code == 201
    run = started.json()
    assert run["state"] == "queued" and run["place"] == 1 and run["text"].startswith("Queued")
    assert run["seed"] == 7 and run["params"]["steps"] == 3
    assert alice.get(f"runs/{run['id']}/").json() == run
    assert alice.client.get(run["url"]).status_code == 200


def test_the_first_post_makes_the_guests_session(alice: Caller) -> None:
    alice.get("labs/")
    assert "sessionid" not in alice.client.cookies
    alice.start()
    assert "sessionid" in alice.client.cookies
    assert Learner.objects.count() == 1


def test_the_api_and_the_site_start_the_same_run(alice: Caller) -> None:
    alice.get("labs/")
    form = {"steps": "3", "csrfmiddlewaretoken": alice.client.cookies["csrftoken"].value}
    by_page = alice.client.post("/labs/steady/run/", form)
    assert by_page.status_code == 302
    by_api = alice.start(steps=3)
    assert Run.objects.count() == 2 and Job.objects.count() == 1
    assert str(Run.objects.earliest("started_at").job_id) == str(
        Run.objects.get(pk=by_api.json()["id"]).job_id
    )


def test_a_finished_run_says_what_ran_and_offers_its_files(alice: Caller) -> None:
    pk = alice.start(steps=3).json()["id"]
    work()
    run = alice.get(f"runs/{pk}/").json()
    assert run["state"] == "succeeded" and run["text"].startswith("Done in")
    assert run["ran"]["device"] == "cpu" and run["place"] is None
    (file,) = run["files"]
    content = alice.client.get(file["url"]).getvalue()
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert len(content) == file["size"]


def test_an_equal_start_is_a_replay(alice: Caller) -> None:
    alice.start(steps=3)
    work()
    again = alice.start(steps=3).json()
    assert again["state"] == "succeeded" and again["replay"]


def test_a_failed_run_says_why(alice: Caller) -> None:
    pk = alice.start("unruly", way="refuse").json()["id"]
    work()
    run = alice.get(f"runs/{pk}/").json()
    assert run["state"] == "failed"
    assert run["reason"] == "Your picture has no pixels. Choose another."


def test_cancelling_ends_the_run_and_a_second_time_changes_nothing(alice: Caller) -> None:
    pk = alice.start(steps=3).json()["id"]
    for _ in range(2):
        answer = alice.post(f"runs/{pk}/cancel/")
        assert answer.status_code == 200 and answer.json()["state"] == "cancelled"
    assert take() is None


def test_the_list_has_only_your_runs_the_newest_first(alice: Caller) -> None:
    bob = Caller()
    first, second = (alice.start(steps=n).json()["id"] for n in (3, 4))
    bob.start(steps=3)
    answer = alice.get("runs/").json()
    assert [run["id"] for run in answer["results"]] == [second, first]
    assert answer["count"] == 2
    assert Caller().get("runs/").json()["count"] == 0


def test_a_page_of_the_list_holds_a_hundred_at_most(alice: Caller) -> None:
    for _ in range(105):
        alice.start(steps=3)
    answer = alice.get("runs/", page_size=1_000).json()
    assert len(answer["results"]) == 100
    assert len(alice.get("runs/", page_size=100, page=2).json()["results"]) == 5
    error_of(alice.get("runs/", page_size=100, page=3), 404)


def test_the_same_limits_hold_as_on_the_site(alice: Caller, settings: Settings) -> None:
    settings.WAITING_A_LEARNER = 2
    alice.start(steps=1), alice.start(steps=2)
    refused = alice.start(steps=3)
    assert error_of(refused, 429)["code"] == "too_much"
    assert int(refused["Retry-After"]) > 0
    assert alice.start(steps=2).status_code == 201, "joining costs nothing"


def test_events_come_page_by_page_and_end_in_the_archives_state(alice: Caller) -> None:
    pk = alice.start(steps=5).json()["id"]
    job = work()
    assert job is not None
    found, after, over = [], None, False
    while not over:
        asked = {"limit": 4} | ({"after": after} if after else {})
        answer = alice.get(f"runs/{pk}/events/", **asked).json()
        assert len(answer["events"]) <= 4
        found += answer["events"]
        after, over = answer["next"], answer["over"] and not answer["more"]
    assert state_at(found) == shown(job)
    assert len({(e["attempt"], e["seq"]) for e in found}) == len(found)
    nothing_more = alice.get(f"runs/{pk}/events/", after=after).json()
    assert nothing_more["events"] == [] and nothing_more["next"] == after


def test_events_of_a_run_that_is_going_on_come_from_the_live_stream(alice: Caller) -> None:
    from labs import stream

    pk = alice.start(steps=5).json()["id"]
    job = take()
    assert job is not None
    stream.begin(job)
    note = {"kind": "note", "name": "draws", "title": "", "sentence": "", "text": "One."}
    stream.append(job, 1, note)
    answer = alice.get(f"runs/{pk}/events/").json()
    assert [e["text"] for e in answer["events"]] == ["One."]
    assert answer["next"] == "1-1" and not answer["over"] and answer["state"] == "running"


@pytest.mark.parametrize("after", ["x", "1", "-1-2", "1-2-3", "1-2\n", "9" * 10_000, "٣-٣", "1-"])
def test_a_position_that_is_none_is_refused(alice: Caller, after: str) -> None:
    pk = alice.start().json()["id"]
    error = error_of(alice.get(f"runs/{pk}/events/", after=after), 400)
    assert list(error["fields"]) == ["after"]


def test_an_unknown_position_is_past_or_before_everything(alice: Caller) -> None:
    pk = alice.start(steps=2).json()["id"]
    work()
    assert alice.get(f"runs/{pk}/events/", after="0-0").json()["events"]
    assert not alice.get(f"runs/{pk}/events/", after="999-999").json()["events"]
