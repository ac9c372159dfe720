"""What is kept in memory is bounded by its bytes, all of it in sum."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from courses import kept as module
from courses.kept import Store, kept, weight_of


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store(1_000_000)
    monkeypatch.setattr(module, "STORE", made)
    return made


@dataclass(frozen=True)
class Holder:
    text: str


def test_what_was_not_asked_for_longest_goes_where_the_bytes_are_reached(store: Store) -> None:
    asked = []

    @kept
    def page(name: str) -> Holder:
        asked.append(name)
        return Holder("é" * 300_000)

    for name in ("a", "b", "c", "a", "d", "a", "b"):
        assert page(name).text
    assert asked == ["a", "b", "c", "d", "b"], "three of them fit"
    assert 900_000 < store.bytes <= 1_000_000


def test_functions_share_one_budget_and_what_is_too_large_is_not_kept(store: Store) -> None:
    @kept
    def small(n: int) -> bytes:
        return bytes(n)

    @kept
    def large(n: int) -> bytes:
        return bytes(n)

    assert small(400_000) is small(400_000)
    assert large(2_000_000) is not large(2_000_000)
    assert large(900_000) is large(900_000)
    assert len(store.found) == 1, "the large one took the small one's place"
    store.clear()
    assert store.bytes == 0


def test_a_long_text_is_a_key_without_being_kept(store: Store) -> None:
    @kept
    def length(text: str) -> int:
        return len(text)

    texts = [f"{n}{'x' * 900_000}" for n in range(3)]
    assert [length(text) for text in texts] == [900_001] * 3
    assert len(store.found) == 3 and store.bytes < 10_000


def test_a_value_can_be_put_in_that_came_up_elsewhere(store: Store) -> None:
    @kept
    def never(name: str) -> str:
        raise AssertionError(name)

    never.seed("found", "a")
    assert never("a") == "found"


def test_many_threads_keep_the_sum_right(store: Store) -> None:
    @kept
    def some(n: int) -> bytes:
        return bytes(n)

    with ThreadPoolExecutor(8) as pool:
        sizes = [40_000 + n % 60 for n in range(2_000)]
        assert [len(found) for found in pool.map(some, sizes)] == sizes
    assert store.bytes == sum(weight for _, weight in store.found.values()) <= store.most


def test_the_weight_is_that_of_all_that_is_held() -> None:
    text = "x" * 10_000
    for value in (Holder(text), [text], {"a": (text,)}, (Holder(text), None, 1.0)):
        assert 10_000 < weight_of(value) < 11_000
