"""A page that is drawn once and kept, with holes for what is each reader's own.

The template writes a hole as `{{ hole.account }}`; a reader's page is the text with the holes
filled: with what the reader has there, or with what everybody has. What is kept is kept compressed,
too: a gzip stream may be put together from blocks that were made apart (RFC 1951, 1952).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString, mark_safe

HOLE = re.compile("\x00([a-z0-9:-]+)\x00")
ACCEPTS = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
LAST_BLOCK = b"\x03\x00"
SHORT = 200


class Holes:
    """What a template finds under `hole`: the mark of the hole of that name."""

    def __getitem__(self, name: str) -> SafeString:
        return mark(name)


def mark(name: str) -> SafeString:
    return mark_safe(f"\x00{name}\x00")  # noqa: S308 (a name of ours)


def holes() -> dict[str, Any]:
    """A template's context for a page with holes. The token of every form is one, too."""
    return {"hole": Holes(), "csrf_token": mark("csrf"), "is_sheet": True}


@dataclass(frozen=True)
class Sheet:
    """The text with its holes, and what stands in each where a reader has nothing of their own."""

    text: str
    common: Mapping[str, str]
    is_kept: bool = True

    def fill(self, own: Mapping[str, str]) -> str:
        """The page of a reader. What is put in may have holes itself."""
        return "".join(piece for piece, _ in self.pieces(own))

    def pieces(self, own: Mapping[str, str]) -> Iterable[tuple[str, bool]]:
        """The page in pieces; whether each is kept, or of this reader."""
        return _filled(self.text, {**self.common, **own}, self.is_kept)

    def response(self, request: HttpRequest, own: Mapping[str, str]) -> HttpResponse:
        """The page as it is sent, compressed where the browser takes that."""
        if not ACCEPTS.search(request.headers.get("Accept-Encoding", "")):
            answer = HttpResponse(self.fill(own))
        else:
            answer = HttpResponse(_packed(self.pieces(own)))
            answer["Content-Encoding"] = "gzip"
        patch_vary_headers(answer, ["Accept-Encoding"])
        return answer


def _filled(text: str, values: Mapping[str, str], is_kept: bool) -> Iterator[tuple[str, bool]]:
    if "\x00" not in text:  # a reader's own, where it is short: not worth keeping
        yield text, is_kept and len(text) >= SHORT
        return
    for n, part in enumerate(_split(text) if is_kept else HOLE.split(text)):
        if n % 2 == 0:
            yield part, is_kept
        elif part in values:
            yield from _filled(values[part], values, is_kept)


@lru_cache(maxsize=4_096)
def _split(text: str) -> tuple[str, ...]:
    return tuple(HOLE.split(text))


def _packed(pieces: Iterable[tuple[str, bool]]) -> bytes:
    """Pieces as one gzip stream: those that are kept were compressed before."""
    sent, check, size = [HEAD], 0, 0
    for text, is_kept in pieces:
        raw, block = _kept_block(text) if is_kept else _block(text)
        sent.append(block)
        check, size = zlib.crc32(raw, check), size + len(raw)
    return b"".join([*sent, LAST_BLOCK, struct.pack("<LL", check, size & 0xFFFFFFFF)])


@lru_cache(maxsize=4_096)
def _kept_block(text: str) -> tuple[bytes, bytes]:
    return _block(text)


def _block(text: str) -> tuple[bytes, bytes]:
    """The bytes of a text, and a block of them that stands alone in any stream.

    A short one is stored as it is: to begin compressing costs more than it spares.
    """
    raw = text.encode()
    if len(raw) < SHORT:
        return raw, b"\x00" + struct.pack("<HH", len(raw), len(raw) ^ 0xFFFF) + raw
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return raw, packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH)
