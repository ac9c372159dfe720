"""An uploaded picture, taken apart and rebuilt: nothing of the file survives but its pixels.

The file is hostile until proven otherwise. `rebuild` hands it to a child process with hard limits
(memory, processor time, output size) and an empty environment; the child decodes, turns the
picture by its EXIF orientation, lays transparency on white, makes it at most 1024 px long, and
writes a fresh PNG. Whatever goes wrong there ends the child, not the worker.

Imports neither torch nor Django, and Pillow only in the child: it starts in about 40 ms.

    python -m labs.data.decode IN OUT
"""

from __future__ import annotations

import io
import re
import resource
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from labs.context import LabError

if TYPE_CHECKING:
    from PIL import Image

ROOT = Path(__file__).parents[2]
MOST_BYTES = 6_000_000
MOST_PIXELS = 8_000_000
LONGEST = 1024
SECONDS = 5
WALL_SECONDS = 30
"""A busy machine gives the child a share of a core: what ends a hostile file is SECONDS of it."""
# Measured: a JPEG or PNG of 8 megapixels takes about 110 MB in all, a transparent WebP 165 MB
# (its reader holds two canvases). It fits into 180 MB of address space; the rest is margin.
ADDRESS_SPACE = 240_000_000
REFUSED = 3

ALLOWED = (
    "Allowed are JPEG, PNG and WebP with one picture inside, up to 8 megapixels and 6 MB. "
    f"We keep it at most {LONGEST} pixels long."
)
AS_JPEG = "Save it as JPEG, then send that."
# What people send and we do not read, by the first bytes: a name may say anything.
OTHERS = {
    rb"....ftyp(?:avi[fs]|mif1.{8}.*avif)": f"This is an AVIF picture. {AS_JPEG}",
    rb"....ftyp(?:hei|hev|mif1|msf1)": (
        "This is a HEIC picture, as iPhones take them. Send it as JPEG: save a copy as JPEG, or "
        "choose “Most Compatible” in Settings, Camera, Formats and take it again."
    ),
    rb"GIF8[79]a": f"This is a GIF picture. {AS_JPEG}",
    rb"BM.{12}[\x0c\x28\x38\x40\x6c\x7c]\0\0\0": f"This is a BMP picture. {AS_JPEG}",
    rb"II\*\0|MM\0\*|II\+\0|MM\0\+": f"This is a TIFF picture. {AS_JPEG}",
}
PNG = b"\x89PNG\r\n\x1a\n"
JPEG, JPEG_ENDS = b"\xff\xd8\xff", b"\xff\xd9"
# Behind a JPEG that is whole it means nothing; where pixels are missing, it is read as them.
NOISE = b"".join(b"\x5a\xa5\x33" * 200 + bytes((0xFF, 0xD0 + n)) for n in range(8))
# What to do to the pixels for each EXIF orientation: names of PIL.Image.Transpose.
TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def refusal(reason: str) -> LabError:
    return LabError(f"{reason} {ALLOWED}")


def named(raw: bytes) -> str:
    """What this file is, and how to send it, where it is a picture that we do not read; or ""."""
    head = raw[:40]
    return next((says for starts, says in OTHERS.items() if re.match(starts, head, re.S)), "")


def rebuild(raw: bytes) -> bytes:
    """A clean PNG of an uploaded file. Raises LabError with what is wrong and what is allowed."""
    if not raw:
        raise refusal("The file is empty.")
    if len(raw) > MOST_BYTES:
        raise refusal(f"The file has {len(raw) / 1e6:.1f} MB, which is too large.")
    if other := named(raw):
        raise refusal(other)
    with tempfile.TemporaryDirectory(prefix="picture-") as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        source.write_bytes(raw)
        command = [sys.executable, "-E", "-s", "-m", __spec__.name, str(source), str(target)]
        try:
            child = subprocess.run(  # noqa: S603
                command,
                env={},  # the parent's holds secrets
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise refusal("The file took too long to read.") from None
        if child.returncode == REFUSED:
            raise LabError(child.stdout.decode())
        if child.returncode != 0 or not target.exists():
            raise refusal("The file could not be read as a picture.")
        return target.read_bytes()


def decode(path: Path) -> bytes:
    """The file at `path` as a clean PNG (RGB, no metadata). Meant for the child process."""
    from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError, WebPImagePlugin

    # Named so that it is loaded: without it Pillow loads all its readers to find WebP's.
    assert WebPImagePlugin
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # looked at in the header, before a pixel is decoded
    PngImagePlugin.MAX_TEXT_MEMORY = 4 * PngImagePlugin.MAX_TEXT_CHUNK
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    raw = path.read_bytes()
    try:
        return _read(_without_broken_extras(raw) if raw.startswith(PNG) else raw)
    except LabError:
        raise
    except UnidentifiedImageError:
        raise refusal("This is not a picture that we can read, or it is damaged.") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise refusal("The picture has more than 8 megapixels.") from None
    except MemoryError:
        raise refusal("The picture needs too much memory.") from None
    except Exception as error:  # a parser fed with garbage may raise anything
        if "too large" in str(error):  # a compressed text chunk that unfolds to more than 1 MiB
            raise refusal("The picture carries far more text than a picture needs.") from None
        raise refusal("The picture is damaged or not complete.") from None


def _read(raw: bytes) -> bytes:
    """The clean PNG; also of a JPEG that lacks nothing but its closing mark, as browsers do."""
    try:
        return _opened(raw)
    except OSError:
        if not raw.startswith(JPEG):
            raise
        cut = raw.removesuffix(b"\xff")
        first, second = (_opened(cut + tail + JPEG_ENDS) for tail in (b"", NOISE))
        if first != second:
            raise
        return first


def _opened(raw: bytes) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(raw), formats=("JPEG", "PNG", "WEBP")) as image:
        return _clean(image)


def _without_broken_extras(png: bytes) -> bytes:
    """Without the chunks that no pixel needs and whose checksum is wrong, as browsers leave them
    out. What is wrong with others is left to the reader."""
    kept, at = [PNG], len(PNG)
    while at + 12 <= len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4])
        body, check = png[at + 4 : end - 4], int.from_bytes(png[end - 4 : end])
        is_extra = bool(body[0] & 0x20)
        if end > len(png) or not is_extra or zlib.crc32(body) == check:
            kept.append(png[at:end])
        at = end
    return b"".join([*kept, png[at:]])


def _clean(image: Image.Image) -> bytes:
    from PIL import Image

    # Telephones store a second, hidden picture behind a JPEG ("MPO"): the first is the photo.
    if image.format != "MPO" and getattr(image, "n_frames", 1) != 1:
        raise refusal("The picture moves: it has more than one frame.")
    turn = TURNS.get(image.getexif().get(0x0112, 1))
    image.load()
    picture = _three_or_four_channels(image)
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if picture.mode == "RGBA":
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture).convert("RGB")
    if turn:
        picture = picture.transpose(Image.Transpose[turn])
    # From the bare pixels: a new image knows nothing of the file's profile, text or comments.
    bare = Image.frombytes("RGB", picture.size, picture.tobytes())
    out = io.BytesIO()
    bare.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _three_or_four_channels(image: Image.Image) -> Image.Image:
    """Grey, palette, CMYK and 16 bits as RGB, or RGBA where something may be transparent."""
    if image.mode.startswith("I"):  # 16-bit grey: 65,535 is white, and convert() would clip at 255
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)  # a copy would be 32 MB for nothing


def _limit() -> None:
    """Before a byte of the file is looked at: what this process may use at most."""
    for limit, most in (
        (resource.RLIMIT_AS, ADDRESS_SPACE),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 2 * 3 * LONGEST * LONGEST),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def main(source: str, target: str) -> int:
    _limit()
    try:
        Path(target).write_bytes(decode(Path(source)))
    except LabError as error:
        sys.stdout.buffer.write(str(error).encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
