"""What one guest, one address or a slow Redis can take from everybody else: not much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db.models.functions import Now
from django.test import Client

from accounts.models import Learner
from labs import drafts, stream
from labs.lab import every_lab
from labs.models import Artifact, Job, Run, State
from labs.models.run import Missing, Refused
from labs.stream import Fenced
from tests.engine import cast
from tests.engine.served import Site, note, serving, until
from workers import life, reaper, tasks
from workers.context import JobFiles

pytestmark = pytest.mark.django_db
ADDRESS = {"REMOTE_ADDR": "10.1.2.3"}


def guest() -> Client:
    client = Client(**ADDRESS)  # type: ignore[arg-type]
    client.get("/labs/kernel-forge/")
    return client


def change(who: Client, nonce: int, number: int | str = 1, **more: Any) -> Any:
    data = {"number": str(number), "size": 64, **more}
    return who.post(f"/labs/kernel-forge/drafts/{nonce:032x}/", data)


# --- pages that compute while a control moves


def test_a_learner_has_a_few_pages_waiting_and_hears_why_not_more() -> None:
    alice = guest()
    for n in range(drafts.WAITING_PAGES):
        assert change(alice, n).status_code == 202
    refused = change(alice, 99)
    assert refused.status_code == 429 and "Wait a moment" in refused.json()["message"]
    assert change(alice, 0, 2).status_code == 202, "a page that waits already only moves on"
    assert change(guest(), 99).status_code == 202, "others are not held up"


def test_pages_that_were_answered_cannot_all_wait_again_at_once() -> None:
    alice = guest()
    for n in range(2 * drafts.WAITING_PAGES):
        assert change(alice, n).status_code == 202
        cast.work("interactive")
    answers = [change(alice, n, 2).status_code for n in range(2 * drafts.WAITING_PAGES)]
    assert answers.count(202) == drafts.WAITING_PAGES and set(answers) == {202, 429}


def test_new_pages_are_counted_a_learner_and_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "NEW_PAGES", 3)
    alice = guest()
    for n in range(3):
        change(alice, n)
        cast.work("interactive")
    assert change(alice, 3).status_code == 429
    assert change(alice, 0, 2).status_code == 202
    for _ in range(3 * 10 - 3):
        assert change(guest(), 0).status_code == 202
        cast.work("interactive")
    assert change(guest(), 0).status_code == 429, "fresh sessions do not pass by the address"
    Job.objects.update(queued_at=Now() - drafts.LATELY - timedelta(seconds=1))
    assert change(guest(), 0).status_code == 202


def test_a_page_whose_clock_is_behind_is_told_the_number_to_go_on_above() -> None:
    alice = guest()
    ahead = drafts.now_number() + 50_000
    assert change(alice, 1, ahead)["Draft-Number"] == str(ahead)
    late = change(alice, 1, 5)
    assert (late.status_code, late["Draft-Number"]) == (208, str(ahead))


def test_a_question_without_a_number_is_the_newest_whatever_the_clocks_say() -> None:
    who = cast.learner()
    run = cast.start(who, steps=2)
    cast.work()
    run.refresh_from_db()
    params = every_lab()["steady"].params()
    ahead = drafts.now_number() + 50_000
    assert drafts.ask(who, run, "draw", params, ahead).taken
    put = drafts.ask(who, run, "draw", params, None)
    assert put.taken and put.number == ahead + 1
    Job.objects.exclude(draft=None).update(number=7)
    assert drafts.ask(who, run, "draw", params, None).number > ahead - 60_000, "the clock's again"


def test_a_draft_keeps_only_its_newest_answer_in_redis_and_for_minutes() -> None:
    alice = guest()
    for number in range(1, 6):
        change(alice, 1, number)
        cast.work("interactive")
    job = Job.objects.get()
    assert {entry["attempt"] for entry in stream.read(job.stream)} == {5}
    assert 0 < stream.client().ttl(job.stream) <= stream.KEEP_DRAFT


def test_a_draft_that_took_too_long_tells_its_page_and_may_fail_three_times_again(
    settings: Any,
) -> None:
    alice = guest()
    change(alice, 1, 1)
    job = cast.take("interactive")
    assert job is not None
    stream.append(job, job.attempt * stream.DRAFT_SEQS + 1, note("half an answer"))
    assert job.fail("It took too long.")
    stream.close(job, State.FAILED)
    assert stream.read(job.stream)[-1]["reason"] == "It took too long."
    Job.objects.update(tries=settings.TRIES - 1)
    change(alice, 1, 2)
    assert Job.objects.get().tries == 0


# --- starts


def test_a_program_that_starts_run_after_run_is_slowed_down(settings: Any) -> None:
    settings.STARTS_A_MINUTE = 4
    alice = cast.learner()
    for n in range(4):
        cast.start(alice, steps=1, seed=n).cancel()
    with pytest.raises(Refused, match="4 runs within a minute"):
        cast.start(alice, steps=1, seed=9)
    Run.objects.update(started_at=Now() - timedelta(seconds=61))
    cast.start(alice, steps=1, seed=9)


def test_a_picture_that_there_is_not_is_missing_and_no_fault_of_ours() -> None:
    with pytest.raises(Missing, match="no picture named “nosuch”"):
        cast.start(cast.learner(), "kernel-forge", picture="nosuch")


def test_an_upload_counts_for_its_address(settings: Any, tmp_path: Path) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    settings.FILES_ROOT, settings.WAITING_AN_ADDRESS = tmp_path, 2
    answers = [
        guest().post("/pictures/", {"picture": SimpleUploadedFile("me.png", b"x")}).status_code
        for _ in range(3)
    ]
    assert answers == [200, 200, 429]


def test_a_guest_who_comes_back_keeps_the_session_as_long_as_the_runs(settings: Any) -> None:
    alice = guest()
    change(alice, 1, 1)
    cookie = alice.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["max-age"] == settings.KEEP_GUESTS
    Learner.objects.update(seen=Now() - timedelta(days=2))
    renewed = change(alice, 1, 2)
    assert settings.SESSION_COOKIE_NAME in renewed.cookies, "sent anew, for another 30 days"
    assert settings.SESSION_COOKIE_NAME not in change(alice, 1, 3).cookies


def test_who_keeps_many_large_files_deletes_some_first(settings: Any, tmp_path: Path) -> None:
    settings.FILES_ROOT, settings.FILES_A_LEARNER = tmp_path, 1_000
    alice = cast.learner()
    run = cast.start(alice, steps=1, seed=1)
    job = cast.work()
    assert job is not None
    Artifact.write(job, "model", bytes(1_000))
    with pytest.raises(Refused, match="Delete runs that you no longer need"):
        cast.start(alice, steps=1, seed=2)
    assert cast.start(alice, steps=1, seed=1).replay, "what is computed already takes no room"
    for mine in Run.objects.all():
        mine.discard()
    assert not Job.objects.filter(pk=run.job_id).exists()
    cast.start(alice, steps=1, seed=2)


def test_a_deleted_run_takes_its_job_only_where_nobody_else_looks_at_it() -> None:
    alice, bob = cast.learner(), cast.learner()
    hers, his = (cast.start(who, steps=1, seed=3) for who in (alice, bob))
    hers.discard()
    assert Job.objects.get().state == State.QUEUED, "he waits for it"
    cast.work()
    his.refresh_from_db()
    his.discard()
    assert not Job.objects.exists() and not Run.objects.exists()


# --- what is left behind


def test_what_comes_too_late_does_not_make_a_closed_stream_live_longer() -> None:
    run = cast.start(cast.learner(), steps=2)
    job = cast.take()
    assert job is not None
    stream.begin(job)
    run.cancel()
    stream.close(job, State.CANCELLED)
    with pytest.raises(Fenced):
        stream.append(job, 1, note("late"))
    assert 0 < stream.client().ttl(job.stream) <= stream.KEEP_CLOSED


def test_an_attempt_that_was_given_up_overwrites_no_file(settings: Any, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path
    cast.start(cast.learner(), steps=2)
    job = cast.take()
    assert job is not None
    JobFiles(job).write("model", b"first")
    Job.objects.get(pk=job.pk).lapse()
    with pytest.raises(Fenced):
        JobFiles(job).write("model", b"stale")
    assert Artifact.objects.get().path.read_bytes() == b"first"


def test_guests_who_have_not_been_here_for_long_go_with_what_is_theirs(settings: Any) -> None:
    gone, stays = cast.learner(), cast.learner()
    for who, seed in ((gone, 1), (stays, 2)):
        cast.start(who, steps=1, seed=seed)
        cast.work()
    old = Now() - timedelta(seconds=settings.KEEP_GUESTS + 1)
    Learner.objects.filter(pk=gone.pk).update(seen=old)
    Job.objects.update(queued_at=old)
    reaper.sweep_guests()
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
    reaper.sweep_files()
    assert (tmp_path / "jobs/999999").exists(), "what is new may still be written"
    now = time.time()
    monkeypatch.setattr("workers.reaper.time.time", lambda: now + 61)
    reaper.sweep_files()
    assert {p.name for p in (tmp_path / "jobs").iterdir()} == {str(job.pk), "notes"}
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["kept.safetensors"]


def test_a_bell_that_comes_again_takes_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.start(cast.learner(), steps=2)
    job = cast.take()
    assert job is not None
    tasks.recover(life.this_process(), at_once=False)
    Job.objects.filter(pk=job.pk).update(worker={**job.worker, "start": 1})
    tasks.recover(life.this_process(), at_once=False)
    assert Job.objects.get().state == State.RUNNING, "a second has not passed"
    tasks.recover(life.this_process(), at_once=True)
    assert Job.objects.get().state == State.QUEUED


# --- Redis does not answer


def test_a_redis_that_hangs_is_not_asked_by_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def hang(*_: Any, **__: Any) -> Any:
        asked.append(1)
        raise redis.TimeoutError("Timeout reading from socket")

    monkeypatch.setattr(stream, "_silent_until", float("-inf"))
    monkeypatch.setattr(stream.client(), "xrange", hang)
    for _ in range(5):
        assert stream.read("job:x") == []
    assert len(asked) == 1
    monkeypatch.setattr("workers.app.ring_lane", lambda lane: asked.append(2))
    stream.ring("training")
    assert asked == [1], "the reaper rings later"
    monkeypatch.setattr(stream, "_silent_until", time.monotonic() - 0.01)
    stream.ring("training")
    assert asked == [1, 2]


# --- streams and bodies


@pytest.fixture
async def site(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    async with serving(monkeypatch) as made:
        yield made


async def raw(site: Site, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(text)
    await writer.drain()
    return reader, writer


@pytest.mark.django_db(transaction=True)
async def test_a_browser_has_so_many_streams_open_and_no_more(site: Site, settings: Any) -> None:
    settings.STREAMS_A_SESSION = 2
    alice, hers = await site.guest()
    run, _ = await site.running(alice)
    viewers = [site.watch(run, hers) for _ in range(2)]
    await until(lambda: all(viewer.page.messages for viewer in viewers))
    head = f"GET /runs/{run.pk}/events/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {hers}\r\n\r\n"
    reader, writer = await raw(site, head.encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 429")
    assert b"retry-after: 5" in await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await viewers[0].leave()
    again = site.watch(run, hers)
    await until(lambda: again.page.messages)


@pytest.mark.django_db(transaction=True)
async def test_a_body_that_does_not_come_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labs.bodies.SECONDS", 0.3)
    head = b"POST /labs/kernel-forge/run/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n"
    reader, writer = await raw(site, head + b"half")
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert b"did not come within a minute" in await reader.read()
    writer.close()
