"""A text that nobody has checked is rendered apart from the site, within limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from courses.admin.proof import proof_of
from courses.sandbox import ROOT, NotRenderedError, Sandbox
from tests.courses.specimen import NUMERIC, file
from tests.servers import wait_for

SLOW = file("Text.\n\n" + f"```java\n{'a ' * 2_400}\n```\n\n" * 18)
"""Pygments takes time by the square of such a block's length: seconds, all of them together."""
FIRST_BLOCK = SLOW[: SLOW.index("```java")].count("\n") + 1
LARGE = file("|a\n|-\n" + "|a\n" * 25_000)


def asked(source: str) -> dict[str, Any]:
    return {"source": source, "places": [], "pictures": [], "answers": True}


@pytest.fixture
def made() -> Iterator[Any]:
    started: list[Sandbox] = []

    def make(**limits: Any) -> Sandbox:
        started.append(Sandbox(**limits))
        return started[-1]

    yield make
    for sandbox in started:
        sandbox.close()


def test_what_takes_too_long_is_ended_and_its_line_is_told(made: Any) -> None:
    with pytest.raises(NotRenderedError, match=r"more than 0\.4 seconds") as ended:
        made(seconds=0.4).ask(asked(SLOW))
    assert ended.value.line in range(FIRST_BLOCK, SLOW.count("\n") + 1)


def test_what_takes_too_much_memory_is_ended(made: Any) -> None:
    with pytest.raises(NotRenderedError, match="more than 100 MB of memory"):
        made(seconds=30, memory=100_000_000).ask(asked(LARGE))


def test_a_page_that_is_too_large_is_not_taken(made: Any) -> None:
    captions = "".join(f":::figure kernel-gallery\n{n}\n:::\n" for n in range(1_000))
    with pytest.raises(NotRenderedError, match="more than 5 MB") as ended:
        made(seconds=60).ask(asked(file(captions)))
    assert ended.value.line > 1


def test_its_process_is_started_anew_when_it_died(made: Any) -> None:
    sandbox = made()
    first = sandbox.ask(asked(file("One.")))
    os.kill(sandbox.process.pid, signal.SIGKILL)
    assert sandbox.ask(asked(file("One."))) == first


def test_a_dataset_that_is_on_this_site_may_be_named(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOLAB_DATA", str(tmp_path))
    text = asked(file('Text.\n\n:::lab first-cnn {"dataset": "mnist"}\nTrain it.\n:::\n'))
    sandbox = made()
    assert "not on this site" in str(sandbox.ask(text)["faults"])
    (tmp_path / "mnist.npz").touch()
    assert sandbox.ask(text)["faults"] == []


def test_many_threads_get_each_their_own(made: Any) -> None:
    sandbox = made()
    sandbox.places = threading.BoundedSemaphore(8)
    texts = [f"Text number {n}." for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: sandbox.ask(asked(file(text)))["body"], texts))
    assert found == [[f"<p>{text}</p>\n"] for text in texts]


def test_where_its_places_are_taken_it_says_so_and_holds_up_nobody(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courses.sandbox.PATIENCE", 0.01)
    sandbox = made()
    sandbox.places = threading.BoundedSemaphore(1)
    with sandbox.places, pytest.raises(NotRenderedError, match="rendering other texts"):
        sandbox.ask(asked(file("One.")))


def test_it_ends_with_the_site_however_that_ends(tmp_path: Path) -> None:
    code = (
        "import time; from courses.sandbox import SANDBOX\n"
        f"SANDBOX.ask({asked(file('One.'))!r}); print(SANDBOX.process.pid, flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as site:
        assert site.stdout
        pid = int(site.stdout.readline())
        assert Path(f"/proc/{pid}/task").is_dir()
        assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1, "more threads could not fork"
        assert "torch" not in Path(f"/proc/{pid}/maps").read_text()
        assert "SECRET_KEY=of the tests" not in Path(f"/proc/{pid}/environ").read_text()
        site.kill()
    wait_for("the end of the sandbox", lambda: not Path(f"/proc/{pid}").exists(), 20)


@pytest.mark.django_db
def test_a_text_that_cannot_be_rendered_is_a_fault_at_its_line(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courses.admin.proof.SANDBOX", made(seconds=0.4))
    proof = proof_of(SLOW)
    assert not proof.can_be_published
    (fault,) = proof.faults
    assert "more than 0.4 seconds" in fault.message and "smaller" in fault.todo
    assert fault.line >= FIRST_BLOCK


@pytest.mark.django_db
def test_a_text_of_many_problems_tells_the_first_hundred() -> None:
    proof = proof_of(file(":::nothing\n:::\n" * 3_000))
    assert len(proof.faults) == 101 and "2,900 more" in proof.faults[-1].message


@pytest.mark.django_db
def test_the_answers_are_there_for_authors_only() -> None:
    with_them, without = (str(proof_of(file(NUMERIC), a).shown["body"]) for a in (True, False))
    assert "begins counts too" in with_them
    assert "begins counts too" not in without
