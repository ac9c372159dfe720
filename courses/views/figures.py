"""A figure in the state that its reader has moved it to."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from courses.figures.figure import every_figure
from labs.controls import decode, validate


@require_safe
def figure(request: HttpRequest, name: str) -> HttpResponse:
    """The drawing for the params in the address; 422 and a sentence where they are not valid."""
    found = every_figure().get(name)
    if found is None:
        raise Http404("There is no figure of that name.")
    params, errors = validate(found.params, decode(found.params, request.GET))
    if params is None:
        return render(request, "courses/_refused.html", {"errors": errors.values()}, status=422)
    response = render(request, "courses/_drawing.html", {"drawing": found.draw(params)})
    response["Cache-Control"] = "max-age=3600"
    return response
