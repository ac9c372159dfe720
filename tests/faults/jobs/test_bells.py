"""Rows 3, 9, 10 and 14: bells that come twice, never, or are no bells at all."""

from __future__ import annotations

import base64
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labs.models import State
from tests.faults.ledger import is_whole
from tests.faults.site import Site
from tests.faults.streams.client import size
from tests.servers import wait_for
from tools.processes import ROOT

log = logging.getLogger(__name__)
pytestmark = pytest.mark.faults


@pytest.fixture
def impatient(broken: Site) -> Iterator[Site]:
    """A second training worker, which delivers again what anybody has not done after 2 s."""
    changed = {"workers.app": "tests.faults.jobs.impatient", "training@%h": "second@%h"}
    broken.commands["second"] = [changed.get(word, word) for word in broken.commands["training"]]
    broken.start_again("second")
    yield broken
    broken.kill("second", signal.SIGTERM)
    del broken.processes["second"], broken.commands["second"]


def test_a_message_that_comes_again_and_again_runs_nothing_twice(impatient: Site) -> None:
    """Row 3: two workers, one 14 s job delivered again every few seconds, and one bell
    published 50 times under one id, so that it comes again whatever the clock does.

    CI once, the row 100 times.
    """
    for _ in range(size(1, 100)):
        long = impatient.start_run(steps=140, pause=0.1)
        short = [impatient.start_run(steps=3) for _ in range(4)]
        impatient.ledger.wait_until(long, State.RUNNING)
        impatient.ring(times=50, named=str(uuid.uuid4()))
        jobs = impatient.ledger.ended([long, *short])
        for job in jobs:
            is_whole(job)
            assert job.attempt == 1, "claimed once"
            places = [(e["attempt"], e["seq"]) for e in job.archived()]
            assert len(places) == len(set(places))
    logs = "".join(impatient.log(name) for name in ("training", "second"))
    told = Counter(re.findall(r"work\[([-0-9a-f]+)\] received", logs))
    log.info("%d bells came %d times", len(told), told.total())
    assert max(told.values()) >= 50, "one message was delivered again and again"


def message(
    body: object = None,
    content_type: str = "application/json",
    raw: bytes = b"",
    headers: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A message as Celery's Redis transport keeps it, with what a hostile hand put in."""
    content = raw or json.dumps(body if body is not None else [["training"], {}, {}]).encode()
    named = str(uuid.uuid4())
    return {
        "body": base64.b64encode(content).decode(),
        "content-encoding": "utf-8",
        "content-type": content_type,
        "headers": {"lang": "py", "task": "workers.tasks.work", "id": named, **(headers or {})},
        "properties": {
            "correlation_id": named,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "training"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def hostile(evidence: str) -> dict[str, bytes]:
    """What is pushed, by name. Each would write the evidence, had anything executed it."""
    pickled = b"cposix\nsystem\n(S'touch " + evidence.encode() + b"'\ntR."
    yaml = f"!!python/object/apply:os.system ['touch {evidence}']".encode()
    made = {
        "pickle": message(raw=pickled, content_type="application/x-python-serialize"),
        "yaml": message(raw=yaml, content_type="application/x-yaml"),
        "no JSON inside": message(raw=b"{[not json"),
        "10 MB": message(body=[["training", "x" * 10_000_000], {}, {}]),
        "unknown task": message(
            headers={"task": "os.system"}, body=[[f"touch {evidence}"], {}, {}]
        ),
        "wrong types": message(body=[[{"lane": ["training"]}], {}, {}]),
        "unknown lane": message(body=[[f"; touch {evidence}"], {}, {}]),
        "too many arguments": message(body=[["training", 1, 2], {"pk": 7}, {}]),
        "no arguments": message(body=7),
        "no headers": {**message(), "headers": {}},
        "null headers": {**message(), "headers": None},
        "no properties": {"body": "e30="},
        "not base64": {**message(), "body": "*"},
        "a list": [1, 2],
        "a number": 7,
    }
    return {name: json.dumps(m).encode() for name, m in made.items()} | {
        "broken JSON": b'{"body": ',
        "not text": b"\xff\xfe\x00",
        "empty": b"",
    }


def says(site: Site, name: str, since: int, times: int) -> bool:
    return site.log(name)[since:].count("was no bell") == times


def test_hostile_messages_execute_nothing_and_stop_no_worker(broken: Site) -> None:
    """Row 9: each kind once, in both lanes, while a run goes on; a real bell works after them."""
    evidence = broken.folder / "executed"
    workers = {name: broken.processes[name].pid for name in ("training", "interactive")}
    with broken.held():
        run = broken.start_run(steps=20, pause=0.1)
        broken.ledger.wait_until(run, State.RUNNING)
        before = {name: len(broken.log(name)) for name in workers}
        pushed = hostile(str(evidence))
        for lane in workers:
            for content in pushed.values():
                broken.client().lpush(lane, content)
    after = [broken.start_run(steps=2), broken.start_run(lab="errand", steps=2)]
    for job in broken.ledger.ended([run, *after]):
        is_whole(job)
    wait_for("an empty queue", lambda: not broken.client().exists(*workers))
    for name, pid in workers.items():
        assert broken.is_up(name) and broken.processes[name].pid == pid
        wait_for(f"{name} has logged each", partial(says, broken, name, before[name], len(pushed)))
    assert not evidence.exists(), "a message was executed"


def test_a_busy_worker_answers_the_health_check(broken: Site) -> None:
    """Row 10: `celery inspect ping`, as the container's check asks. CI twice, the row 2 min."""
    guest = broken.guest()
    run = broken.start_run(guest, steps=size(60, 600), pause=0.2, save_every=10)
    broken.ledger.wait_until(run, State.RUNNING)
    ping = [sys.executable, "-m", "celery", "-A", "workers.app", "inspect", "ping"]
    ping += ["-t", "10", "-d", f"training@{socket.gethostname()}"]
    asked = 0
    while broken.ledger.job(run).state == State.RUNNING and asked < size(2, 30):
        began = time.monotonic()
        answer = subprocess.run(ping, env=broken.env, cwd=ROOT, capture_output=True, text=True)
        assert answer.returncode == 0 and "pong" in answer.stdout, answer.stdout + answer.stderr
        log.info(
            "pong after %.1f s, with the start of the asking process", time.monotonic() - began
        )
        asked += 1
    assert asked >= 2, "it was asked while the job ran"
    guest.post(f"{run}cancel/")
    guest.http.close()


@pytest.mark.parametrize("name", ["interactive", "training"])
def test_a_worker_says_where_it_is_and_its_parent_has_one_thread(broken: Site, name: str) -> None:
    """A fork copies one thread, and every lock as the others had it: no child may wait for one."""
    said = broken.stacks(name)
    assert said.count("most recent call first") >= 1 + len(broken.children(name)), said
    assert "in create_loop" in said, "the parent's loop"
    threads = Path(f"/proc/{broken.processes[name].pid}/task")
    assert len(list(threads.iterdir())) == 1, said


FAIL_POINT = """
import os, signal, sys
import django
django.setup()
from accounts.models import Learner
from labs import stream
from labs.lab import every_lab
from labs.models import Run

stream.ring = lambda lane: os.kill(os.getpid(), signal.SIGKILL)
lab = every_lab()["steady"]
Run.start(Learner.objects.create(), lab, lab.params.model_validate({"steps": 2}), int(sys.argv[1]))
"""


def has(jobs: Any, **facts: Any) -> bool:
    return bool(jobs.filter(**facts).exists())


def test_a_crash_between_the_commit_and_the_bell_loses_no_run(broken: Site) -> None:
    """Row 14: SIGKILL where the bell would ring. CI 2 times, the row 100."""
    from labs.models import Job

    jobs = Job.objects.using(broken.ledger.alias)
    for n in range(size(2, 100)):
        seed = 100_000 + n
        command = [sys.executable, "-c", FAIL_POINT, str(seed)]
        killed = subprocess.run(command, env=broken.env, cwd=ROOT, capture_output=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
        began = time.monotonic()
        assert jobs.filter(seed=seed).exists(), "it was committed"
        wait_for("the reaper's bell", partial(has, jobs, seed=seed, attempt=1), 15)
        log.info("started %.1f s after the crash", time.monotonic() - began)
        wait_for("its end", partial(has, jobs, seed=seed, state=State.SUCCEEDED))
        is_whole(jobs.get(seed=seed))
