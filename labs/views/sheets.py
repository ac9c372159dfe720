"""A lab before its run as a sheet (courses/sheet.py): what all readers share is drawn once.

In the holes: the token, the account, the learner's own pictures, and what tells an open page's
drafts from another's.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string

from courses.kept import Store, kept
from courses.pages import answered
from courses.sheet import Sheet, holes, mark
from labs.controls import decode, validate
from labs.data import registry
from labs.lab import Lab, catalog
from labs.params import picture_fields
from labs.views.pages import (
    controls_context,
    embedded,
    empty_panel,
    own_pictures,
    params_only,
    sign_in_first,
)

NO_NONCE = "0" * 32
LONGEST_QUERY = 300


def is_shared(request: HttpRequest, lab: Lab) -> bool:
    """Whether others see the same: neither an earlier run's settings nor a picture of one's own."""
    query, said = request.META.get("QUERY_STRING", ""), "".join(map(str, request.GET.values()))
    own = "from" in request.GET or "own:" in said
    is_plain = len(query) <= LONGEST_QUERY and "\x00" not in said  # which would open a hole
    return is_plain and not own and len(picture_fields(lab.params)) <= 1


def sheet_response(request: HttpRequest, lab: Lab, template: str) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    here = frozenset(name for name in registry.REGISTRY if registry.is_available(name))
    own = {"nonce": uuid.uuid4().hex, "own": own_tiles(request, lab)}
    first = sign_in_first(request, lab)
    return answered(request, lab_sheet(lab.slug, template, query, here, first), own)


def _lab_sheet(slug: str, template: str, query: str, here: frozenset[str], first: str) -> Sheet:
    """Drawn anew where another dataset is `here`, or a guest has to sign in `first`."""
    lab, asked = catalog()[slug], QueryDict(query)
    values = params_only(lab, decode(lab.params, asked))
    _, errors = validate(lab.params, values)
    context = controls_context(lab, values, 0, errors, [], NO_NONCE) | empty_panel(lab) | holes()
    context["sign_in_first"] = first
    if template == "labs/_embed.html":
        context |= embedded(context["controls"], asked.get("show", ""))
    text = render_to_string(template, context).replace(NO_NONCE, mark("nonce"))
    return Sheet(text, {})


lab_sheet = kept(_lab_sheet, Store(4_000_000))
"""In a store of its own: anybody can make up any number of queries, and drives out no lecture."""


def own_tiles(request: HttpRequest, lab: Lab) -> str:
    """The learner's own pictures, as they stand behind the site's."""
    names = list(picture_fields(lab.params))
    if not names:
        return ""
    tiles: list[dict[str, Any]] = [
        {"name": names[0], "value": p.value, "label": p.label, "url": p.url, "delete": p.delete}
        for p in own_pictures(request)
    ]
    return "".join(render_to_string("_fragments/tile.html", tile) for tile in tiles)
