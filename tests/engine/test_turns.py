"""Attempts that overlap, checkpoints that are lost, leases that end: one case each."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.db import InterfaceError, OperationalError
from django.db.models.functions import Now

from labs import drafts, stream
from labs.lab import every_lab
from labs.models import Job, State, Turn
from labs.models.turn import PATIENCE, Queue, next_in_turn, take_over
from labs.panel import status_of
from tests.engine.cast import account, learner, live, shown, start, take, versions, work
from tests.engine.puppet import Attempt, pull_the_strings
from workers import lease, life, reaper

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("commits")]


def test_an_attempt_that_was_given_up_cannot_fail_the_job_that_waits_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pull_the_strings(monkeypatch)
    run = start(learner())
    job = take()
    assert job is not None
    stale = Attempt(job)
    Job.objects.get(pk=job.pk).lapse()
    stale.go("break")
    run.job.refresh_from_db()
    assert run.job.state == State.QUEUED and run.job.tries == 1


def test_a_cancelled_run_shows_what_its_last_attempt_had_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pull_the_strings(monkeypatch)
    run = start(learner())
    first = take()
    assert first is not None
    stale = Attempt(first)
    for _ in range(3):
        stale.go("yield")
    Job.objects.get(pk=first.pk).lapse()
    second = take()
    assert second is not None
    last = Attempt(second)
    last.go("yield")
    run.cancel()
    stream.close(Job.objects.get(pk=first.pk), State.CANCELLED)
    stale.go("yield")
    assert stale.over and not run.job.archived(), "an attempt before the last leaves nothing"
    last.go("yield")
    assert last.over
    assert {e["attempt"] for e in run.job.archived()} == {2}
    assert next(e["seq"] for e in run.job.archived()) == 1


def test_a_lost_checkpoint_starts_the_run_over_from_its_first_event() -> None:
    run = start(learner(), steps=4, save_every=2, seed=3)
    job = take()
    assert job is not None
    folder = Path(site.FILES_ROOT) / "checkpoints"
    assert job.keep_checkpoint("gone.safetensors", [{"seq": n, "kind": "note"} for n in (1, 2)], 2)
    assert job.requeue() and not (folder / "gone.safetensors").exists()
    work()
    run.job.refresh_from_db()
    assert run.job.state == State.SUCCEEDED
    archived = run.job.archived()
    assert [e["seq"] for e in archived] == list(range(1, len(archived) + 1))
    assert {e["attempt"] for e in archived} == {2}
    assert live(run.job)[0]["from"] == 0


def test_a_draft_whose_worker_died_is_answered_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pull_the_strings(monkeypatch)
    lab, alice = every_lab()["steady"], learner()
    assert drafts.change(alice, lab, "page", lab.params.model_validate({}), 7).taken
    first = take()
    assert first is not None
    dead = Attempt(first)
    for _ in range(3):
        dead.go("yield")
    dead.crash()
    assert take_over(life.this_process(), lambda worker: True)
    second = take()
    assert second is not None and second.pk == first.pk
    alive = Attempt(second)
    alive.go("yield")
    alive.go("finish")
    second.refresh_from_db()
    assert second.state == State.SUCCEEDED
    assert live(second)[-1]["kind"] == "result" and live(second)[-1]["attempt"] == 7


def test_a_worker_takes_over_at_once_what_a_dead_process_of_its_host_has_left() -> None:
    start(learner(), steps=2)
    job = take()
    assert job is not None
    assert not take_over(life.this_process(), life.is_gone), "this process lives"
    gone = {**job.worker, "start": job.worker["start"] - 1}
    Job.objects.filter(pk=job.pk).update(worker=gone)
    elsewhere = {**life.this_process(), "host": "another"}
    assert not take_over(elsewhere, life.is_gone), "another host's processes are not seen from here"
    assert [j.pk for j in take_over(life.this_process(), life.is_gone)] == [job.pk]
    finished = work()
    assert finished is not None and finished.attempt == 2 and finished.state == State.SUCCEEDED


def test_a_run_that_waits_for_a_version_that_is_gone_ends_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = start(learner(), steps=2)
    Job.objects.update(code_version="0" * 64)
    reaper.end_outdated()
    run.job.refresh_from_db()
    assert run.job.state == State.QUEUED, "a worker of that version may still come"
    monkeypatch.setattr(reaper, "OUTDATED_AFTER", -reaper.OUTDATED_AFTER)
    reaper.end_outdated()
    run.job.refresh_from_db()
    assert run.job.state == State.FAILED and "updated while your run waited" in run.job.reason


def test_every_job_is_computed_anew_when_the_code_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 28: 20 finished runs, another code version, and none of them is replayed."""
    alice = learner()
    before = []
    for seed in range(20):
        before.append(start(alice, steps=1, seed=seed))
        work()
    assert all(start(alice, steps=1, seed=seed).replay for seed in range(20))
    monkeypatch.setattr("labs.models.run.code_version", lambda lab: "e" * 64)
    after = []
    monkeypatch.setattr("tests.engine.cast.code_version", lambda lab: "e" * 64)
    for seed in range(20):
        after.append(start(alice, steps=1, seed=seed))
        work()
    assert not any(run.replay for run in after)
    assert {run.job_id for run in after}.isdisjoint({run.job_id for run in before})
    for run in before + after:
        run.job.refresh_from_db()
        assert run.job.state == State.SUCCEEDED and shown(run.job), "old archives stay readable"


class Watched:
    """A lease in a hurry, whose end of the process is only noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended = threading.Event()
        monkeypatch.setattr(lease, "LOOK_EVERY", 0.01)
        monkeypatch.setattr("workers.lease.os.kill", lambda *_: self.ended.set())

    def hold(self, limit: float = 60) -> lease.Lease:
        held = lease.Lease(Job(pk=1, lab="steady", attempt=1, state=State.RUNNING))
        held.limit = limit
        return held


def raises(error: Exception) -> Any:
    def raiser(*_: Any, **__: Any) -> bool:
        raise error

    return raiser


def test_the_time_limit_ends_the_process_also_when_the_row_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(monkeypatch)
    monkeypatch.setattr(lease.Lease, "_still_ours", lambda self: True)
    monkeypatch.setattr(Job, "time_out", raises(OperationalError("database is locked")))
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with watched.hold(limit=0):
        assert watched.ended.wait(5)


@pytest.mark.parametrize("what", ["heartbeat", "limit", "cancel"])
def test_a_database_that_hangs_holds_up_no_end(
    monkeypatch: pytest.MonkeyPatch, settings: Any, what: str
) -> None:
    """Queries that never return, neither with an answer nor with an error."""
    settings.HEARTBEAT = 60 if what == "cancel" else 0.02  # it looks for a cancel between two
    settings.HEARTBEAT_LOST = 0.2 if what == "heartbeat" else 30
    settings.CANCEL_GRACE = 0.2
    watched, let_go = Watched(monkeypatch), threading.Event()
    monkeypatch.setattr(lease, "ROW_GRACE", 0.2)

    def hang(*_: Any, **__: Any) -> bool:
        let_go.wait(10)
        return False

    monkeypatch.setattr(lease.Lease, "_still_ours", lambda self: what != "cancel")
    for name in ("renew", "time_out") if what != "cancel" else ():
        monkeypatch.setattr(Job, name, hang)
    with watched.hold(limit=0.1 if what == "limit" else 60):
        assert watched.ended.wait(5)
    let_go.set()


def test_a_lost_connection_to_the_database_is_no_failure_of_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pull_the_strings(monkeypatch)
    run = start(learner())
    job = take()
    assert job is not None
    attempt = Attempt(job)
    attempt.go("yield")
    with monkeypatch.context() as patch:
        patch.setattr(Job, "keep_checkpoint", raises(OperationalError("terminating connection")))
        patch.setattr("workers.carry.connection.close", lambda: None)  # it is this test's own
        attempt.go("save")
    run.job.refresh_from_db()
    assert (attempt.over, run.job.state, run.job.tries) == (True, State.QUEUED, 1)
    assert work() is not None


def test_what_was_computed_counts_in_the_day_however_it_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pull_the_strings(monkeypatch)
    for seed, end in enumerate(("cancel", "refuse", "break", "finish", "lapse")):
        run = start(learner(), seed=seed)
        job = take()
        assert job is not None
        attempt = Attempt(job)
        attempt.go("yield")
        if end == "cancel":
            run.cancel()
        if end == "lapse":
            Job.objects.get(pk=job.pk).lapse()
        with monkeypatch.context() as patch:
            later = time.monotonic() + 50
            patch.setattr("workers.carry.time.monotonic", lambda now=later: now)
            attempt.lease.beat()
            attempt.go(end if end in ("refuse", "break", "finish") else "yield")
        run.job.refresh_from_db()
        assert attempt.over and 50 <= run.job.seconds < 60, end
        if end == "lapse":
            run.cancel()


def test_a_lease_that_was_renewed_at_the_last_moment_is_not_taken_for_lapsed() -> None:
    start(learner(), steps=2)
    job = take()
    assert job is not None
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))
    [seen] = Job.objects.lapsed()
    job.renew()
    assert not seen.lapse(lease_until__lt=Now())
    assert Job.objects.get(pk=job.pk).state == State.RUNNING


def test_who_is_next_is_as_told_in_words_whatever_waits(settings: Any) -> None:
    """First what was interrupted, then accounts, then guests; of these the least recently served
    (of guests: address) that has room in the lane; theirs the oldest first."""
    settings.RUNNING_AN_ADDRESS = 2
    chance = random.Random(7)
    accounts, guests = [account(f"a{n}") for n in range(3)], [learner() for _ in range(5)]
    for _ in range(12):
        Job.objects.all().delete()
        Turn.objects.all().delete()
        for n in range(25):
            payer = chance.choice([None, *accounts, *guests])
            attempt = chance.choice([0, 0, 0, 1])
            Job.objects.create(
                lab="steady",
                lane=chance.choice(["training", "training", "interactive"]),
                params={},
                code_version=chance.choice([*versions(), "gone"]),
                payer=payer,
                address=chance.choice(["", *ADDRESSES]) if payer in guests else "",
                state=chance.choice(["queued"] * 4 + ["running", "succeeded"]),
                attempt=attempt,
                draft=chance.choice([None, None, uuid.uuid4()]),
                tries=attempt and chance.choice([0, 1]),
                queued_at=Now() - timedelta(seconds=n),
            )
        for who in chance.sample([*accounts, *guests, *ADDRESSES], 6):
            served = {"address": who} if isinstance(who, str) else {"learner": who}
            at = Now() - timedelta(seconds=chance.randrange(99))
            Turn.objects.create(lane="training", served_at=at, **served)
        assert [j.pk for j in next_in_turn("training", versions())] == in_words("training")


ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::"]


def in_words(lane: str) -> list[int]:
    mine = list(Job.objects.filter(lane=lane).select_related("payer"))
    running = [j for j in mine if j.state == State.RUNNING]
    payers = {j.payer_id for j in running if j.payer_id}
    addresses = Counter(j.address for j in running if j.address)
    turns = {t.address or t.learner_id: t.served_at for t in Turn.objects.all()}

    def turn(job: Job) -> tuple[Any, ...]:
        was_begun = bool(job.tries or (job.attempt and not job.draft))
        is_guest = job.payer is None or job.payer.is_guest
        served = turns.get(job.address or job.payer_id, datetime.min.replace(tzinfo=UTC))
        return (0 if was_begun else 1 + is_guest, served, job.queued_at, job.pk)

    waiting = [
        j
        for j in mine
        if j.state == State.QUEUED
        and j.code_version in versions()
        and j.payer_id not in payers
        and addresses[j.address] < 2
    ]
    return [j.pk for j in sorted(waiting, key=turn)]


def test_what_was_interrupted_goes_on_before_what_waits() -> None:
    """Rows 1, 2 and 4: a restart, and a worker that died, cost a run no turn."""
    for n, interrupt in enumerate((Job.requeue, Job.lapse)):
        hers = start(account(f"alice{n}"), seed=10 * n)
        job = take()
        assert job is not None and job.pk == hers.job_id
        for seed in range(1, 4):
            start(account(f"bob{n}{seed}"), seed=10 * n + seed)
        assert interrupt(job)
        again = take()
        assert again is not None and (again.pk, again.attempt) == (job.pk, 2)
        Job.objects.all().update(state=State.CANCELLED)


def test_a_draft_that_changes_again_was_not_interrupted() -> None:
    lab, alice, bob = every_lab()["steady"], learner(), learner()
    drafts.change(alice, lab, "page", lab.params.model_validate({}), 1)
    work()
    start(bob, seed=1)
    drafts.change(alice, lab, "page", lab.params.model_validate({"steps": 2}), 2)
    job = take()
    assert job is not None and job.payer == bob


def test_guests_without_cookies_at_one_address_have_one_turn_together() -> None:
    """A new cookie makes nobody "never served"; an account goes before them all."""
    for seed in range(12):
        start(learner(), seed=seed, address="192.0.2.1")
    start(learner(), seed=50, address="192.0.2.2")
    start(account("alice"), seed=60, address="192.0.2.1")
    seeds = []
    for _ in range(4):
        job = take()
        assert job is not None and job.succeed({}, [])
        seeds.append(job.seed)
    assert seeds == [60, 0, 50, 1]


def test_accounts_do_not_keep_guests_waiting_for_ever() -> None:
    """Where no guest was served for ten minutes, one goes first; then accounts again."""
    guests = [start(learner(), seed=n, address=f"192.0.2.{n}") for n in (1, 2)]
    accounts = [start(account(f"a{n}"), seed=10 + n) for n in range(3)]
    first = take()
    assert first is not None and first.pk == accounts[0].job_id
    Job.objects.filter(state=State.QUEUED).update(queued_at=Now() - PATIENCE)
    pks = [job.pk for _ in range(4) if (job := take())]
    order = [guests[0], accounts[1], accounts[2], guests[1]]
    assert pks == [run.job_id for run in order]


def test_an_address_runs_a_few_at_a_time_and_an_account_there_is_none_of_them(
    settings: Any,
) -> None:
    settings.RUNNING_AN_ADDRESS = 2
    for seed in range(4):
        start(learner(), seed=seed, address="192.0.2.1")
    assert [job.seed for _ in range(4) if (job := take())] == [0, 1]
    start(account("alice"), seed=9, address="192.0.2.1")
    assert [job.seed for _ in range(4) if (job := take())] == [9]


def test_the_migration_remembers_whom_the_last_day_served() -> None:
    who, long_ago = account("alice"), account("bob")
    for payer, address, ago in (
        (who, "", timedelta(hours=1)),
        (who, "", timedelta(hours=2)),
        (learner(), "192.0.2.1", timedelta(hours=3)),
        (long_ago, "", timedelta(days=2)),
    ):
        job = start(payer, seed=len(Job.objects.all()), address=address).job
        Job.objects.filter(pk=job.pk).update(claimed_at=Now() - ago)
    import_module("labs.migrations.0003_turns").remember_the_last_day(apps, None)
    assert {(t.learner, t.address) for t in Turn.objects.all()} == {
        (who, None),
        (None, "192.0.2.1"),
    }
    newest = Job.objects.filter(payer=who).latest("claimed_at").claimed_at
    assert Turn.objects.get(learner=who).served_at == newest


def test_who_pays_on_counts_for_an_address_of_its_own() -> None:
    runs = [
        start(who, seed=1, address="192.0.2.1")
        for who in (learner(), learner("2001:db8::"), account("alice"))
    ]
    for run, address in zip(runs[:2], ("2001:db8::", ""), strict=True):
        run.cancel()
        job = Job.objects.get()
        assert (job.address, job.state) == (address, State.QUEUED)


def test_a_place_in_the_queue_is_that_of_the_turn() -> None:
    alice, bob = learner(), learner()
    for n in range(3):
        start(alice, seed=n, steps=1)
    take()
    start(bob, seed=9, steps=1)
    queue = Queue.of("training")
    hers, his = Job.objects.waiting().filter(payer=alice), Job.objects.get(payer=bob)
    assert queue.place(his) == 1, "she has one running, so he is next"
    assert [queue.place(job) for job in hers] == [2, 2]
    assert queue.seconds_until(his) > 0


def test_a_lease_outlives_a_database_that_was_away(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.HEARTBEAT, settings.HEARTBEAT_LOST = 0.02, 30
    watched = Watched(monkeypatch)
    answers: list[Any] = [InterfaceError("connection already closed")] * 3 + [True] * 1_000

    def renew(self: Job) -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    monkeypatch.setattr(Job, "renew", renew)
    monkeypatch.setattr(lease.Lease, "_still_ours", lambda self: True)
    with watched.hold() as held:
        end = time.monotonic() + 5
        while len(answers) > 990 and time.monotonic() < end:
            time.sleep(0.02)
        assert len(answers) <= 990, "it went on renewing"
        assert not held.lost and not watched.ended.is_set()


def test_a_lease_that_cannot_be_renewed_for_long_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.HEARTBEAT, settings.HEARTBEAT_LOST = 0.02, 0.2
    watched = Watched(monkeypatch)
    monkeypatch.setattr(Job, "renew", raises(OperationalError("gone away")))
    monkeypatch.setattr(lease.Lease, "_still_ours", lambda self: True)
    with watched.hold():
        assert watched.ended.wait(5)


# --- the lab's limit


def time_out(job: Job) -> None:
    """The watchdog of an attempt whose time is up."""
    watchdog = lease.Lease(job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workers.lease.os.kill", lambda *_: None)
        watchdog._time_out()


def test_a_run_that_took_too_long_is_tried_once_more_and_then_fails_with_its_labs_remedy() -> None:
    run = start(learner(), "hidden-kernel")
    for attempt in (1, 2):
        job = take("interactive")
        assert job is not None and job.attempt == attempt
        stream.client().delete("interactive")
        time_out(job)
        rung = stream.client().exists("interactive")
        run.job.refresh_from_db()
        if attempt == 1:
            assert (run.job.state, run.job.tries, bool(rung)) == (State.QUEUED, 1, True)
            said = status_of(run.job)
            assert (
                said["text"] == "Restarting, attempt 2" and "longer than the 60 s" in said["reason"]
            )
    assert (run.job.state, run.job.ran, rung) == (State.FAILED, {"reason": "time"}, 0)
    assert run.job.reason.endswith("we stopped it. Take fewer steps or a smaller batch.")
    assert take("interactive") is None


def test_a_run_that_took_too_long_and_then_not_is_done() -> None:
    run = start(learner(), steps=2)
    job = take()
    assert job is not None
    time_out(job)
    assert work() is not None
    run.job.refresh_from_db()
    assert run.job.state == State.SUCCEEDED and "reason" not in run.job.ran


def test_a_time_out_is_no_try_beyond_the_last() -> None:
    run = start(learner())
    for _ in range(site.TRIES - 1):
        job = take()
        assert job is not None and job.lapse()
    job = take()
    assert job is not None
    time_out(job)
    run.job.refresh_from_db()
    assert (run.job.state, run.job.tries) == (State.FAILED, site.TRIES)


def test_a_draft_that_took_too_long_is_not_tried_again() -> None:
    who, lab = learner(), every_lab()["steady"]
    drafts.change(who, lab, "page", lab.params(), 1)
    job = take("training")
    assert job is not None and job.draft
    time_out(job)
    job.refresh_from_db()
    assert (job.state, job.ran) == (State.FAILED, {"reason": "time"})
