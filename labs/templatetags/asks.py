"""What templates ask of a lab: its preview, its streams, and the forms by which a finished run is
asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import strip_tags

from labs.controls import Control, controls_for
from labs.lab import Lab, Slot

register = template.Library()

CLICKED = {"row", "column"}
"""A follow-up of these params alone is asked by a click on a cell, and needs no form."""


class Form(NamedTuple):
    """A follow-up to fill in: its title, where it is sent, its controls, and the answer's slots."""

    name: str
    title: str
    url: str
    controls: list[Control]
    slots: tuple[Slot, ...]


@register.filter
def row_by_row(rows: Iterable[Iterable[Any]]) -> str:
    """A grid's cells as they are heard: "20 40; 60 90"."""
    return "; ".join(" ".join(cell.text for cell in row) for row in rows)


@register.filter
def in_words(html: str) -> str:
    """A text with formulas as a label that can be heard: the formulas' signs, rows apart."""
    plain = re.sub(r"<annotation.*?</annotation>", "", html, flags=re.S)
    return " ".join(
        strip_tags(re.sub(r"</mtr>", "; ", re.sub(r"</m[tino][dnio]?>", " ", plain))).split()
    )


@register.filter
def previews(lab: Lab) -> bool:
    """Does the lab tell something before a run? (A template would call `lab.preview`.)"""
    return lab.preview is not None


@register.inclusion_tag("_fragments/stream.html")
def stream(place: str, url: str, answers: bool = False) -> dict[str, Any]:
    """Where a stream comes in (static/js/streams.js opens it): a run's, or one for answers."""
    return {"place": place, "url": url, "answers": answers, "deadline": settings.STREAM_SILENT}


@register.simple_tag
def forms_of(lab: Lab, run: Any) -> list[Form]:
    """Every follow-up of a finished run that has something to fill in."""
    if run is None or run.state != "succeeded":
        return []
    return [
        Form(
            name=name,
            title=(model.__doc__ or name).strip().splitlines()[0].rstrip("."),
            url=reverse("runs:ask", args=[run.pk, name]),
            controls=controls_for(model, {}),
            slots=lab.answers.get(name, ()),
        )
        for name, model in lab.follow_ups.items()
        if set(model.model_fields) - CLICKED
    ]
