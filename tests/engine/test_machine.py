"""The run engine as a state machine: real models, real Carriers, a real Redis, any order of events.

Starts, joins, cancels, claims, heartbeats, lapses, crashes, restarts, duplicate bells, checkpoints,
an emptied Redis, and attempts that go on after they were declared dead. CI runs 50 orders of 30
steps, always the same; CONVOLAB_FULL=1 runs 500 new ones of 60 steps. A step of a worker is a few
orders at once, so that 30 steps get somewhere.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.db.models import Count
from django.db.models.functions import Now
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Learner
from labs import drafts, stream
from labs.lab import every_lab
from labs.models import Artifact, Job, Part, Run, State
from labs.models.job import FINAL, LIVE, SHARED, TIMED_OUT
from labs.models.run import Refused
from labs.models.turn import claim, take_over
from labs.state import state_at
from tests.engine.cast import learner, live, start, versions
from tests.engine.puppet import Attempt, pull_the_strings
from workers import life, reaper

FULL = os.environ.get("CONVOLAB_FULL") == "1"
PROFILE = settings(
    max_examples=500 if FULL else 50,
    stateful_step_count=60 if FULL else 30,
    derandomize=not FULL,
    deadline=None,
    phases=list(Phase) if FULL else [Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MANY = st.integers(0, 1_000)
FEW = st.integers(0, 2)
GOES_ON = st.sampled_from(["yield", "yield", "save", "pause"])
ENDS = st.sampled_from(["yield", "save", "finish", "refuse", "break"])
ORDERS = st.tuples(st.lists(GOES_ON, max_size=4), ENDS).map(lambda said: [*said[0], said[1]])


def clear() -> None:
    for model in (Artifact, Part, Run, Job, Learner):
        model.objects.all().delete()
    stream.client().flushdb()


class Engine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        clear()
        self.cast = [learner() for _ in range(3)]
        self.attempts: list[Attempt] = []
        self.crashed: set[int] = set()
        self.claimed: set[tuple[int, int]] = set()
        self.ended: dict[int, str] = {}
        self.newest: dict[int, int] = {}
        self.numbers: dict[int, int] = {}
        self.emptied = False

    @initialize(n=st.integers(1, 3))
    def begin(self, n: int) -> None:
        for who in range(n):
            self.start(who, who)
            self.bell()

    # --- learners

    @rule(who=FEW, key=FEW)
    def start(self, who: int, key: int) -> None:
        mine = Job.objects.kept().waiting().filter(payer=self.cast[who])
        known = Job.objects.filter(seed=key, state__in=SHARED, draft=None)
        before = list(known.values_list("pk", flat=True))
        try:
            run = start(self.cast[who], seed=key)
        except Refused:
            assert mine.count() >= site.WAITING_A_LEARNER and not before
            return
        assert run.job.state in SHARED
        assert [run.job_id] == before or not before, "it joins or replays what there is"

    @rule(n=MANY)
    def cancel(self, n: int) -> None:
        runs = list(Run.objects.order_by("started_at", "pk"))
        if runs:
            run = runs[n % len(runs)]
            was_over = run.is_over
            assert run.cancel() != was_over
            assert Run.objects.get(pk=run.pk).is_over

    @rule(who=FEW, number=st.integers(1, 9))
    def drag(self, who: int, number: int) -> None:
        """A control moves; changes may arrive in any order."""
        lab = every_lab()["steady"]
        newer = number > self.numbers.get(who, 0)
        params = lab.params.model_validate({"steps": number})
        assert drafts.change(self.cast[who], lab, "page", params, number).taken == newer
        self.numbers[who] = max(number, self.numbers.get(who, 0))

    # --- workers

    @rule()
    def bell(self) -> None:
        """A bell, needed or not."""
        job = claim("training", versions(), self.worker())
        if job is None:
            return
        assert (job.pk, job.attempt) not in self.claimed, "an attempt is claimed once"
        self.claimed.add((job.pk, job.attempt))
        running = Job.objects.running().filter(payer=job.payer, lane=job.lane)
        assert running.count() <= site.RUNNING_A_LANE
        self.attempts.append(Attempt(job))

    def worker(self) -> dict[str, Any]:
        return {"host": "here", "boot": "this", "pid": len(self.claimed), "start": 0}

    @precondition(lambda self: self.attempts)
    @rule(n=MANY, orders=ORDERS)
    def work(self, n: int, orders: list[str]) -> None:
        """An attempt goes on, the right one or a stale one."""
        attempt = self.attempts[n % len(self.attempts)]
        for order in orders:
            if not attempt.over:
                self.obey(attempt, order)
        self.forget()

    def obey(self, attempt: Attempt, order: str) -> None:
        """A stale attempt changes nothing."""
        job = Job.objects.get(pk=attempt.pk)
        is_stale = (job.state, job.attempt) != (State.RUNNING, attempt.number)
        before = self.row_of(attempt.pk)
        attempt.go(order)
        if is_stale:
            assert self.row_of(attempt.pk) == before
        overtaken = job.attempt > attempt.number and not job.draft and not self.emptied
        if overtaken and order == "yield":
            assert attempt.over, "the stream refused its smaller id"

    def row_of(self, pk: int) -> dict[str, Any]:
        row: dict[str, Any] = dict(Job.objects.filter(pk=pk).values().get())
        del row["seconds"]  # what was computed counts, whoever did it
        if row["state"] != State.CANCELLED:  # then its last attempt may leave what it had shown
            row["parts"] = list(Part.objects.filter(job=pk).order_by("first").values_list("last"))
        return row

    @precondition(lambda self: self.attempts)
    @rule(n=MANY)
    def heartbeat(self, n: int) -> None:
        self.beat(self.attempts[n % len(self.attempts)])

    def beat(self, attempt: Attempt) -> None:
        ours = Job.objects.running().filter(pk=attempt.pk, attempt=attempt.number)
        is_ours = ours.exists()
        attempt.lease.beat()
        assert attempt.lease.lost != is_ours
        assert not is_ours or ours.filter(lease_until__gt=Now()).exists()

    @precondition(lambda self: self.attempts)
    @rule(n=MANY)
    def crash(self, n: int) -> None:
        attempt = self.attempts[n % len(self.attempts)]
        attempt.crash()
        self.crashed.add(attempt.pid)
        self.forget()

    @precondition(lambda self: self.attempts)
    @rule(n=MANY)
    def restart(self, n: int) -> None:
        """The worker is told to stop: the attempt saves at its next stopping point."""
        attempt = self.attempts[n % len(self.attempts)]
        job = Job.objects.get(pk=attempt.pk)
        before = self.row_of(attempt.pk)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(life, "stopping", lambda: True)
            attempt.go("pause")
            if not attempt.over:
                attempt.go("finish")
        after = Job.objects.get(pk=attempt.pk)
        if (job.state, job.attempt) != (State.RUNNING, attempt.number):
            assert self.row_of(attempt.pk) == before
        elif not job.draft and not attempt.lease.lost:
            assert after.state == State.QUEUED and after.tries == job.tries and after.checkpoint
        self.forget()

    @precondition(lambda self: self.attempts)
    @rule(n=MANY)
    def time_out(self, n: int) -> None:
        """The watchdog ends an attempt whose time is up: the row first, then the process."""
        attempt = self.attempts[n % len(self.attempts)]
        before = Job.objects.get(pk=attempt.pk)
        ours = (before.state, before.attempt) == (State.RUNNING, attempt.number)
        assert attempt.lease.job.time_out("It took too long.") == ours
        after = Job.objects.get(pk=attempt.pk)
        if ours and (before.draft or before.ran == TIMED_OUT):
            assert (after.state, after.reason) == (State.FAILED, "It took too long.")
        elif ours:
            assert after.tries == before.tries + 1 and after.ran == TIMED_OUT
        attempt.crash()
        self.forget()

    def forget(self) -> None:
        self.attempts = [attempt for attempt in self.attempts if not attempt.over]

    # --- those who look after

    @rule()
    def take_over(self) -> None:
        for job in take_over(self.worker(), lambda worker: worker["pid"] in self.crashed):
            assert job.state in (State.QUEUED, State.FAILED)

    @rule(n=MANY, orders=st.none() | ORDERS)
    def lapse(self, n: int, orders: list[str] | None) -> None:
        """A lease runs out; with orders, another attempt begins and the first goes on as well."""
        running = list(Job.objects.running().order_by("pk"))
        if running:
            past = Now() - timedelta(seconds=1)
            Job.objects.filter(pk=running[n % len(running)].pk).update(lease_until=past)
        reaper.take_back_lapsed()
        assert not Job.objects.lapsed().exists()
        if running and orders:
            for _ in self.cast:  # others may be served first
                self.bell()
            late = next((a for a in self.attempts if a.pk == running[n % len(running)].pk), None)
            for order in orders:
                if late and not late.over:
                    self.obey(late, order)
            if late and not late.over:
                self.beat(late)
            self.forget()

    @precondition(lambda self: len(self.claimed) > 4)
    @rule()
    def empty_redis(self) -> None:
        stream.client().flushdb()
        self.emptied = True

    # --- what always holds

    @invariant()
    def it_holds(self) -> None:
        self.final_states_are_final_and_attempts_only_grow()
        self.one_job_a_key()
        self.a_job_lives_while_a_run_does_and_one_of_those_pays()
        self.the_archive_has_no_gap()

    def final_states_are_final_and_attempts_only_grow(self) -> None:
        for job in Job.objects.all():
            assert job.attempt >= self.newest.get(job.pk, 0)
            self.newest[job.pk] = job.attempt
            assert job.tries < site.TRIES or job.state not in LIVE or job.draft
            assert (job.lease_until is not None) == (job.state == State.RUNNING)
            if job.draft is None:
                assert self.ended.get(job.pk, job.state) == job.state
                if job.state in FINAL:
                    self.ended[job.pk] = job.state

    def one_job_a_key(self) -> None:
        shared = Job.objects.kept().filter(state__in=SHARED).values("key")
        assert not shared.annotate(n=Count("pk")).filter(n__gt=1).exists()

    def a_job_lives_while_a_run_does_and_one_of_those_pays(self) -> None:
        for job in Job.objects.kept():
            runs = job.runs.filter(cancelled_at=None)
            if job.state in LIVE:
                assert runs.filter(learner=job.payer).exists()
            elif job.state == State.CANCELLED:
                assert not runs.exists()

    def the_archive_has_no_gap(self) -> None:
        for job in Job.objects.all():
            seqs = [event["seq"] for event in job.archived()]
            assert seqs == list(range(1, len(seqs) + 1))
            if job.state in LIVE:
                assert len(seqs) == job.saved_seq

    # --- the end

    def teardown(self) -> None:
        """Everybody finishes, and what waits is worked off: then no run is without an end."""
        for attempt in self.attempts:
            attempt.go("finish")
        take_over(self.worker(), lambda worker: worker["pid"] in self.crashed)
        self.attempts.clear()
        self.bell()
        while self.attempts:
            attempt = self.attempts.pop()
            attempt.go("yield")
            attempt.go("finish")
            self.bell()
        assert not Job.objects.filter(state__in=LIVE).exists()
        assert all(run.is_over for run in Run.objects.select_related("job"))
        for job in Job.objects.kept().filter(state=State.SUCCEEDED):
            self.check_archive(job)
        for who, number in self.numbers.items():
            self.check_draft(drafts.draft_id(self.cast[who].pk, "steady", "page"), number)
        super().teardown()

    def check_archive(self, job: Job) -> None:
        *steps, result = job.archived()
        assert [e["text"] for e in steps] == [str(n) for n in range(1, len(steps) + 1)]
        assert result["facts"][0]["value"] == len(steps)
        if not self.emptied:
            assert state_at(live(job) + job.archived()) == state_at(job.archived())

    def check_draft(self, draft: Any, number: int) -> None:
        job = Job.objects.get(draft=draft)
        assert job.number == number
        if job.state == State.SUCCEEDED and not self.emptied:
            assert live(job)[-1]["kind"] in ("result", "problem")
            assert live(job)[-1]["attempt"] == number, "the newest change is answered last"


@pytest.mark.hypothesis
@pytest.mark.django_db(transaction=True)
def test_the_engine_holds_whatever_happens_in_whatever_order(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.WAITING_A_LEARNER = settings.TRIES = 2
    pull_the_strings(monkeypatch)
    monkeypatch.setattr(stream, "ring", lambda lane: None)
    run_state_machine_as_test(Engine, settings=PROFILE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", ["break", "refuse"])
def test_an_overtaken_draft_that_fails_is_dropped_in_silence(
    monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """Found by the machine at full size: the id of its problem is refused, and that is all."""
    pull_the_strings(monkeypatch)
    monkeypatch.setattr(stream, "ring", lambda lane: None)
    who, lab = learner(), every_lab()["steady"]
    drafts.change(who, lab, "page", lab.params(), 1)
    attempts = []
    for pid in (1, 2):
        job = claim("training", versions(), {"host": "h", "boot": "b", "pid": pid, "start": 0})
        assert job
        attempts.append(Attempt(job))
        Job.objects.update(lease_until=Now() - timedelta(seconds=1))
        if pid == 1:
            reaper.take_back_lapsed()
    late, newer = attempts
    newer.go("yield")
    before = Job.objects.values().get()
    late.go(order)
    assert late.over
    assert Job.objects.values().get() == before
