"""What a limit says, and the address that a guest counts for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

SIGN_IN = "Signing in lifts this limit."


class Refused(Exception):
    """What a limit refuses: a sentence, and after how many seconds to try again.

    `to_sign_in` where an account is the way out.
    """

    status = 429

    def __init__(self, sentence: str, retry_after: int = 30, to_sign_in: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after = retry_after
        self.to_sign_in = to_sign_in


class SignInFirst(Refused):
    """A guest wants something computed where only accounts may."""

    status = 403

    def __init__(self) -> None:
        said = "On this site only accounts compute; guests read. Sign in, then start it again."
        super().__init__(said, retry_after=0, to_sign_in=True)


def of_address(what: str, retry_after: int = 60) -> Refused:
    """A refusal for what all guests at one address do together."""
    said = f"{what}. The limit is for all guests at your address together. {SIGN_IN}"
    return Refused(said, retry_after, to_sign_in=True)


def counted(address: str) -> str:
    """The address that a guest counts for: of IPv6 the base of its /64, for a home has as many.

    "" where nothing is counted by address: in an exempt network, and where the address is none.
    """
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if any(parsed in network for network in settings.EXEMPT_NETWORKS):
        return ""
    if isinstance(parsed, IPv6Address):
        parsed = ip_network((parsed, 64), strict=False)[0]
    return str(parsed)
