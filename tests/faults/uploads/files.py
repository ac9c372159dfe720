"""Files that people, good and bad, may send as a picture."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache

from PIL import Image, PngImagePlugin

SECRET = b"GPS 51.5007 N 0.1246 W <script>alert('convolab')</script>"
HTML = b"<!doctype html><script>document.title = 'it ran'; fetch('/it-ran')</script>"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)" width="9" height="9">'
    b"<script>alert(1)</script></svg>"
)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@cache
def photo(width: int = 64, height: int = 48) -> Image.Image:
    gradient = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (gradient, gradient.transpose(Image.Transpose.ROTATE_180), gradient))


@cache
def png() -> bytes:
    return encoded(photo(), "PNG")


@cache
def large(side: int = 2_000) -> bytes:
    """A few hundred kilobytes that nothing is wrong with."""
    return encoded(Image.effect_noise((side, side), 60), "JPEG", quality=30)


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png_that_says(width: int, height: int, data: bytes) -> bytes:
    """A PNG by hand: its header may promise anything."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def with_secrets() -> dict[str, bytes]:
    """Good pictures that carry what must not be kept: it is in the name of each."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return {
        "exif.jpg": encoded(photo(), "JPEG", exif=exif.tobytes()),
        "comment.jpg": encoded(photo(), "JPEG", comment=SECRET),
        "xmp.jpg": encoded(photo(), "JPEG", xmp=SECRET),
        "text.png": encoded(photo(), "PNG", pnginfo=text),
        "exif.webp": encoded(photo(), "WEBP", exif=exif.tobytes(), xmp=SECRET),
        "behind.png": png() + SECRET,
        "behind.jpg": encoded(photo(), "JPEG") + SECRET,
        "html-behind.png": png() + HTML + SECRET,
    }


def hostile() -> Iterator[tuple[str, bytes]]:
    """What must be refused in words, each through the whole path."""
    frames = [photo(), photo().transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    yield "bomb.png", png_that_says(60_000, 60_000, zlib.compress(b"\0" * 30_000_000, 9))
    yield "liar.png", png_that_says(2_000, 2_000, zlib.compress(b"\0" * 100))
    yield "text-bomb.png", text_bomb()
    yield "cut.png", png()[: len(png()) // 2]
    yield "cut.jpg", large()[: len(large()) // 2]
    yield "html.png", HTML
    yield "svg.png", SVG
    yield "script.ps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run quit\n"
    yield "a.tiff", encoded(photo(), "TIFF")
    yield "a.bmp", encoded(photo(), "BMP")
    yield "a.fits", b"SIMPLE  =                    T" + b" " * 2850
    yield "moves.gif", encoded(frames[0], "GIF", save_all=True, append_images=frames * 50)
    yield "moves.webp", encoded(frames[0], "WEBP", save_all=True, append_images=frames)
    yield "moves.png", encoded(frames[0], "PNG", save_all=True, append_images=frames)
    yield "zeros.png", bytes(100_000)
    yield "one.png", b"\x89"


def text_bomb() -> bytes:
    packed = zlib.compress(b"a" * 50_000_000, 9)
    found = png()
    return found[:33] + chunk(b"zTXt", b"Comment\0\0" + packed) + found[33:]


ODD_NAMES = [
    "../../../../etc/passwd.png",
    "..\\..\\windows\\system.png",
    "/etc/cron.d/job.png",
    "a\r\nSet-Cookie: stolen=1\r\n\r\n<html>.png",
    "a\nX-Injected: 1.png",
    "\u202egnp.exe",
    "\u202e\u200f\u2066",
    "a" * 300 + ".png",
    "<img src=x onerror=alert(1)>.png",
    '" onmouseover="alert(1)" x=".png',
    "{{ 7*7 }}{% debug %}.png",
    "nul\0byte.png",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd.png",
    "con.png",
    ".htaccess",
    "‮😀 émoji ünïcode.png",
    "file.png; filename=evil.html",
    "; rm -rf ~; .png",
    "$(touch hacked).png",
    "upload",
]
