"""A small picture as a PNG in a data: address, for an <image> inside an SVG. No numpy, no Pillow.

The format is that of the PNG specification (W3C, third edition): a signature, then the chunks
IHDR, PLTE where there is a palette, IDAT (rows, each behind a filter byte, compressed), and IEND.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence

GREY, INDEXED = 0, 3
"""Colour types: a byte a pixel is its grey value, or its place in the palette."""


def png(rows: Sequence[bytes], palette: Sequence[str] | None = None) -> str:
    """The data: address of a picture with one byte a pixel.

    Bytes are grey values (0 black, 255 white), or with a palette of "#rrggbb" places in it.
    Raises ValueError where the rows differ in length, or a byte has no place in the palette.
    """
    width = len(rows[0]) if rows else 0
    if not width or any(len(row) != width for row in rows):
        raise ValueError("A picture has at least one row, and all its rows are of one length.")
    if palette is not None and not max(map(max, rows)) < len(palette) <= 256:
        raise ValueError(f"A byte has no place among the {len(palette)} colours of the palette.")
    kind = GREY if palette is None else INDEXED
    head = struct.pack(">IIBBBBB", width, len(rows), 8, kind, 0, 0, 0)
    lines = b"".join(b"\0" + row for row in rows)
    chunks = [_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(lines, 9)), _chunk(b"IEND", b"")]
    if palette is not None:
        colours = b"".join(bytes.fromhex(colour.removeprefix("#")) for colour in palette)
        chunks.insert(1, _chunk(b"PLTE", colours))
    picture = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    return f"data:image/png;base64,{b64encode(picture).decode()}"


def image(x: float, y: float, width: float, height: float, address: str) -> str:
    """The picture of an address in an SVG, its pixels left as squares."""
    return (
        f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" href="{address}" '
        'image-rendering="pixelated" preserveAspectRatio="none"/>'
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
