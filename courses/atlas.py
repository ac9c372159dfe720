"""The whole course at a glance: every section and lecture in order, kept until one changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q

from courses.models import Lecture, Section
from labs.lab import Lab, catalog


@dataclass(frozen=True)
class Stop:
    """A lecture on the road map."""

    pk: int
    section: str
    slug: str
    number: str
    title: str
    summary: str
    minutes: int
    labs: tuple[str, ...]
    is_published: bool

    @property
    def url(self) -> str:
        return f"/course/{self.section}/{self.slug}/"


@dataclass(frozen=True)
class Leg:
    """A section on the road map, with its lectures."""

    number: int
    slug: str
    title: str
    summary: str
    stops: tuple[Stop, ...]

    @property
    def url(self) -> str:
        return f"/course/{self.slug}/"

    @cached_property
    def ready(self) -> tuple[Stop, ...]:
        return tuple(stop for stop in self.stops if stop.is_published)

    @cached_property
    def minutes(self) -> int:
        return sum(stop.minutes for stop in self.ready or self.stops)

    @property
    def labs(self) -> list[Lab]:
        return [lab for lab in catalog().values() if lab.section == self.number]


@dataclass(frozen=True, eq=False)
class Atlas:
    """The road map. One atlas is kept until a section or a lecture changes."""

    legs: tuple[Leg, ...]

    @cached_property
    def road(self) -> tuple[Stop, ...]:
        """The lectures that can be read, in order."""
        return tuple(stop for leg in self.legs for stop in leg.ready)

    def leg(self, slug: str) -> Leg | None:
        return next((leg for leg in self.legs if leg.slug == slug), None)

    def stop(self, section: str, slug: str) -> Stop | None:
        return next((s for s in self._stops() if (s.section, s.slug) == (section, slug)), None)

    def by_pk(self, pk: int) -> Stop | None:
        return next((stop for stop in self._stops() if stop.pk == pk), None)

    def at(self, url: str) -> Stop | None:
        return next((stop for stop in self._stops() if stop.url == url), None)

    def _stops(self) -> Iterator[Stop]:
        return (stop for leg in self.legs for stop in leg.stops)

    def beside(self, stop: Stop) -> tuple[Stop | None, Stop | None]:
        """The lectures before and after one, among those that can be read."""
        if stop not in self.road:
            return None, None
        n = self.road.index(stop)
        return (
            self.road[n - 1] if n else None,
            self.road[n + 1] if n + 1 < len(self.road) else None,
        )

    def after(self, stop: Stop) -> Stop | None:
        """The next lecture in the course that can be read."""
        stops = list(self._stops())
        return next((s for s in stops[stops.index(stop) + 1 :] if s.is_published), None)

    def upcoming(self, stop: Stop) -> Stop | None:
        """The lecture that comes next in the course, where it cannot be read yet."""
        stops = list(self._stops())
        after = stops[stops.index(stop) + 1 :]
        return after[0] if after and not after[0].is_published else None


SECONDS = 1.0
"""So long an atlas is taken to be up to date: another process may have changed the course."""
_looked: tuple[float, Atlas] | None = None


def atlas() -> Atlas:
    """The road map as it is now; for a second after a look, as it was then."""
    global _looked
    now = time.monotonic()
    if _looked is None or now - _looked[0] > SECONDS:
        _looked = now, _look()
    return _looked[1]


def look_again(**_: Any) -> None:
    """Somebody has changed the course in this process."""
    global _looked
    _looked = None


def _look() -> Atlas:
    """One query, unless something has changed.

    Of each row its time: the latest of them need not change where two have saved at once.
    """
    rows = Section.objects.order_by("pk", "lectures")
    return _drawn(tuple(rows.values_list("pk", "changed", "lectures", "lectures__changed")))


@lru_cache(maxsize=2)
def _drawn(stamp: tuple[Any, ...]) -> Atlas:  # noqa: ARG001 (what it is kept by)
    columns = ("section", "pk", "slug", "number", "title", "summary", "minutes", "labs")
    published = ExpressionWrapper(~Q(published=""), BooleanField())
    rows = list(Lecture.objects.annotate(can_be_read=published).values(*columns, "can_be_read"))
    return Atlas(
        tuple(
            Leg(
                section.number,
                section.slug,
                section.title,
                section.summary,
                tuple(_stop(section, row) for row in rows if row["section"] == section.pk),
            )
            for section in Section.objects.all()
        )
    )


def _stop(section: Section, row: dict[str, Any]) -> Stop:
    return Stop(
        pk=row["pk"],
        section=section.slug,
        slug=row["slug"],
        number=f"{section.number}.{row['number']}",
        title=row["title"],
        summary=row["summary"],
        minutes=row["minutes"],
        labs=tuple(row["labs"]),
        is_published=row["can_be_read"],
    )
