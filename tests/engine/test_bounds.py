"""What one guest, one address or a slow Redis can take from everybody else: not much."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client

from accounts.limits import counted
from accounts.models import Learner, User
from labs import drafts, stream
from labs.lab import every_lab
from labs.models import Artifact, Job, Picture, Run, State
from labs.models.run import Missing, Refused
from labs.stream import Fenced
from tests.engine import cast
from tests.engine.served import Site, note, serving, until
from workers import life, sweeps, tasks
from workers.context import JobFiles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("commits")]
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


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/labs/kernel-forge/run/", 429),
        ("/course/convolution/what-is-a-convolution/questions/none/", 404),
    ],
)
def test_what_a_new_guest_is_refused_leaves_no_row(url: str, status: int, settings: Any) -> None:
    call_command("load_course", verbosity=0)
    settings.WAITING_AN_ADDRESS = 0
    assert guest().post(url).status_code == status
    assert not Learner.objects.exists() and not Session.objects.exists()


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


# --- what a new cookie does not pass by


def start(who: Client, seed: int, **more: Any) -> Any:
    return who.post("/labs/steady/run/", {"seed": seed, "steps": 1}, **more)


def upload(who: Client) -> Any:
    return who.post("/pictures/", {"picture": SimpleUploadedFile("me.png", b"x")})


def account(name: str) -> Client:
    client = guest()
    client.force_login(User.objects.create_user(name))
    return client


def day(settings: Any) -> None:
    assert start(guest(), 1_000).status_code == 302
    Job.objects.update(state=State.SUCCEEDED, claimed_at=Now(), seconds=settings.SECONDS_A_DAY)
    settings.SECONDS_A_DAY_AN_ADDRESS = settings.SECONDS_A_DAY


LIMITS: dict[str, Any] = {
    "runs wait": ("WAITING_AN_ADDRESS", start),
    "runs were started": ("STARTS_A_MINUTE_AN_ADDRESS", start),
    "guests are new": ("GUESTS_AN_HOUR", start),
    "pictures are kept": ("PICTURES_AN_ADDRESS", lambda who, _: upload(who)),
    "Pictures take all": ("STORAGE_AN_ADDRESS", lambda who, _: upload(who)),
    "pages are being computed": ("WAITING_AN_ADDRESS", change),
    "minutes of computing": (day, start),
}


@pytest.mark.parametrize("said", LIMITS)
def test_guests_at_one_address_share_a_limit_and_signing_in_lifts_it(
    settings: Any, tmp_path: Path, said: str
) -> None:
    settings.FILES_ROOT = tmp_path
    limit, act = LIMITS[said]
    if callable(limit):
        limit(settings)
    else:
        for n in range(2):
            assert act(guest(), n + 1).status_code in (200, 202, 302)
        setattr(settings, limit, 2)
    before = Learner.objects.count(), Session.objects.count()
    refused = act(guest(), 8)
    assert refused.status_code == 429 and int(refused["Retry-After"]) > 0
    text = refused.json()["message"] if act is change else refused.content.decode()
    assert said in text and "all guests at your address" in text and "Signing in lifts" in text
    if said == "guests are new":
        assert before == (Learner.objects.count(), Session.objects.count()), "it leaves no row"
    elsewhere = Client(REMOTE_ADDR="10.1.2.4")
    assert act(elsewhere, 8).status_code in (200, 202, 302), "another address has its own"
    assert act(account("alice"), 9).status_code in (200, 202, 302), "an account counts by itself"
    settings.EXEMPT_NETWORKS = [ip_network("10.1.0.0/16")]
    assert act(guest(), 10).status_code in (200, 202, 302), "a school's network"


def test_a_class_behind_one_router_fits_into_the_defaults() -> None:
    """Thirty guests press Start on the same settings; then each starts a run of their own."""
    pupils = [guest() for _ in range(30)]
    runs = [who.post("/labs/first-cnn/run/")["Location"] for who in pupils]
    assert Job.objects.count() == 1 and cast.take() is not None
    for who, run in zip(pupils, runs, strict=True):
        assert 'data-state="running"' in who.get(f"{run}panel/").content.decode()
    for n, who in enumerate(pupils):
        assert who.post("/labs/kernel-forge/run/", {"bias": n, "size": 64}).status_code == 302
    while cast.work("interactive"):
        continue
    maps = Run.objects.filter(lab="kernel-forge", job__state=State.SUCCEEDED)
    assert len({run.learner_id for run in maps}) == len({run.job_id for run in maps}) == 30


def test_the_api_refuses_in_the_same_words(settings: Any) -> None:
    settings.WAITING_AN_ADDRESS = 0
    body = {"lab": "steady", "params": {"steps": 1}}
    answer = guest().post("/api/runs/", body, content_type="application/json")
    assert answer.status_code == 429 and answer.json()["error"]["code"] == "too_much"
    assert "all guests at your address" in answer.json()["error"]["message"]


def test_what_a_guest_started_counts_for_the_account_once_it_has_one(settings: Any) -> None:
    settings.WAITING_AN_ADDRESS = 1
    alice = guest()
    assert start(alice, 1).status_code == 302 and start(guest(), 2).status_code == 429
    alice.force_login(User.objects.create_user("alice"))
    assert start(guest(), 2).status_code == 302
    bob = guest()
    bob.force_login(User.objects.create_user("bob"))
    own = Learner.objects.get(user__username="bob")
    own.take_in(Learner.objects.get(paid_jobs__seed=2))
    assert not Job.objects.exclude(address="").exists()


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1%eth0", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("10.1.2.3", ""),
        ("2001:db8:ffff::1", ""),
        ("", ""),
        ("peer", ""),
    ],
)
def test_an_address_counts_as(settings: Any, address: str, counts_as: str) -> None:
    settings.EXEMPT_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]
    assert counted(address) == counts_as


@pytest.mark.parametrize("named", ["10.0.0.1/8", "school", "192.0.2.0/24,10.0.0", "10.0.0.0/40"])
def test_a_network_that_is_none_is_refused_at_the_start(named: str) -> None:
    env = {**os.environ, "CONVOLAB_EXEMPT_NETWORKS": named, "PYTHONPATH": "platform"}
    command = [sys.executable, "-c", "import config.addresses"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode and "CONVOLAB_EXEMPT_NETWORKS names" in done.stderr


def test_where_only_accounts_compute_guests_hear_it_before_and_after(settings: Any) -> None:
    settings.GUESTS_COMPUTE = False
    bob, sign_in = guest(), "/sign-in/?next=/labs/kernel-forge/"
    for page in ("/labs/kernel-forge/", "/labs/kernel-forge/embed/"):
        assert sign_in in bob.get(page).content.decode()
    came = {"HTTP_REFERER": "http://testserver/labs/kernel-forge/"}
    for more in ({}, {"HTTP_HX_REQUEST": "true"}):
        answer = start(bob, 1, **came, **more)
        assert answer.status_code == 403 and "only accounts compute" in answer.content.decode()
        assert sign_in in answer.content.decode() and "Retry-After" not in answer
    assert change(bob, 1).status_code == upload(bob).status_code == 403
    api = bob.post("/api/runs/", {"lab": "steady", "params": {}}, content_type="application/json")
    assert (api.status_code, api.json()["error"]["code"]) == (403, "sign_in_first")
    assert not Learner.objects.exists() and not Session.objects.exists()
    alice = account("alice")
    assert "/sign-in/" not in alice.get("/labs/kernel-forge/embed/").content.decode()
    assert start(alice, 1).status_code == 302 and change(alice, 1).status_code == 202


def test_a_refused_token_puts_no_page_where_a_form_takes_a_403_in(settings: Any) -> None:
    settings.GUESTS_COMPUTE = False
    bob = Client(enforce_csrf_checks=True)
    assert 'hx-status:403="swap:innerHTML"' in bob.get("/labs/hidden-kernel/").content.decode()
    answer = bob.post("/labs/hidden-kernel/run/", HTTP_HX_REQUEST="true")
    assert answer.status_code == 403 and answer["HX-Retarget"] == "#status"
    assert "Reload the page" in answer.content.decode() and b"<html" not in answer.content


def test_a_picture_that_a_guest_never_used_goes_after_a_day(settings: Any, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path
    alice, bob = account("alice"), guest()
    for who in (alice, bob, bob):
        upload(who)
    Job.objects.update(state=State.SUCCEEDED)
    hers, _, used = Picture.objects.order_by("job")
    Artifact.write(used.job, Picture.REBUILT, b"x")
    assert bob.post("/labs/steady/run/", {"own": used.value}).status_code == 302
    sweeps.sweep_unused()
    assert Picture.objects.count() == 3, "not within the day"
    Picture.objects.update(created=Now() - timedelta(days=1, seconds=1))
    sweeps.sweep_unused()
    assert set(Picture.objects.all()) == {hers, used}


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
