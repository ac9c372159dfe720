"""A page that is drawn once and kept, with holes for what is each reader's own.

The template writes a hole as `{{ hole.account }}`; a reader's page is the text with the holes
filled: with what the reader has there, or with what everybody has. The pieces between the holes are
kept as they are sent, plain and compressed: a gzip stream may be put together from blocks that were
made apart (RFC 1951, 1952). As bytes a page with formulas takes a quarter of what it takes as text.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
class Piece:
    """Text between two holes, as bytes, and a compressed block that stands alone in any stream."""

    raw: bytes
    block: bytes


Cut = tuple[Piece | str, ...]
"""A text cut at its holes: pieces, and the names of the holes between them."""


def cut(text: str) -> Cut:
    parts = enumerate(HOLE.split(text))
    return tuple(part if n % 2 else _piece(part) for n, part in parts if part)


def _piece(text: str) -> Piece:
    """A short one is stored as it is: to begin compressing costs more than it spares."""
    raw = text.encode()
    if len(raw) < SHORT:
        return Piece(raw, b"\x00" + struct.pack("<HH", len(raw), len(raw) ^ 0xFFFF) + raw)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return Piece(raw, packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH))


class Sheet:
    """The text with its holes, and what stands in each where a reader has nothing of their own."""

    def __init__(self, text: str, common: Mapping[str, str | Cut]) -> None:
        self.text = cut(text)
        self.common = {name: _as_cut(value) for name, value in common.items()}

    def fill(self, own: Mapping[str, str | Cut]) -> str:
        """The page of a reader. What is put in may have holes itself."""
        return filled(self.text, {**self.common, **own}).decode()

    def response(self, request: HttpRequest, own: Mapping[str, str | Cut]) -> HttpResponse:
        """The page as it is sent, compressed where the browser takes that."""
        pieces = self._pieces(own)
        if not ACCEPTS.search(request.headers.get("Accept-Encoding", "")):
            answer = HttpResponse(b"".join(piece.raw for piece in pieces))
        else:
            answer = HttpResponse(_packed(pieces))
            answer["Content-Encoding"] = "gzip"
        patch_vary_headers(answer, ["Accept-Encoding"])
        return answer

    def _pieces(self, own: Mapping[str, str | Cut]) -> Iterator[Piece]:
        return _filled(self.text, {**self.common, **own})


def filled(parts: Cut, values: Mapping[str, str | Cut]) -> bytes:
    return b"".join(piece.raw for piece in _filled(parts, values))


def _as_cut(value: str | Cut) -> Cut:
    return cut(value) if isinstance(value, str) else value


def _filled(parts: Cut, values: Mapping[str, str | Cut]) -> Iterator[Piece]:
    for part in parts:
        if isinstance(part, Piece):
            yield part
        elif part in values:
            yield from _filled(_as_cut(values[part]), values)


def _packed(pieces: Iterator[Piece]) -> bytes:
    """Pieces as one gzip stream."""
    sent, check, size = [HEAD], 0, 0
    for piece in pieces:
        sent.append(piece.block)
        check, size = zlib.crc32(piece.raw, check), size + len(piece.raw)
    return b"".join([*sent, LAST_BLOCK, struct.pack("<LL", check, size & 0xFFFFFFFF)])
