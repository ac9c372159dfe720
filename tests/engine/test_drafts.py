"""While a control moves: the newest change wins, nothing is kept, nobody else sees it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client

from accounts.models import Learner
from labs import drafts, live, stream
from labs.catalog.kernel_forge import compute
from labs.context import LabError
from labs.events import Event
from labs.lab import every_lab
from labs.models import Job, Run, State
from labs.models.run import Refused
from labs.state import Entry, state_at
from tests.engine import cast
from tests.engine.served import Site, Viewer, note, serving, until
from tests.faults.streams.client import Page, watch
from workers import sweeps
from workers.carry import carry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("commits")]
NONCE = "0123456789abcdef" * 2


@pytest.fixture
def alice() -> Client:
    return guest()


def guest() -> Client:
    client = Client()
    client.get("/labs/kernel-forge/")
    return client


def change(who: Client, number: int | str = "", nonce: str = NONCE, **params: Any) -> HttpResponse:
    data = {"number": str(number), "size": 64, **params}
    answer: Any = who.post(f"/labs/kernel-forge/drafts/{nonce}/", data)
    return answer  # type: ignore[no-any-return]


def draft(who: Client, nonce: str = NONCE) -> Job:
    learner = uuid.UUID(who.session["learner"])
    job: Job = Job.objects.get(draft=drafts.draft_id(learner, "kernel-forge", nonce))
    return job


def answers(job: Job) -> list[Entry]:
    return stream.read(job.stream)


def work() -> Job | None:
    return cast.work("interactive")


def test_a_change_is_computed_and_only_streamed(alice: Client) -> None:
    assert change(alice, 1, bias=7).status_code == 202
    job = work()
    assert job is not None and job.state == State.SUCCEEDED and job.key is None
    shown = state_at(answers(job))
    assert {"map", "kernel", "result"} <= set(shown)
    assert {e["attempt"] for e in shown.values()} == {1}, "an event's id begins with the number"
    assert not job.archived() and not Run.objects.exists()


def test_however_long_a_control_moves_its_stream_stays_short(alice: Client) -> None:
    for number in range(1, 41):
        change(alice, number)
        work()
    assert {entry["attempt"] for entry in answers(draft(alice))} == {draft(alice).number}


def test_the_newest_change_wins_and_an_older_one_is_refused(alice: Client) -> None:
    assert change(alice, 5, bias=5).status_code == 202
    assert change(alice, 4, bias=4).status_code == 208
    assert change(alice, 5, bias=55).status_code == 208
    assert change(alice, 9, bias=9).status_code == 202
    assert Job.objects.count() == 1
    job = work()
    assert job is not None and (job.number, job.params["bias"]) == (9, 9)
    assert work() is None, "what was overtaken is never computed"
    assert change(alice, 6, bias=6).status_code == 208, "also after the answer"


def test_a_draft_that_is_being_computed_is_followed_by_the_newest(alice: Client) -> None:
    change(alice, 1, bias=1)
    computing = cast.take("interactive")
    assert computing is not None
    for number in (2, 3, 4):
        assert change(alice, number, bias=number).status_code == 202
    assert draft(alice).state == State.RUNNING, "what runs is not disturbed"
    carry(computing)
    assert draft(alice).state == State.QUEUED
    work()
    assert {e["attempt"] for e in answers(computing)} == {4}
    assert draft(alice).state == State.SUCCEEDED and work() is None
    ids = [(e["attempt"], e["seq"]) for e in answers(computing)]
    assert ids == sorted(ids)


def test_a_number_from_far_in_the_future_blocks_nothing_for_long(alice: Client) -> None:
    change(alice, 999_999_999_999_999)
    assert draft(alice).number <= drafts.now_number() + 60_000


@pytest.mark.parametrize("number", ["", "-1", "x", "1e9", "9" * 400, "٣"])
def test_an_odd_number_counts_as_now(alice: Client, number: str) -> None:
    assert change(alice, number).status_code == 202
    assert abs(draft(alice).number - drafts.now_number()) < 60_000


def test_two_pages_of_one_learner_do_not_disturb_each_other(alice: Client) -> None:
    change(alice, 100, bias=1)
    assert change(alice, 1, nonce="f" * 32, bias=2).status_code == 202
    assert draft(alice).params["bias"] == 1 and draft(alice, "f" * 32).params["bias"] == 2


def test_the_same_address_is_another_draft_for_another_guest(alice: Client) -> None:
    bob = guest()
    change(alice, 100, bias=1)
    assert change(bob, 1, bias=2).status_code == 202
    assert draft(alice).pk != draft(bob).pk
    assert draft(alice).stream != draft(bob).stream and draft(alice).params["bias"] == 1


def test_a_setting_out_of_range_is_answered_at_its_control(alice: Client) -> None:
    answer: Any = change(alice, 1, stride=9, padding="all")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "stride": "Stride must be a whole number from 1 to 4 pixels.",
        "padding": "Padding must be one of these: None, Same.",
    }
    assert not Job.objects.exists()


def test_a_picture_of_another_learner_is_answered_at_its_control(alice: Client) -> None:
    answer: Any = change(alice, 1, picture=f"own:{uuid.uuid4()}")
    assert answer.status_code == 422 and "not among yours" in answer.json()["errors"]["picture"]


def test_a_lab_that_is_not_live_has_no_drafts(alice: Client) -> None:
    assert alice.post(f"/labs/hidden-kernel/drafts/{NONCE}/").status_code == 404


def test_a_change_that_cannot_be_computed_says_so_and_the_next_works(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(params: object, ctx: object) -> Iterator[Event | None]:
        raise LabError("The kernel is larger than the picture. Choose a larger picture.")
        yield None

    change(alice, 1)
    with monkeypatch.context() as patch:
        patch.setattr(compute, "run", refuses)
        job = work()
    assert job is not None
    [problem] = answers(job)
    assert (problem["kind"], problem["attempt"]) == ("problem", 1)
    assert problem["reason"].startswith("The kernel is larger")
    assert change(alice, 2).status_code == 202
    work()
    assert "map" in state_at(answers(job)) and draft(alice).state == State.SUCCEEDED


def test_a_fault_of_ours_is_said_in_words_too(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(params: object, ctx: object) -> Iterator[Event | None]:
        raise RuntimeError("a secret of the machine")
        yield None

    change(alice, 1)
    monkeypatch.setattr(compute, "run", breaks)
    job = work()
    assert job is not None
    [problem] = answers(job)
    assert "secret" not in problem["reason"] and "our side" in problem["reason"]


def test_drafts_take_no_waiting_place_but_count_in_the_seconds_of_the_day(
    alice: Client, settings: Any
) -> None:
    settings.WAITING_A_LEARNER = 1
    for n in range(4):
        assert change(alice, 1, nonce=f"{n}" * 32).status_code == 202
    learner = Learner.objects.get()
    cast.start(learner, steps=3)
    job = work()
    assert job is not None and job.seconds > 0
    assert change(alice, 2, nonce="0" * 32).status_code == 202
    Job.objects.filter(pk=job.pk).update(seconds=3_600)
    answer: Any = change(alice, 3, nonce="0" * 32)
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
    assert "60 minutes of computing" in answer.json()["message"]
    with pytest.raises(Refused):
        cast.start(learner, steps=4)


def test_the_seconds_of_every_answer_add_up(alice: Client) -> None:
    change(alice, 1)
    work()
    first = draft(alice).seconds
    change(alice, 2)
    work()
    assert draft(alice).seconds > first > 0


def test_a_draft_follows_the_lab_when_it_is_updated(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is open while a new version is brought up goes on with the new workers."""
    with monkeypatch.context() as patch:
        patch.setattr("labs.models.run.code_version", lambda lab: "0" * 64)
        change(alice, 1)
    assert work() is None, "no worker of that version is here"
    change(alice, 2)
    assert work() is not None


def test_a_finished_run_of_an_older_version_says_that_it_cannot_be_asked() -> None:
    learner = cast.learner()
    run = cast.start(learner, steps=2)
    cast.work()
    Job.objects.update(code_version="0" * 64)
    run = Run.objects.get()
    with pytest.raises(Refused, match="earlier version"):
        drafts.ask(learner, run, "draw", every_lab()["steady"].params(), 1)


def test_drafts_are_swept_after_an_hour(alice: Client, settings: Any) -> None:
    change(alice, 1)
    change(alice, 1, nonce="f" * 32)
    old = timedelta(seconds=settings.KEEP_DRAFTS + 1)
    Job.objects.filter(pk=draft(alice).pk).update(queued_at=Now() - old)
    sweeps.sweep_drafts()
    assert [job.pk for job in Job.objects.all()] == [draft(alice, "f" * 32).pk]
    assert change(alice, 2).status_code == 202, "the page that is still open goes on"


def test_a_draft_whose_seconds_still_count_stays_for_a_day(alice: Client, settings: Any) -> None:
    change(alice, 1)
    work()
    old = Now() - timedelta(seconds=settings.KEEP_DRAFTS + 1)
    Job.objects.update(queued_at=old, claimed_at=old, seconds=settings.SECONDS_A_DAY)
    sweeps.sweep_drafts()
    assert change(alice, 2, nonce="f" * 32).status_code == 429
    Job.objects.update(claimed_at=Now() - timedelta(days=1, seconds=1))
    sweeps.sweep_drafts()
    assert not Job.objects.exists()
    assert change(alice, 3).status_code == 202


# --- on the page's stream


@pytest.fixture
async def site(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    async with serving(monkeypatch) as made:
        yield made


def follow(site: Site, cookie: str) -> Viewer:
    page = Page()
    path = f"/labs/kernel-forge/drafts/{NONCE}/events/"
    viewer = Viewer(page, asyncio.create_task(watch(page, site.port, path, cookie)))
    site.viewers.append(viewer)
    return viewer


def changed(learner: Learner, number: int, **params: Any) -> Job:
    """A change of the learner's page that a worker has taken."""
    lab = every_lab()["kernel-forge"]
    assert drafts.change(learner, lab, NONCE, lab.params.model_validate(params), number).taken
    job = cast.take("interactive")
    assert job is not None
    return job


def event(job: Job, seq: int, text: str) -> None:
    stream.append(job, seq, note(text, name="cell"))


@pytest.mark.django_db(transaction=True)
async def test_only_the_page_of_its_learner_sees_a_draft(site: Site) -> None:
    alice, hers = await site.guest()
    _, his = await site.guest()
    page, other, nobody = follow(site, hers), follow(site, his), follow(site, "")
    await until(lambda: len(live.hub().feeds) == 2 and nobody.ended)
    event(await site.ask(changed, alice, 1), 1, "of alice's picture")
    await until(lambda: page.shows("of alice's picture") or page.shows("alice&#x27;s"))
    await asyncio.sleep(0.2)
    assert other.page.messages == 0 == nobody.page.messages
    assert nobody.page.closed


@pytest.mark.django_db(transaction=True)
async def test_signing_out_ends_the_stream_and_its_address_shows_nothing_more(
    site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOOK_EVERY = 0.2
    monkeypatch.setattr(live, "CHECK_EVERY", 0.1)
    alice, hers = await site.guest()
    page = follow(site, hers)
    await until(lambda: live.hub().feeds)
    event(await site.ask(changed, alice, 1), 1, "before")
    await until(lambda: page.shows("before"))

    def sign_out() -> None:
        client = Client(headers={"cookie": hers})
        assert client.post("/sign-out/").status_code == 302

    await site.ask(sign_out)
    await until(lambda: page.ended)
    again = follow(site, hers)
    await until(lambda: again.ended)
    assert again.page.closed and not again.page.messages


@pytest.mark.django_db(transaction=True)
async def test_a_problem_is_shown_in_the_status_line_until_an_answer_comes(site: Site) -> None:
    alice, hers = await site.guest()
    page = follow(site, hers)
    await until(lambda: live.hub().feeds)
    job = await site.ask(changed, alice, 1)
    problem = {"kind": "problem", "name": "status", "reason": "It is too <large>."}
    stream.append(job, 1, problem)
    await until(lambda: "It is too &lt;large&gt;." in page.page.places.get("status", ""))
    job.number = 2
    stream.append(job, 1, note("an answer", name="cell"))
    await until(lambda: page.shows("an answer"))
    late = follow(site, hers)
    await until(lambda: late.shows("an answer"))
    assert page.page.last_id == late.page.last_id == "2-1", "the answer comes last, for all"
