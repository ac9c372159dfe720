"""What the reaper sweeps, and what it leaves: in steps that stay short however much there is."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Learner, User
from labs.models import Job, Picture, Run, State
from labs.state import state_at
from tests.access.people import Person, own_picture
from tests.engine import cast
from workers import sweeps

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("commits")]


def test_guests_who_have_not_been_here_for_long_go_with_what_is_theirs(settings: Any) -> None:
    gone, stays = cast.learner(), cast.learner()
    for who, seed in ((gone, 1), (stays, 2)):
        cast.start(who, steps=1, seed=seed)
        cast.work()
    old = Now() - timedelta(seconds=settings.KEEP_GUESTS + 1)
    Learner.objects.filter(pk=gone.pk).update(seen=old)
    Job.objects.update(queued_at=old)
    sweeps.sweep_guests()
    sweeps.sweep_jobs()
    assert [run.learner for run in Run.objects.all()] == [stays]
    assert [job.seed for job in Job.objects.all()] == [2]


def test_files_of_jobs_that_are_gone_are_swept_and_no_others(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILES_ROOT = tmp_path
    cast.start(cast.learner(), steps=2)
    job = cast.take()
    assert job is not None and job.keep_checkpoint("kept.safetensors", [], 0)
    for name in (f"jobs/{job.pk}/model", "jobs/999999/model", "jobs/notes/model"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "checkpoints").mkdir()
    for name in ("kept.safetensors", "left.safetensors"):
        (tmp_path / "checkpoints" / name).touch()
    sweeps.sweep_checkpoints()
    sweeps.sweep_folders()
    assert (tmp_path / "jobs/999999").exists(), "what is new may still be written"
    now = time.time()
    monkeypatch.setattr("workers.sweeps.time.time", lambda: now + 61)
    sweeps.sweep_checkpoints()
    sweeps.sweep_folders()
    assert {p.name for p in (tmp_path / "jobs").iterdir()} == {str(job.pk), "notes"}
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["kept.safetensors"]


def test_a_jobs_files_go_with_it(
    settings: Any,
    tmp_path: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.FILES_ROOT = tmp_path
    run = cast.start(cast.learner(), steps=1)
    cast.work()
    (tmp_path / "jobs" / str(run.job_id)).mkdir(parents=True, exist_ok=True)
    with django_capture_on_commit_callbacks(execute=True):
        run.discard()
    assert not list((tmp_path / "jobs").iterdir())


@pytest.mark.parametrize("step", [1, 2])
def test_sweeps_come_to_everything_step_by_step(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(sweeps, "STEP", step)
    monkeypatch.setattr(sweeps, "FOLDERS", step)
    monkeypatch.setattr(sweeps, "WRITTEN", -1)
    settings.FILES_ROOT = tmp_path
    kept, gone = cast.start(cast.learner(), steps=1), cast.learner()
    cast.work()
    for seed in range(1, 4):
        cast.start(gone, steps=1, seed=seed)
        cast.work()
        own_picture(gone, state=State.FAILED)
        (tmp_path / "jobs" / str(900_000 + seed)).mkdir(parents=True)
    (tmp_path / "jobs" / str(kept.job_id)).mkdir(exist_ok=True)
    old = Now() - timedelta(seconds=settings.KEEP_GUESTS + 1)
    Picture.objects.update(created=old)
    Learner.objects.filter(pk=gone.pk).update(seen=old)
    Job.objects.update(queued_at=old)
    for _ in range(12):
        for sweep in (sweeps.sweep_refused_pictures, sweeps.sweep_guests, sweeps.sweep_jobs):
            sweep()
        sweeps.sweep_folders()
    assert [job.pk for job in Job.objects.all()] == [kept.job_id]
    assert not Picture.objects.exists()
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == [str(kept.job_id)]


# --- how long a run's steps are kept


def account(name: str) -> Learner:
    return Learner.objects.create(user=User.objects.create_user(name))


def finish_long_ago(run: Run, seconds: float) -> None:
    Job.objects.filter(pk=run.job_id).update(finished_at=Now() - timedelta(seconds=seconds))


def test_of_an_old_run_the_final_state_is_kept_and_the_student_is_told(settings: Any) -> None:
    alice = account("alice")
    old, new = cast.start(alice, steps=9), cast.start(alice, steps=9, seed=1)
    cast.work()
    cast.work()
    whole = {run.pk: run.job.archived() for run in (old, new)}
    before = state_at(whole[old.pk])
    assert len(before) < len(whole[old.pk])
    finish_long_ago(old, settings.KEEP_ARCHIVES + 1)
    sweeps.condense_archives()
    assert state_at(old.job.archived()) == before and len(old.job.archived()) == len(before)
    assert new.job.archived() == whole[new.pk]
    told = {run.pk: page(alice, run) for run in (old, new)}
    assert "The steps of this run were kept for 90 days" in told[old.pk]
    assert "The steps of this run are kept until <time" in told[new.pk]
    sweeps.condense_archives()
    assert state_at(old.job.archived()) == before


def test_a_guest_is_told_when_the_run_goes(settings: Any) -> None:
    guest = cast.learner()
    run = cast.start(guest, steps=1)
    cast.work()
    assert "kept for 30 days after your last visit" in page(guest, run)


def page(learner: Learner, run: Run) -> str:
    return str(Person(learner).ask("GET", f"/runs/{run.pk}/").content.decode())
