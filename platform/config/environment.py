"""What the environment says, read strictly: what cannot be meant is refused by its name.

A variable that is empty counts as not set. No message shows a secret, or a part of one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
MOST = 10**12
"""Of any number: 30,000 years in seconds, a thousand gigabytes in bytes."""
SQLITE = {
    "timeout": 20,  # to open it; then a tenth of a second, the rest is labs.patience's
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=100",
}
SIGNS = (
    "A sign of its user or password that is neither a letter nor a digit must be written as in "
    "any address (%2F for a slash); one that comes from a file need not."
)


class Environment(environ.Env):  # type: ignore[misc] # untyped
    """`env.int(NAME, default=…)` and the like. Numbers are never below 0, and floats (seconds) are
    above it.
    """

    def get_value(self, var: str, cast: Any = None, default: Any = None, *_: object) -> Any:
        said = os.environ.get(var, "").strip()
        if not said:
            return default
        try:
            return READ.get(cast, str)(said)
        except ValueError:
            wanted = WANTED[cast]
            raise ImproperlyConfigured(f"{var} is “{said[:40]}”. It must be {wanted}.") from None


def _bool(said: str) -> bool:
    if said.lower() not in YES + NO:
        raise ValueError
    return said.lower() in YES


def _whole(said: str) -> int:
    if not 0 <= int(said) <= MOST:
        raise ValueError
    return int(said)


def _seconds(said: str) -> float:
    if not 0 < float(said) <= MOST:  # nor nan
        raise ValueError
    return float(said)


def _names(said: str) -> list[str]:
    return [part.strip() for part in said.split(",") if part.strip()]


READ: dict[Any, Callable[[str], Any]] = {
    bool: _bool,
    int: _whole,
    float: _seconds,
    list: _names,
}
WANTED = {
    bool: "1 or 0 (or true, false, yes, no, on, off)",
    int: "a whole number from 0 on",
    float: "a number of seconds above 0",
}


def held_in(variable: str) -> str:
    """What the file holds that a variable names; "" where it names none."""
    named = os.environ.get(variable, "")
    try:
        return Path(named).read_text(encoding="utf-8").strip() if named else ""
    except OSError as fault:
        why = fault.strerror
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    raise ImproperlyConfigured(
        f"{variable} names {named}, which cannot be read ({why}). `make secrets` makes the files "
        "of docker-compose.yml."
    )


def address(variable: str, url: str, password: str, *schemes: str) -> str:
    """The URL that a variable holds, seen to be one. A file's content, `password`, takes the place
    of the word PASSWORD in it, written as a URL writes it.
    """
    if password:
        url = url.replace("PASSWORD", quote(password, safe=""))
    if not _is_address(url, schemes):
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(
            f"{variable} cannot be read as an address that begins with {begins}. {SIGNS}"
        )
    return url


def _is_address(url: str, schemes: tuple[str, ...]) -> bool:
    """Who reads it later would show in the error what it took for a port: a part of a password."""
    try:
        parts = urlsplit(url)
        hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
        whole = all(host.hostname and host.port != 0 for host in hosts) or not parts.netloc
    except ValueError:
        return False
    return whole and parts.scheme in schemes and not parts.fragment


def database(url: str, default: Path) -> dict[str, Any]:
    """Django's entry for a database URL; without one, for SQLite in that file."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default), "OPTIONS": SQLITE}
    config: dict[str, Any] = environ.Env.db_url_config(url)
    if not url.startswith("sqlite:"):
        return config | {"OPTIONS": {"connect_timeout": 5} | config.get("OPTIONS", {})}
    path = unquote(urlsplit(url).path[1:])  # a + is no space in a path
    return config | {"NAME": path or ":memory:", "OPTIONS": SQLITE}
