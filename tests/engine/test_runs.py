"""Starting, joining, replaying, cancelling; limits; the archive."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from labs.lab import every_lab
from labs.models import Job, Run, State
from labs.models.run import Missing, Refused
from labs.state import state_at
from tests.engine.cast import learner, live, shown, start, take, work
from workers import life

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("commits")]


def test_a_run_is_computed_and_its_archive_shows_what_the_stream_showed() -> None:
    run = start(learner(), steps=3)
    job = work()
    assert job is not None and job.pk == run.job_id
    assert job.state == State.SUCCEEDED
    assert shown(job)["draws"]["text"].startswith("Step 3 drew")
    assert shown(job) == state_at(live(job))


def test_equal_starts_are_computed_once() -> None:
    runs = [start(learner(), steps=3) for _ in range(5)]
    assert len({run.job_id for run in runs}) == 1
    work()
    replayed = start(learner(), steps=3)
    assert replayed.replay and replayed.state == State.SUCCEEDED
    assert Job.objects.count() == 1


def test_another_seed_or_setting_is_another_job() -> None:
    alice = learner()
    keys = {start(alice, steps=s, seed=n).job.key for s, n in ((3, 0), (3, 1), (4, 0))}
    assert len(keys) == 3


def test_another_code_version_is_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    old = start(learner(), steps=3)
    work()
    monkeypatch.setattr("labs.models.run.code_version", lambda lab: "f" * 64)
    new = start(learner(), steps=3)
    assert not new.replay and new.job_id != old.job_id
    assert take() is None, "no worker of that version is here: the job stays queued"


def test_a_failed_run_can_be_started_again() -> None:
    failed = start(learner(), "unruly", way="refuse")
    work()
    again = start(learner(), "unruly", way="refuse")
    assert again.job_id != failed.job_id


def test_the_students_sentence_is_the_reason_and_ours_stays_in_the_log() -> None:
    refused = start(learner(), "unruly", way="refuse")
    broken = start(learner(), "unruly", way="raise")
    work()
    work()
    refused.job.refresh_from_db()
    broken.job.refresh_from_db()
    assert refused.job.reason == "Your picture has no pixels. Choose another."
    assert "secret" not in broken.job.reason and "our side" in broken.job.reason


def test_the_log_names_the_run_that_a_learner_would_report(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = start(learner(), "unruly", way="raise")
    work()
    told = next(r for r in caplog.records if r.exc_info)
    assert str(run.pk) in told.getMessage() and "/etc/passwd" in caplog.text


def test_out_of_memory_is_said_in_words() -> None:
    run = start(learner(), "unruly", way="memory")
    work()
    run.job.refresh_from_db()
    assert run.job.state == State.FAILED and "memory" in run.job.reason


def test_pictures_stop_at_8_mb_and_the_run_says_so() -> None:
    run = start(learner(), "unruly", way="flood")
    job = work()
    assert job is not None and job.state == State.SUCCEEDED
    assert "8 MB" in shown(job)["pictures-full"]["text"]
    assert shown(job)["said"]["text"] == "Still here."
    size = sum(len(i["png"]) for e in run.job.archived() for i in e.get("items", []))
    assert size <= 8_000_000


def test_the_sixth_waiting_run_is_refused_and_a_join_is_not() -> None:
    alice, bob = learner(), learner()
    for n in range(5):
        start(alice, steps=3, seed=n)
    with pytest.raises(Refused, match="5 runs waiting"):
        start(alice, steps=3, seed=99)
    start(bob, steps=3, seed=99)
    assert start(alice, steps=3, seed=99).job.payer == bob


def test_the_seconds_of_a_day_are_bounded() -> None:
    alice = learner()
    start(alice, steps=3)
    work()
    Job.objects.update(seconds=4_000)
    with pytest.raises(Refused, match="60 minutes of computing"):
        start(alice, steps=4)
    assert start(alice, steps=3).replay, "a replay costs nothing"


def test_a_picture_of_another_learner_is_missing() -> None:
    with pytest.raises(Missing, match="not among yours"):
        start(learner(), own="own:6f0e3c1e-94b5-4a50-9d7f-0c1b6c1c8b1a")
    with pytest.raises(Missing):
        start(learner(), own="own:nonsense")


def test_cancelling_ends_the_job_only_with_its_last_run() -> None:
    alice, bob = learner(), learner()
    hers, his = start(alice, steps=3), start(bob, steps=3)
    assert hers.cancel()
    hers.job.refresh_from_db()
    assert hers.state == State.CANCELLED and hers.job.state == State.QUEUED
    assert hers.job.payer == bob, "who stays pays"
    assert his.cancel()
    his.job.refresh_from_db()
    assert his.job.state == State.CANCELLED
    assert take() is None


def test_a_cancelled_run_never_becomes_done() -> None:
    run = start(learner(), steps=3)
    job = take()
    assert job is not None
    run.cancel()
    assert not job.succeed({}, [])
    run.refresh_from_db()
    assert run.job.state == State.CANCELLED and not run.cancel()


def test_a_finished_run_cannot_be_cancelled() -> None:
    run = start(learner(), steps=2)
    work()
    assert not Run.objects.get(pk=run.pk).cancel()
    assert Run.objects.get(pk=run.pk).state == State.SUCCEEDED


def test_a_stopping_worker_saves_and_another_goes_on_with_equal_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = start(learner(), steps=6, seed=7)
    work()
    expected = [(e["seq"], e["kind"], e) for e in whole.job.archived()]

    Job.objects.update(key=None)
    broken = start(learner(), steps=6, seed=7)
    calls = iter([False] * 8 + [True] * 100)
    with monkeypatch.context() as patch:
        patch.setattr(life, "stopping", lambda: next(calls))
        stopped = work()
    assert stopped is not None and stopped.state == State.QUEUED and stopped.checkpoint
    resumed = work()
    assert resumed is not None and resumed.state == State.SUCCEEDED and resumed.tries == 0
    got = broken.job.archived()
    assert {e["attempt"] for e in got} == {1, 2}
    strip = [{k: v for k, v in e.items() if k != "attempt"} for e in got]
    assert strip == [{k: v for k, v in e.items() if k != "attempt"} for _, _, e in expected]


def test_a_lapsed_job_is_tried_three_times_and_then_failed_in_words() -> None:
    run = start(learner(), steps=3)
    for attempt in (1, 2):
        job = take()
        assert job is not None and job.attempt == attempt
        assert job.lapse() and job.state == State.QUEUED
    job = take()
    assert job is not None and job.lapse()
    run.job.refresh_from_db()
    assert run.job.state == State.FAILED and "stopped 3 times" in run.job.reason


def test_the_writes_of_a_stale_attempt_are_refused() -> None:
    start(learner(), steps=3)
    stale = take()
    assert stale is not None
    Job.objects.get(pk=stale.pk).lapse()
    fresh = take()
    assert fresh is not None and fresh.attempt == 2
    assert not stale.renew()
    assert not stale.succeed({}, [])
    assert not stale.fail("late")
    assert not stale.keep_checkpoint("x", [], 1)
    assert not stale.requeue()
    assert fresh.renew()


def test_learners_are_served_in_turn() -> None:
    alice, bob = learner(), learner()
    for n in range(5):
        start(alice, steps=2, seed=n)
    work()
    start(bob, steps=2, seed=50)
    second = take()
    assert second is not None and second.payer == bob
    third = take()
    assert third is not None and third.payer == alice
    assert take() is None, "both have one running"


def test_params_are_strict() -> None:
    model = every_lab()["steady"].params
    for bad in ({"steps": 0}, {"pause": float("nan")}, {"unknown": 1}):
        with pytest.raises(ValidationError):
            model.model_validate(bad)
