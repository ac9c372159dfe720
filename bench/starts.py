"""From Start of first-cnn to its first event with data: one learner, and fifty at once."""

from __future__ import annotations

import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bench import before
from bench.client import Guest, Stream, wait_for
from bench.clock import p50, p95
from bench.table import Row
from tests.stack import Stack

STARTS, AT_ONCE, ROUNDS = 25, 50, 5


def first_event(guest: Guest, seed: int) -> tuple[float, str]:
    """Milliseconds from the click to the first event that fills a slot, and the run's address."""
    came = threading.Event()
    began = time.perf_counter()
    url = guest.start("first-cnn", seed=seed)
    Stream(guest, f"{url}events/", lambda _, data: came.set() if "#slot-" in data else None)
    return (wait_for(came) - began) * 1000, url


def one_after_another(site: Stack) -> list[float]:
    guest, seen = Guest(site.base_url), []
    guest.open("first-cnn")
    for seed in random.sample(range(1_000, 10_000), STARTS + 3):
        took, url = first_event(guest, seed)
        seen.append(took)
        guest.cancel(url)
        time.sleep(1.5)
    return seen[3:]


def at_once(site: Stack) -> tuple[list[float], int]:
    """Fifty guests start the same run in the same moment; gives their waits and the jobs made."""
    guests = [Guest(site.base_url) for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda guest: guest.open("first-cnn"), guests))
        seed = random.randint(0, 999)
        waits = [took for took, _ in pool.map(lambda guest: first_event(guest, seed), guests)]
    code = f"from labs.models import Job; print(Job.objects.filter(seed={seed}).count())"
    return waits, int(site.manage("shell", "-v", "0", "-c", code).split()[-1])


def in_turns(site: Stack, earlier: Stack) -> tuple[list[float], list[float], int]:
    """The p95 of each round, here and on the earlier site; and the most jobs that a round made."""
    now, then, most = [], [], 0
    for _ in range(ROUNDS):
        waits, jobs = at_once(site)
        now.append(p95(waits))
        most = max(most, jobs)
        then.append(p95(at_once(earlier)[0]))
    return now, then, most


def bench(site: Stack) -> list[Row]:
    alone = one_after_another(site)
    with before.site({"CONVOLAB_WAITING_AN_ADDRESS": "100000"}) as earlier:
        rounds, theirs, jobs = in_turns(site, earlier)
    ours, then = statistics.median(rounds), statistics.median(theirs)
    return [
        Row(
            "first-cnn: Start to the first event with data, idle warm worker, p50 and p95",
            f"{p50(alone):.0f} and {p95(alone):.0f} ms",
            goal="p95 ≤ 500 ms",
            reached=p95(alone) <= 500,
        ),
        Row(
            f"{AT_ONCE} equal Starts at once: trainings, p95 to the first event, {ROUNDS} rounds",
            f"{jobs}, {ours:.0f} ms",
            f"the commit before: {then:.0f} ms",
            ours / then,
            "1 training, p95 ≤ 1,400 ms",
            jobs == 1 and ours <= 1_400,
        ),
    ]
