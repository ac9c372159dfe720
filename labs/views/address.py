"""The address that a request came from, as far as it can be trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest

WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](:\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}")


def address_of(request: HttpRequest) -> str:
    """The peer's address, or the one that the outermost of our own proxies saw; "" for neither."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    return seen_by_us(peer, request.headers.get("X-Forwarded-For", ""))


def address_in(scope: Mapping[str, Any]) -> str:
    """The same of an ASGI scope, before there is a request."""
    said = [v.decode("latin-1") for k, v in scope["headers"] if k.lower() == b"x-forwarded-for"]
    return seen_by_us(str((scope.get("client") or ("",))[0]), ",".join(said))


def seen_by_us(peer: str, forwarded: str) -> str:
    """Each proxy appends the address of its peer, so only the last TRUSTED_PROXIES entries of
    X-Forwarded-For are ours; what stands before them is the client's claim. What is no address is
    not believed either.
    """
    hops = forwarded.split(",")
    count = settings.TRUSTED_PROXIES
    hop = plain(hops[-count]) if 0 < count <= len(hops) else ""
    return hop or plain(peer)


def plain(text: str) -> str:
    """One spelling for one address: without port, brackets, zone and quotes; "" for no address.

    Some proxies (Azure's) write the port behind it, which is another for each connection.
    """
    text = text.strip().strip('"').strip()
    if found := WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)
