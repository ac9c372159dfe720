"""The forms by which a finished run is asked: a drawn digit, say."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import template
from django.urls import reverse

from labs.controls import Control, controls_for
from labs.lab import Lab

register = template.Library()

CLICKED = {"row", "column"}
"""A follow-up of these params alone is asked by a click on a cell, and needs no form."""


class Form(NamedTuple):
    """A follow-up to fill in: its title, where it is sent, and its controls."""

    name: str
    title: str
    url: str
    controls: list[Control]


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
        )
        for name, model in lab.follow_ups.items()
        if set(model.model_fields) - CLICKED
    ]
