"""What is made of the course's text and kept in memory: bounded by its bytes, all of it in sum.

A count of entries bounds nothing: one page may be as large as a thousand others. Where MOST_BYTES
are reached, what was not asked for longest goes. What authors have not published is never kept.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

MOST_BYTES = 32_000_000
"""A hundred lectures as pages, with their questions, take about 15 MB."""
LONG = 1_000


class Store:
    """Values by key, of at most `most` bytes. Safe among threads."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most, self.bytes = most, 0
        self.lock = threading.Lock()
        self.found: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """Raises KeyError."""
        with self.lock:
            self.found.move_to_end(key)
            return self.found[key][0]

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value; one that alone is too large is not kept."""
        weight = weight_of(key, deep=False) + weight_of(value)
        with self.lock:
            self.bytes -= self.found.pop(key, (None, 0))[1]
            if weight <= self.most:
                self.found[key] = value, weight
                self.bytes += weight
            while self.bytes > self.most:
                self.bytes -= self.found.popitem(last=False)[1][1]

    def clear(self) -> None:
        with self.lock:
            self.found.clear()
            self.bytes = 0


STORE = Store()


class kept(Generic[P, R]):  # noqa: N801 (a decorator)
    """A function whose values are kept. Its arguments are hashable, and given by place.

    A long text is known by its hash, which is keyed and of 64 bits: it need not be kept itself.
    """

    def __init__(self, function: Callable[P, R], store: Store | None = None) -> None:
        self.own_store = store
        self.function, self.name = function, f"{function.__module__}.{function.__qualname__}"
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **more: P.kwargs) -> R:
        key = self._key(args)
        try:
            found: R = self.store.get(key)
        except KeyError:
            found = self.function(*args, **more)
            self.store.put(key, found)
        return found

    @property
    def store(self) -> Store:
        """The one of all, where it has none of its own."""
        return self.own_store or STORE

    def seed(self, value: R, *args: Any) -> None:
        """Keep what the function would give for these arguments: it came up elsewhere."""
        self.store.put(self._key(args), value)

    def _key(self, args: Iterable[Any]) -> Hashable:
        return self.name, *(_short(arg) for arg in args)


def _short(arg: Any) -> Hashable:
    if isinstance(arg, str) and len(arg) > LONG:
        return hash(arg), len(arg)
    known: Hashable = arg
    return known


def weight_of(value: Any, deep: bool = True) -> int:
    """The bytes of a value with all that it holds, also in objects where `deep`.

    What several hold counts for each.
    """
    weight, rest = 0, [value]
    while rest:
        part = rest.pop()
        weight += sys.getsizeof(part)
        if isinstance(part, dict):
            rest += [*part, *part.values()]
        elif isinstance(part, tuple | list | set | frozenset):
            rest += part
        elif deep and not isinstance(part, str | bytes | int | float | type | None):
            rest += vars(part).values() if hasattr(part, "__dict__") else ()
    return weight
