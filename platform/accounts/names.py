"""Names that look like staff's: nobody signs up under one.

What counts is how a name looks, not how it is spelt: "Adm1n", "a.d.m.i.n", "АDMIN" with a Cyrillic
А, "admin2026", "admin@example.org" and "site-admins" deceive a reader as well as "admin" does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from django.conf import settings

from accounts.models import User

LATIN = {
    **dict.fromkeys("аα", "a"),
    **dict.fromkeys("вβ", "b"),
    **dict.fromkeys("еε", "e"),
    **dict.fromkeys("нһ", "h"),
    **dict.fromkeys("іιı", "i"),
    **dict.fromkeys("кκ", "k"),
    **dict.fromkeys("оο", "o"),
    **dict.fromkeys("рρ", "p"),
    **dict.fromkeys("тτ", "t"),
    **dict.fromkeys("уυ", "u"),
    **dict.fromkeys("хχ", "x"),
    **dict(zip("сԁјӏмηԛѕνѵԝω", "cdjlmnqsvvww", strict=True)),
}
"""Letters of other scripts that are taken for a Latin one; casefolded."""
DIGITS = "0123456789"
READ_AS = [str.maketrans("013457", f"o{one}east") for one in "il"]
"""Digits that are read as letters; a 1 is an i or an l."""


def looks_like_staff(name: str) -> bool:
    """Whether a reader could take this for one of RESERVED_NAMES, for several of them in a row, or
    for the name or the address of a member of staff."""
    words = {look for word in settings.RESERVED_NAMES for look in _looks(word)} - {""}
    words |= {f"{word}s" for word in words}
    parts = {name, name.partition("@")[0], name.replace("@", "a")}
    numbered = {cut for part in parts for cut in _without_numbers(_bare(part))}
    if any(_is_made_of(words, look) for bare in numbered for look in _read(bare)):
        return True
    looks = {look for part in parts for look in _looks(part)} - {""}
    staff = User.objects.filter(is_staff=True).values_list("username", "email")
    return any(looks & _looks(known) for one in staff for known in one)


def _bare(name: str) -> str:
    """Letters and digits, in small Latin letters without accents where they look so."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(LATIN.get(c, c) for c in apart if c.isalnum())


def _read(bare: str) -> set[str]:
    return {bare.translate(table) for table in READ_AS}


def _looks(name: str) -> set[str]:
    return _read(_bare(name))


def _without_numbers(bare: str) -> set[str]:
    return {bare, bare.lstrip(DIGITS), bare.rstrip(DIGITS), bare.strip(DIGITS)}


def _is_made_of(words: Collection[str], look: str) -> bool:
    """Whether it is one of the words, or several in a row and nothing else."""
    ends = {0}
    for start in range(len(look)):
        if start in ends:
            ends |= {start + len(word) for word in words if look.startswith(word, start)}
    return bool(look) and len(look) in ends
