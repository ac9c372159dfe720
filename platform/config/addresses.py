"""What all guests at one address may use together, from the environment as settings.py is.

A limit that holds for a guest alone is passed by with a new cookie; these are not. Accounts count
by themselves, wherever they are.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment

env = Environment()


def _networks(variable: str) -> list[IPv4Network | IPv6Network]:
    """The networks that a variable names, with commas. Raises ImproperlyConfigured."""
    found = []
    for name in env.list(variable, default=[]):
        try:
            found.append(ip_network(name.strip()))
        except ValueError as fault:
            raise ImproperlyConfigured(
                f"{variable} names “{name.strip()}”, which is no network: {fault}. Networks are "
                "written like 192.0.2.0/24 or 2001:db8:1::/48, with commas between them."
            ) from None
    return found


GUESTS_COMPUTE: bool = env.bool("CONVOLAB_GUESTS_COMPUTE", default=True)
EXEMPT_NETWORKS = _networks("CONVOLAB_EXEMPT_NETWORKS")
RUNNING_AN_ADDRESS: int = env.int("CONVOLAB_RUNNING_AN_ADDRESS", default=4)
WAITING_AN_ADDRESS: int = env.int("CONVOLAB_WAITING_AN_ADDRESS", default=60)
SECONDS_A_DAY_AN_ADDRESS: int = env.int("CONVOLAB_SECONDS_A_DAY_AN_ADDRESS", default=21_600)
STARTS_A_MINUTE_AN_ADDRESS: int = env.int("CONVOLAB_STARTS_A_MINUTE_AN_ADDRESS", default=600)
GUESTS_AN_HOUR: int = env.int("CONVOLAB_GUESTS_AN_HOUR", default=200)
PICTURES_AN_ADDRESS: int = env.int("CONVOLAB_PICTURES_AN_ADDRESS", default=400)
STORAGE_AN_ADDRESS: int = env.int("CONVOLAB_STORAGE_AN_ADDRESS", default=200_000_000)
