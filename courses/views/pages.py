"""Home with the road map, a section, a lecture."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from accounts.models import known_learner_id
from courses.atlas import Atlas, Leg, Stop, atlas
from courses.kept import kept
from courses.pages import answered, lecture_page
from courses.reader import Journey, journey_of
from courses.sheet import Sheet, holes


@require_safe
@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """What this is, and the road map of all sections, with the reader's progress."""
    course = atlas()
    journey = journey_of(known_learner_id(request), course)
    if not (journey.has_begun or journey.labs_run):
        return answered(request, home_sheet(course), {})
    return answered(request, _home(course, journey), {})


@kept
def home_sheet(course: Atlas) -> Sheet:
    return _home(course, Journey(next=course.road[0] if course.road else None))


def _home(course: Atlas, journey: Journey) -> Sheet:
    legs = [{"leg": leg, "rows": _rows(leg, journey)} for leg in course.legs]
    context = {"legs": legs, "journey": journey, "course": course, **holes()}
    return Sheet(render_to_string("home.html", context), {})


def _rows(leg: Leg, journey: Journey) -> list[dict[str, object]]:
    return [
        {"stop": stop, "is_read": journey.reads(stop), "right": journey.right.get(stop.pk, 0)}
        for stop in leg.stops
    ]


@require_safe
def section(request: HttpRequest, section: str) -> HttpResponse:
    """A section: its lectures, those to come among them, and its labs."""
    course = atlas()
    leg = course.leg(section)
    if leg is None:
        raise Http404("There is no section of that name.")
    journey = journey_of(known_learner_id(request), course)
    here = course.legs.index(leg)
    beside = {"before": course.legs[here - 1 : here], "after": course.legs[here + 1 : here + 2]}
    context = {"leg": leg, "rows": _rows(leg, journey), "journey": journey, **beside, **holes()}
    page = Sheet(render_to_string("courses/section.html", context), {})
    return answered(request, page, {})


def stop_or_404(course: Atlas, section: str, slug: str) -> Stop:
    """A lecture that can be read; one that is still to come is not there yet."""
    stop = course.stop(section, slug)
    if stop is None or not stop.is_published:
        raise Http404("There is no lecture of that name, or it is still being written.")
    return stop


@require_safe
def lecture(request: HttpRequest, section: str, slug: str) -> HttpResponse:
    """A lecture; of one that is still to come, what it will be about."""
    course = atlas()
    stop = course.stop(section, slug)
    if stop is None:
        raise Http404("There is no lecture of that name.")
    if not stop.is_published:
        return answered(request, coming_sheet(course, stop), {})
    return lecture_page(request, course, stop)


@kept
def coming_sheet(course: Atlas, stop: Stop) -> Sheet:
    context = {"stop": stop, "leg": course.leg(stop.section), "next": course.after(stop), **holes()}
    return Sheet(render_to_string("courses/coming.html", context), {})
