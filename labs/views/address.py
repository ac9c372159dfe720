"""The address that a request came from, as far as it can be trusted."""

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The peer's address, or the one that the outermost of our own proxies saw.

    Each proxy appends the address of its peer, so only the last TRUSTED_PROXIES entries of
    X-Forwarded-For are ours; what stands before them is the client's claim.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    count = settings.TRUSTED_PROXIES
    return hops[-count] if 0 < count <= len(hops) and hops[-count] else peer
