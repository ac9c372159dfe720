"""The live streams: real sockets, real Redis, and a run whose events the tests write by hand."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError

from accounts.models import Learner
from labs import follower, live, stream
from labs.models import Job, Run, State
from tests.engine import cast
from tests.engine.served import Site, note, say, serving, until
from tests.faults.streams.client import Page, messages, request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def site(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    async with serving(monkeypatch) as made:
        yield made


async def test_all_streams_of_a_process_are_read_by_one_connection(site: Site) -> None:
    viewers, jobs = [], []
    for seed in range(3):
        who, cookie = await site.guest()
        run, job = await site.running(who, seed)
        viewers += [site.watch(run, cookie) for _ in range(2)]
        jobs.append(job)
    for n, job in enumerate(jobs):
        say(job, 1, f"of run {n}")
    await until(lambda: all(v.shows(f"of run {n // 2}") for n, v in enumerate(viewers)))
    readers = [c for c in stream.client().client_list() if c["cmd"] == "xread"]
    assert len(readers) == 1


async def test_a_new_viewer_does_not_wait_for_the_reader_that_is_blocked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader waits for a minute: the second stream's first event must not wait with it."""
    monkeypatch.setattr(live, "BLOCK_MS", 60_000)
    alice, cookie = await site.guest()
    bob, his = await site.guest()
    quiet, _ = await site.running(alice, 1)
    busy, job = await site.running(bob, 2)
    site.watch(quiet, cookie)
    await until(lambda: live.hub().feeds)
    await until(lambda: [c for c in stream.client().client_list() if c["cmd"] == "xread"])
    viewer = site.watch(busy, his)
    await until(lambda: viewer.page.messages)
    say(job, 1, "at once")
    await until(lambda: viewer.shows("at once"))


async def test_who_comes_late_sees_what_who_came_early_sees(site: Site) -> None:
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    early = site.watch(run, cookie)
    for seq in range(1, 6):
        say(job, seq, f"event {seq}", name=f"place-{seq % 3}")
    await until(lambda: early.shows("event 5"))
    late = site.watch(run, cookie)
    await until(lambda: late.shows("event 5"))
    say(job, 6, "event 6", name="place-0")
    await until(lambda: early.shows("event 6") and late.shows("event 6"))
    assert early.page.places == late.page.places


async def test_who_reads_slowly_skips_snapshots_and_gets_the_newest(site: Site) -> None:
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    reader, writer = await slow_socket(site.port, run, cookie)
    await until(lambda: live.hub().followers)
    for seq in range(1, 401):
        say(job, seq, f"event {seq} " + "x" * 20_000)
        if seq % 20 == 0:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    got = b""
    while b"event 400 " not in got:
        got += await asyncio.wait_for(reader.read(2**20), 10)
    assert 1 <= got.count(b"\nid: ") < 300
    writer.close()


async def slow_socket(
    port: int, run: Run, cookie: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that takes little from the network until it is asked to."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=4096)
    writer.write(request(f"/runs/{run.pk}/events/", cookie))
    return reader, writer


async def test_who_never_reads_is_dropped_and_holds_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follower, "UNREAD_SECONDS", 0.3)
    settings.LOOK_EVERY = 0.2
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    good = site.watch(run, cookie)
    _, writer = await slow_socket(site.port, run, cookie)
    await until(lambda: followers() == 2)
    for seq in range(1, 150):
        say(job, seq, f"event {seq} " + "x" * 100_000)
        await asyncio.sleep(0.01)
        if followers() == 1:
            break
    await until(lambda: followers() == 1)
    await until(lambda: len(site.server.server_state.connections) == 1)
    say(job, 200, "still here")
    await until(lambda: good.shows("still here"))
    writer.transport.abort()


def followers() -> int:
    return sum(len(group) for group in live.hub().followers.values())


async def test_progress_before_the_row_was_read_anew_says_that_it_runs(
    site: Site, settings: Any
) -> None:
    """The feed's row says queued, the stream says more: no query in the loop, and no waiting."""
    settings.LOOK_EVERY = 60
    alice, cookie = await site.guest()
    run = await site.ask(cast.start, alice)
    viewer = site.watch(run, cookie)
    await until(lambda: viewer.shows("Queued, place 1"))
    job = await site.ask(cast.take)
    assert job is not None
    told = {"kind": "progress", "name": "progress", "done": 2, "total": 5, "unit": "step"}
    stream.append(job, 1, told)
    await until(lambda: viewer.shows("Running, step 2 of 5"))


async def test_a_viewer_in_a_quiet_stream_is_not_taken_for_one_that_does_not_read(
    site: Site, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The close is lost, and the look finds an end that shows more than 256 kB at once."""
    monkeypatch.setattr(follower, "UNREAD_SECONDS", 0.3)
    settings.LOOK_EVERY = 1.0
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    viewer = site.watch(run, cookie)
    await until(lambda: viewer.page.messages)
    await asyncio.sleep(0.5)
    tail = [note("the end " + "x" * 300_000) | {"attempt": job.attempt, "seq": 1}]
    await site.finish(job, tail)
    await until(lambda: viewer.ended)
    assert viewer.shows("the end") and viewer.page.closed


async def test_a_silent_stream_gives_signs_of_life_from_its_first_moment_on(
    site: Site, settings: Any
) -> None:
    settings.STREAM_SILENT = 0.3
    alice, cookie = await site.guest()
    run, _ = await site.running(alice)
    signs = []
    async with contextlib.aclosing(messages(site.port, f"/runs/{run.pk}/events/", cookie)) as got:
        async for message in got:
            signs.append(message == b"event: ping")
            if sum(signs) == 3:
                break
    assert signs[0] and sum(signs) == 3


async def test_a_close_that_was_lost_is_found_by_the_look_at_the_database(
    site: Site, settings: Any
) -> None:
    settings.LOOK_EVERY = 0.2
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    viewer = site.watch(run, cookie)
    say(job, 1, "first")
    await until(lambda: viewer.shows("first"))
    assert not viewer.ended
    await site.finish(job, [note("first") | {"attempt": job.attempt, "seq": 1}])
    await until(lambda: viewer.ended)
    assert viewer.page.closed and viewer.shows(f"/runs/{run.pk}/panel/")


async def test_the_stream_ends_with_the_session(
    site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOOK_EVERY = 0.2
    monkeypatch.setattr(live, "CHECK_EVERY", 0.1)
    alice, hers = await site.guest()
    run, job = await site.running(alice)
    here, there = site.watch(run, hers), None
    _, other_cookie = await site.guest()
    await site.ask(sign_in_as, other_cookie, alice)
    there = site.watch(run, other_cookie)
    await until(lambda: here.page.messages and there.page.messages)
    await site.ask(SessionStore(hers.partition("=")[2]).delete)
    await until(lambda: here.ended)
    say(job, 1, "only there")
    await until(lambda: there.shows("only there"))
    assert not here.shows("only there")


def sign_in_as(cookie: str, who: Learner) -> None:
    session = SessionStore(cookie.partition("=")[2])
    session["learner"] = str(who.pk)
    session.save()


async def test_cancelling_a_run_ends_every_tab_of_it_and_no_other(
    site: Site, settings: Any
) -> None:
    """One job, two runs: what alice cancels goes on for bob."""
    settings.LOOK_EVERY = 1.0
    alice, hers = await site.guest()
    bob, his = await site.guest()
    run, job = await site.running(alice)
    joined = await site.ask(cast.start, bob)
    assert joined.job_id == run.job_id
    tabs, other = [site.watch(run, hers) for _ in range(3)], site.watch(joined, his)
    await until(lambda: all(v.page.messages for v in (*tabs, other)))
    assert await site.ask(run.cancel)
    await until(lambda: all(tab.ended and tab.page.closed for tab in tabs))
    say(job, 1, "it goes on")
    await until(lambda: other.shows("it goes on"))
    assert not other.ended and job.state == State.RUNNING


ODD_IDS = ["0-0", "1-1", "7-7", "99999-1", "1", "-1--1", "1-", "-", "x", "é", "1-1-1", "nan-inf"]


@pytest.mark.parametrize("odd", [*ODD_IDS, "9" * 10_000, "1-" + "9" * 10_000])
async def test_an_odd_place_gets_what_leads_to_the_state_now(site: Site, odd: str) -> None:
    """Unknown, old, bad, negative or of 10 kB (fault 19): the page ends up right, never 5xx."""
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    for seq in range(2, 5):
        say(job, seq, f"event {seq}", name=f"place-{seq}")
    whole = site.watch(run, cookie)
    await until(lambda: whole.shows("event 4"))
    viewer = site.watch(run, cookie, Page(last_id=odd.encode().decode("latin-1")))
    await until(lambda: viewer.shows("event 4"))
    assert viewer.page.places == whole.page.places


async def test_a_known_place_gets_only_what_is_newer(site: Site) -> None:
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    for seq in range(1, 4):
        say(job, seq, f"event {seq}", name=f"place-{seq}")
    viewer = site.watch(run, cookie, Page(last_id=f"{job.attempt}-2"))
    await until(lambda: viewer.shows("event 3"))
    assert not viewer.shows("event 1") and not viewer.shows("event 2")


async def test_a_place_of_an_attempt_that_died_gets_the_whole_state(site: Site) -> None:
    """What was seen past the checkpoint does not count any more: it may look different now."""
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    say(job, 1, "kept", name="first")
    say(job, 2, "written in vain", name="first")
    assert await site.ask(job.keep_checkpoint, "x", [placed(job, 1, "kept")], 1)
    assert await site.ask(job.lapse)
    again = await site.ask(cast.take)
    assert again is not None and again.attempt == 2
    stream.begin(again)
    say(again, 2, "anew", name="second")
    viewer = site.watch(run, cookie, Page({"slot-first-body": "written in vain"}, last_id="1-2"))
    await until(lambda: viewer.shows("anew"))
    assert viewer.shows("kept") and not viewer.shows("in vain")


def placed(job: Job, seq: int, text: str) -> dict[str, Any]:
    return note(text, name="first") | {"attempt": job.attempt, "seq": seq}


async def test_a_stream_that_redis_trimmed_or_lost_is_filled_from_the_archive(site: Site) -> None:
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    kept = [placed(job, 1, "archived")]
    say(job, 1, "archived", name="first")
    assert await site.ask(job.keep_checkpoint, "x", kept, 1)
    stream.client().delete(job.stream)
    say(job, 2, "after the loss", name="second")
    viewer = site.watch(run, cookie, Page(last_id="1-1"))
    whole = site.watch(run, cookie)
    await until(lambda: viewer.shows("after the loss") and whole.shows("after the loss"))
    assert whole.shows("archived")


async def test_a_stream_that_is_gone_or_anothers_is_only_its_end(site: Site) -> None:
    alice, cookie = await site.guest()
    _, others = await site.guest()
    run, _ = await site.running(alice)
    nobody = Run(pk="00000000-0000-4000-8000-000000000000")
    for ended in (site.watch(run, others), site.watch(run, ""), site.watch(nobody, cookie)):
        await until(lambda ended=ended: ended.ended)  # type: ignore[misc]
        assert ended.page.closed and not ended.page.places


async def test_a_stream_of_a_run_that_is_over_says_where_its_end_is(site: Site) -> None:
    """The page may have been loaded, or cut off, before the end: it must not wait for ever."""
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    await site.finish(job)
    stream.close(job, State.SUCCEEDED)
    late = site.watch(run, cookie)
    await until(lambda: late.ended)
    assert late.page.closed and f"/runs/{run.pk}/panel/" in late.page.places["live"]
    assert not live.hub().feeds


async def test_a_database_that_failed_once_does_not_spoil_the_stream_for_good(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice, cookie = await site.guest()
    run, job = await site.running(alice)
    say(job, 1, "there")

    def fails(*_: Any) -> Any:
        raise DatabaseError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(live, "load_feed", fails)
        broken = site.watch(run, cookie)
        await until(lambda: broken.ended)
    viewer = site.watch(run, cookie)
    await until(lambda: viewer.shows("there"))


async def test_coming_and_going_leaves_nothing_behind(site: Site) -> None:
    """Disconnects at any moment (fault 23): while it connects, while it loads, while it reads."""
    alice, cookie = await site.guest()
    runs = [await site.running(alice, 1)]
    for seed in (2, 3):
        who, _ = await site.guest()
        runs.append(await site.running(who, seed))
    address = [f"/runs/{run.pk}/events/" for run, _ in runs]
    hub, dice = live.hub(), random.Random(5)
    await until(lambda: not hub.followers)
    await asyncio.sleep(0.5)
    before = len(asyncio.all_tasks())

    async def come_and_go(n: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(request(address[n % 3], cookie))
        await asyncio.sleep(dice.choice((0, 0, 0.01, 0.05, 0.2)) * dice.random())
        writer.transport.abort()
        await asyncio.sleep(0)
        del reader

    for first in range(0, 150, 15):
        await asyncio.gather(*(come_and_go(first + n) for n in range(15)))
    await until(lambda: not hub.followers and not hub.feeds)
    await until(lambda: len(asyncio.all_tasks()) <= before)
    await until(lambda: not site.server.server_state.connections)
