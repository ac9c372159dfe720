"""Faults that pass, told as 503 and in words: the database is away or locked, the disk full."""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from labs.models import Job, Run, State
from labs.models.files import write_file
from labs.room import is_full
from labs.views import errors
from tests.engine import cast
from tests.faults.uploads import files

pytestmark = pytest.mark.django_db
NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


def guest() -> Client:
    """Who is told what a browser is told of a fault."""
    client = Client(raise_request_exception=False)
    client.session.save()
    return client


def failing(fault: BaseException) -> Any:
    def fails(*_: object, **__: object) -> None:
        raise fault

    return fails


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (OperationalError("database is locked"), 503, errors.BUSY),
        (OperationalError("connection refused"), 503, errors.BUSY),
        (InterfaceError("connection already closed"), 503, errors.BUSY),
        (OperationalError("database or disk is full"), 503, errors.FULL),
        (OperationalError("could not extend file: No space left on device"), 503, errors.FULL),
        (NO_SPACE, 503, errors.FULL),
        (OSError(errno.EACCES, "Permission denied"), 500, "The fault is ours"),
        (ValueError("of ours"), 500, "The fault is ours"),
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["in the view", "in a middleware"])
def test_a_fault_that_passes_is_told_as_one_and_any_other_is_not(
    where: str, fault: Exception, status: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = guest()
    if where == "in the view":
        monkeypatch.setattr("labs.views.pages.before_a_run", failing(fault))
    else:
        monkeypatch.setattr(SessionStore, "load", failing(fault))
    answer = alice.get("/labs/steady/")
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert ("Retry-After" in answer) == (status == 503)
    assert str(fault) not in answer.content.decode()


@pytest.mark.parametrize("where", ["in the call", "in a middleware"])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (OperationalError("database is locked"), 503, "unavailable"),
        (NO_SPACE, 503, "unavailable"),
        (ValueError("of ours"), 500, "server_error"),
    ],
    ids=str,
)
def test_the_api_tells_it_in_its_own_shape(
    where: str, fault: Exception, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = guest()
    if where == "in the call":
        monkeypatch.setattr("labs.api.views.known_learner_id", failing(fault))
    else:
        monkeypatch.setattr(SessionStore, "load", failing(fault))
    answer = alice.get("/api/runs/")
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert ("Retry-After" in answer) == (status == 503)


# --- too little room


@pytest.fixture
def nearly_full(settings: Settings) -> None:
    settings.DISK_FREE = 10**18


def test_there_is_room_here(settings: Settings, tmp_path: Path) -> None:
    assert not is_full()
    settings.FILES_ROOT = tmp_path / "not" / "made" / "yet"
    assert not is_full()


def test_without_room_a_start_is_refused_with_the_reason(settings: Settings) -> None:
    alice = guest()
    before: Any = alice.post("/labs/steady/run/", {"steps": 1})
    settings.DISK_FREE = 10**18
    page = alice.post("/labs/steady/run/", {"steps": 2})
    panel = alice.post("/labs/steady/run/", {"steps": 2}, headers={"HX-Request": "true"})
    body = {"lab": "steady", "params": {"steps": 2}}
    called = alice.post("/api/runs/", body, content_type="application/json")
    sent = {"picture": SimpleUploadedFile("a.png", files.png())}
    uploaded = alice.post("/pictures/", sent, headers={"HX-Request": "true"})
    drafted = alice.post(f"/labs/kernel-forge/drafts/{'0' * 32}/", {})
    for answer in (page, panel, called, uploaded, drafted):
        assert answer.status_code == 507, answer.content
        assert "The disk of this site is nearly full" in answer.content.decode()
        assert "Traceback" not in answer.content.decode()
    for answer in (page, panel, called):
        assert answer["Retry-After"] == "60"
    assert called.json()["error"]["code"] == "unavailable"
    assert Job.objects.count() == 1, "nothing was queued"
    assert alice.get(before["Location"]).status_code == 200
    joined = alice.post("/labs/steady/run/", {"steps": 1})
    assert joined.status_code == 302, "what is computed already costs no room"
    settings.DISK_FREE = 0
    assert alice.post("/labs/steady/run/", {"steps": 2}).status_code == 302


def test_whether_it_is_ready_says_which_part_is_not(settings: Settings) -> None:
    assert Client().get("/readyz").json() == {"database": "ok", "redis": "ok", "disk": "ok"}
    settings.DISK_FREE = 10**18
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "redis": "ok", "disk": "full"}
    assert Client().get("/healthz").status_code == 200


# --- none at all


def full_for(patch: pytest.MonkeyPatch, module: str) -> None:
    patch.setattr(f"{module}.write_file", failing(NO_SPACE))


@pytest.mark.usefixtures("commits")
def test_a_training_goes_on_without_checkpoints_where_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full_for(monkeypatch, "workers.context")
    cast.start(cast.learner(), steps=5, save_every=1)
    with caplog.at_level(logging.WARNING, "workers.context"):
        job = cast.work()
    assert job is not None and job.state == State.SUCCEEDED
    assert "no room for a checkpoint; it goes on without" in caplog.text


@pytest.mark.usefixtures("commits")
def test_a_file_that_finds_no_room_ends_the_run_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full_for(monkeypatch, "labs.models.files")
    cast.start(cast.learner(), steps=2)
    job = cast.work()
    assert job is not None and job.state == State.FAILED
    assert job.reason.startswith("The disk of this site is full, so this run stopped.")


def test_what_is_half_written_does_not_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.fsync", failing(NO_SPACE))
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "file", b"content")
    assert not list(tmp_path.iterdir())


def test_a_picture_that_finds_no_room_is_refused_and_leaves_no_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = guest()
    full_for(monkeypatch, "labs.models.files")
    answer = alice.post("/pictures/", {"picture": SimpleUploadedFile("a.png", files.png())})
    assert answer.status_code == 503 and errors.FULL in answer.content.decode()
    assert not Job.objects.exists() and not Run.objects.exists()
