"""The API's calls. The site and the API start a run through the same code: `Run.start`."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import at_once, known_learner_id, payer_of
from labs.api.calls import Call, Visitor
from labs.api.errors import NotValid
from labs.api.serialisers import (
    ErrorShown,
    EventsAsked,
    EventsShown,
    LabShown,
    Nothing,
    RunBrief,
    RunShown,
    Start,
)
from labs.controls import validate
from labs.lab import catalog
from labs.models import Run
from labs.panel import entries_of
from labs.state import MARKS, place_of, surviving
from labs.stream import place_of_id
from labs.views.address import address_of
from labs.views.pages import lab_or_404
from labs.views.runs import run_or_404

UNSAFE: dict[Any, Any] = {400: ErrorShown, 403: ErrorShown, 413: ErrorShown, 415: ErrorShown}


class Pages(PageNumberPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


@method_decorator(ensure_csrf_cookie, name="get")
class LabList(Call):
    @extend_schema(operation_id="labs", responses=LabShown(many=True))
    def get(self, _request: Request) -> Response:
        """Every lab. Sets the CSRF cookie that unsafe calls need."""
        return Response(LabShown(list(catalog().values()), many=True).data)


class LabDetail(Call):
    @extend_schema(operation_id="lab", responses={200: LabShown, 404: ErrorShown})
    def get(self, _request: Request, slug: str) -> Response:
        """One lab, with the JSON schema of its params."""
        return Response(LabShown(lab_or_404(slug)).data)


class RunList(Call):
    pagination_class = Pages

    @extend_schema(operation_id="runs", responses={200: RunBrief(many=True), 404: ErrorShown})
    def get(self, request: Request) -> Response:
        """Your runs, the newest first; `?page_size=` to 100."""
        runs = Run.objects.of(known_learner_id(request._request)).order_by("-started_at", "pk")
        pages = Pages()
        page = pages.paginate_queryset(runs, request, view=self)
        return pages.get_paginated_response(RunBrief(page, many=True).data)

    @extend_schema(
        operation_id="start",
        request=Start,
        responses={201: RunShown, 429: ErrorShown, 503: ErrorShown, 507: ErrorShown, **UNSAFE},
    )
    def post(self, request: Request) -> Response:
        """Start a run: a new job, a live one joined, or a finished one replayed at once."""
        asked = Start(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        lab = catalog().get(given["lab"])
        if lab is None:
            raise NotValid({"lab": "There is no lab of that name. GET /api/labs/ lists them."})
        params, errors = validate(lab.params, given["params"])
        if params is None:
            raise NotValid({f"params.{name}".rstrip("."): says for name, says in errors.items()})
        site = request._request
        with at_once(site):
            run = Run.start(payer_of(site), lab, params, given["seed"], address_of(site))
        return Response(RunShown(run).data, status=201)


class RunDetail(Call):
    @extend_schema(operation_id="run", responses={200: RunShown, 404: ErrorShown})
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One of your runs: its state, in words too, what ran, and its files."""
        return Response(RunShown(run_or_404(request._request, pk)).data)


class Cancel(Call):
    @extend_schema(
        operation_id="cancel",
        request=Nothing,
        responses={200: RunShown, 404: ErrorShown, **UNSAFE},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """End one of your runs. A run that is over stays as it is."""
        Nothing(data=request.data).is_valid(raise_exception=True)
        run = run_or_404(request._request, pk)
        run.cancel()
        return Response(RunShown(run).data)


class Events(Call):
    @extend_schema(
        operation_id="events",
        parameters=[EventsAsked],
        responses={200: EventsShown, 400: ErrorShown, 404: ErrorShown},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Events from a position on, each a snapshot that replaces the last of its name.

        Ask again `after` the answer's `next` until `over` is true and `more` is false.
        """
        run = run_or_404(request._request, pk)
        asked = EventsAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        after = asked.validated_data.get("after", "0-0")
        entries = [e for e in surviving(entries_of(run.job)) if e["kind"] not in MARKS]
        newer = [e for e in entries if place_of(e) > place_of_id(after)]
        page = newer[: asked.validated_data["limit"]]
        last = "{}-{}".format(*place_of(page[-1])) if page else after
        more = len(newer) > len(page)
        shown = {"events": page, "next": last, "more": more, "state": run.state}
        return Response(EventsShown(shown | {"over": run.is_over}).data)


class Nowhere(Call):
    @extend_schema(exclude=True)
    def get(self, _request: Request) -> Response:
        """Whatever is no address of the API: its 404 has the API's shape."""
        raise Http404

    post = put = patch = delete = get


class Schema(SpectacularAPIView):
    authentication_classes = [Visitor]
    metadata_class = None


class Docs(SpectacularSwaggerSplitView):
    """The same, to read and to try. Styled from a file: our CSP admits no inline style."""

    authentication_classes = [Visitor]
    metadata_class = None
    url_name = "api:schema"
    template_name = "api/docs.html"
