"""A query that is compiled once: making SQL of a queryset takes Django twenty times as long as
running it, which counts on the page that students look at most."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Prepared:
    """Rows of `make(**values)`, a queryset with `.values_list(…)`, for these values or others.

    `examples` are values to compile it with, each unlike the others and unlike any constant in the
    query: they show which parameter of the SQL is which. Rows are as the database has them: a
    boolean may be 0 or 1, a time a text.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], **examples: Any) -> None:
        self.make, self.examples = make, examples
        self.known: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        sql, places = self.known.get(connection.vendor) or self._compile()
        given = {name: _adapted(value) for name, value in values.items()}
        with connection.cursor() as cursor:
            cursor.execute(sql, [_filled(place, given) for place in places])
            return list(cursor.fetchall())

    def _compile(self) -> tuple[str, tuple[Any, ...]]:
        sql, params = self.make(**self.examples).query.sql_with_params()
        names = {_adapted(example): name for name, example in self.examples.items()}
        made = sql, tuple(_Named(names[p]) if p in names else p for p in params)
        self.known[connection.vendor] = made
        return made


class _Named(str):
    """The name of a value, in the place of a parameter."""


def _filled(place: Any, given: Mapping[str, Any]) -> Any:
    return given[place] if isinstance(place, _Named) else place


def _adapted(value: Any) -> Any:
    if isinstance(value, uuid.UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value
