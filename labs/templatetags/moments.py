"""Moments on a page: sent in UTC, and shown in the reader's zone once static/js/times.js runs."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def moment(when: datetime, seconds: bool = False) -> SafeString:
    """A time element: "30 November 2026, 17:25 UTC"."""
    there = when.astimezone(UTC)
    says = date_format(there, "j F Y, H:i:s" if seconds else "j F Y, H:i", use_l10n=False)
    return format_html(
        '<time datetime="{}"{}>{} UTC</time>',
        there.isoformat(timespec="seconds"),
        mark_safe(" data-seconds") if seconds else "",
        says,
    )
