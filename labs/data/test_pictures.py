"""The built-in pictures, and what becomes of the files that people upload."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from labs.context import LabError
from labs.data import decode, pictures

CASES = 2000 if os.environ.get("CONVOLAB_FULL") == "1" else 60
PAYLOAD = b"<script>alert('convolab')</script>"


@cache
def scene(width: int = 60, height: int = 40) -> Image.Image:
    """A picture whose eight turns all differ: ramps to the right and down, one corner."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x < 9) * (y < 9) * 200], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def rebuilt(image: Image.Image, kind: str, **options: object) -> np.ndarray:
    return pixels_of(decode.rebuild(file_of(image, kind, **options)))


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


# The built-in pictures


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_built_in_picture_is_small_and_has_a_thumbnail(name: str) -> None:
    photo = pictures.PICTURES[name]
    rgb = pictures.load(name)
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    assert rgb.shape[2] == 3
    assert 256 <= max(rgb.shape[:2]) <= 512
    assert photo.path.stat().st_size <= 150_000
    assert f"| {name}.jpg |" in (pictures.PHOTOS / "NOTICE.md").read_text()
    with Image.open(pictures.PHOTOS.parents[2] / "static" / photo.thumbnail) as thumbnail:
        assert max(thumbnail.size) == 96
        assert not thumbnail.getexif()


def test_the_list_of_pictures_loads_neither_numpy_nor_pillow() -> None:
    code = "import sys, labs.data.pictures; print({'numpy', 'PIL', 'torch'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_it_reads_a_clean_file_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "clean").write_bytes(decode.rebuild(file_of(scene(), "PNG")))
    np.testing.assert_array_equal(pictures.load(tmp_path / "clean"), np.asarray(scene()))


def test_a_built_in_picture_cannot_be_changed_for_the_next_run() -> None:
    with pytest.raises(ValueError, match="read-only"):
        pictures.load("coins")[0, 0, 0] = 1


def test_shrinking_keeps_the_proportions_and_never_enlarges() -> None:
    rgb = np.zeros((300, 451, 3), np.uint8)
    assert pictures.shrink(rgb, 128).shape == (85, 128, 3)
    assert pictures.shrink(rgb, 512) is rgb


# What is accepted


@pytest.mark.parametrize(
    ("kind", "options", "off_by"),
    [
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 2),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 2),
    ],
)
def test_the_three_formats_keep_their_pixels(kind: str, options: dict, off_by: int) -> None:
    found = rebuilt(scene(), kind, **options)
    assert np.abs(found.astype(int) - np.asarray(scene())).mean() <= off_by


TURNED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", TURNED)
def test_it_turns_the_picture_by_its_exif_orientation(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = rebuilt(scene(), "PNG", exif=exif)
    np.testing.assert_array_equal(found, TURNED[orientation](np.asarray(scene())))


def test_what_is_transparent_lies_on_white() -> None:
    rgba = np.zeros((20, 30, 4), np.uint8)
    rgba[:, :10] = (200, 0, 0, 255)
    rgba[:, 10:20] = (200, 0, 0, 0)
    rgba[:, 20:] = (0, 0, 0, 128)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        found = rebuilt(Image.fromarray(rgba), kind, **options)
        assert found[5, 5].tolist() == [200, 0, 0]
        assert found[5, 15].tolist() == [255, 255, 255]
        assert np.abs(found[5, 25].astype(int) - 127).max() <= 1


def test_a_transparent_colour_of_a_palette_lies_on_white() -> None:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.paste(0, (0, 0, 10, 20))
    found = rebuilt(image, "PNG", transparency=0)
    assert found[3, 3].tolist() == [255, 255, 255]
    assert found[3, 15].tolist() == [10, 200, 30]


def test_sixteen_bits_of_grey_become_eight_without_clipping() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    found = rebuilt(Image.fromarray(np.tile(ramp, (4, 1))), "PNG")
    np.testing.assert_allclose(found[0, :, 0], np.arange(256), atol=1)
    assert (found[..., 0] == found[..., 2]).all()


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P"])
def test_every_kind_of_png_becomes_rgb(mode: str) -> None:
    wanted = np.asarray(scene().convert(mode).convert("RGB"))
    np.testing.assert_array_equal(rebuilt(scene().convert(mode), "PNG"), wanted)


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    found = rebuilt(scene().convert("CMYK"), "JPEG", quality=95, subsampling=0)
    assert np.abs(found.astype(int) - np.asarray(scene())).mean() < 4


def test_a_telephone_s_jpeg_with_a_hidden_second_picture_gives_the_first() -> None:
    second = Image.new("RGB", (30, 20), "red")
    found = rebuilt(scene(), "MPO", save_all=True, append_images=[second], quality=95)
    assert np.abs(found.astype(int) - np.asarray(scene())).mean() < 4


def test_a_large_picture_is_kept_1024_pixels_long() -> None:
    assert rebuilt(scene(3264, 2448), "JPEG").shape == (768, 1024, 3)


@pytest.mark.parametrize(
    ("kind", "options", "most"),
    [
        ("JPEG", {"progressive": True, "subsampling": 0}, 150_000_000),
        ("PNG", {"compress_level": 1}, 150_000_000),
        ("WEBP", {}, 170_000_000),  # libwebp holds two canvases of 4 bytes a pixel
    ],
)
def test_eight_megapixels_fit_into_the_limits(kind: str, options: dict, most: int) -> None:
    image = scene(3264, 2450).convert("RGB" if kind == "JPEG" else "RGBA")
    if kind != "JPEG":
        image.putalpha(128)
    raw = file_of(image, kind, **options)
    # A process of its own asks for the peak of its only child: ours has had larger ones.
    code = (
        "import resource, sys; from labs.data.decode import rebuild;"
        "rebuild(sys.stdin.buffer.read());"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], input=raw, capture_output=True, timeout=20, check=True
    )
    assert int(answer.stdout) * 1024 <= most


# What is refused


def bomb(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    idat = zlib.compress(bytes(10_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")
    )


def with_text(size: int) -> bytes:
    """A PNG whose compressed text unfolds to `size` bytes."""
    png = file_of(scene(), "PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(size), 9))
    return png[:33] + text + png[33:]  # behind the header


def frames(kind: str, count: int, **options: object) -> bytes:
    images = [Image.new("RGB", (8, 8), (i * 50 % 256, i % 7 * 30, 0)) for i in range(count)]
    return file_of(images[0], kind, save_all=True, append_images=images[1:], **options)


def box(brands: bytes) -> bytes:
    """The head of a file of the family of MP4, with bytes behind it."""
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(500)


def up_to_a_mark() -> bytes:
    """A JPEG with restart marks, cut off where one of them would follow."""
    raw = file_of(scene(300, 200), "JPEG", restart_marker_rows=1)
    return raw[: raw.index(b"\xff\xd3")]


def bad_sum(kind: bytes) -> bytes:
    """A PNG with a text, whose chunk of this kind has a wrong checksum."""
    raw = bytearray(with_text(100))
    at = raw.index(kind)
    raw[at + 4 + int.from_bytes(raw[at - 4 : at])] ^= 0xFF
    return bytes(raw)


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"
FITS = b"SIMPLE  =                    T".ljust(2880)
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "over 6 MB": (lambda: bytes(6_000_001), "6.0 MB"),
    "zeros": (lambda: bytes(1000), "not a picture"),
    "html": (lambda: b"<html>" + PAYLOAD, "not a picture"),
    "svg": (lambda: SVG, "not a picture"),
    "eps": (lambda: EPS, "not a picture"),
    "fits": (lambda: FITS, "not a picture"),
    "tiff": (lambda: file_of(scene(), "TIFF"), "This is a TIFF picture"),
    "bmp": (lambda: file_of(scene(), "BMP"), "This is a BMP picture"),
    "gif": (lambda: file_of(scene().convert("P"), "GIF"), "This is a GIF picture"),
    "gif of many frames": (lambda: frames("GIF", 300), "This is a GIF picture"),
    "avif": (lambda: file_of(scene(), "AVIF"), "This is an AVIF picture"),
    "heic": (lambda: box(b"heic" + bytes(4) + b"mif1heic"), "This is a HEIC picture"),
    "heic by its kin": (lambda: box(b"mif1" + bytes(4) + b"mif1heic"), "This is a HEIC picture"),
    "avif by its kin": (lambda: box(b"mif1" + bytes(4) + b"mif1avif"), "This is an AVIF picture"),
    "film": (lambda: box(b"isom" + bytes(4) + b"mp42"), "not a picture"),
    "words that begin with BM": (lambda: b"BMW builds cars. " * 9, "not a picture"),
    "a png header alone": (lambda: b"\x89PNG\r\n\x1a\n", "not a picture"),
    "animated webp": (lambda: frames("WEBP", 5), "more than one frame"),
    "animated png": (lambda: frames("PNG", 5), "more than one frame"),
    "png over 8 megapixels": (lambda: bomb(4000, 2001), "megapixels"),
    "png of 900 megapixels": (lambda: bomb(30_000, 30_000), "megapixels"),
    "png of 4e18 pixels": (lambda: bomb(2**31 - 1, 2**31 - 1), "megapixels"),
    "jpeg over 8 megapixels": (
        lambda: file_of(Image.new("L", (9000, 1000)), "JPEG"),
        "8 megapixels",
    ),
    "webp over 8 megapixels": (
        lambda: file_of(Image.new("RGB", (9000, 1000)), "WEBP", method=0),
        "8 megapixels",
    ),
    "huge zTXt": (lambda: with_text(50_000_000), "text"),
    "most of a jpeg": (lambda: file_of(scene(300, 200), "JPEG")[:-20], "not complete"),
    "half a progressive jpeg": (
        lambda: file_of(scene(300, 200), "JPEG", progressive=True)[:-900],
        "not complete",
    ),
    "a jpeg up to a mark": (lambda: up_to_a_mark(), "not complete"),
    "png with a bad sum in its head": (lambda: bad_sum(b"IHDR"), "damaged"),
    "half a jpeg": (lambda: file_of(scene(300, 200), "JPEG")[:-900], "not complete"),
    "half a png": (lambda: file_of(scene(300, 200), "PNG")[:-400], "not complete"),
    "half a webp": (lambda: file_of(scene(300, 200), "WEBP")[:-300], "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_with_what_is_wrong_and_what_is_allowed(name: str) -> None:
    make, reason = REFUSED[name]
    with pytest.raises(LabError) as refusal:
        decode.rebuild(make())
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith(decode.ALLOWED)


def test_a_text_of_ordinary_size_does_no_harm() -> None:
    np.testing.assert_array_equal(pixels_of(decode.rebuild(with_text(10_000))), np.asarray(scene()))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_jpeg_without_its_closing_mark_is_read_as_browsers_read_it(
    options: dict[str, Any], cut: int
) -> None:
    for size in ((60, 40), (300, 200), (1100, 30)):
        raw = file_of(scene(*size), "JPEG", **options)
        assert raw.endswith(b"\xff\xd9")
        assert decode.rebuild(raw[:-cut]) == decode.rebuild(raw)


def test_a_png_with_a_bad_sum_in_its_text_is_read_as_browsers_read_it() -> None:
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(bad_sum(b"zTXt")))
    np.testing.assert_array_equal(pixels_of(decode.rebuild(bad_sum(b"zTXt"))), np.asarray(scene()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_cut_file_is_refused_unless_all_its_pixels_are_there(kind: str) -> None:
    raw = file_of(scene(), kind)
    whole = pixels_of(decode.rebuild(raw))
    for cut in (1, 2, 5, 13, len(raw) // 3, len(raw) // 2, len(raw) - 20):
        try:
            png = decode.rebuild(raw[:-cut])
        except LabError:
            continue
        np.testing.assert_array_equal(pixels_of(png), whole)
        assert cut <= 16, "more than the closing mark of a file is gone"


def test_a_child_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "WALL_SECONDS", 0.001)
    with pytest.raises(LabError, match="too long"):
        decode.rebuild(file_of(scene(), "PNG"))


def test_a_child_that_dies_is_a_refusal_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LabError, match="could not be read"):
        decode.rebuild(file_of(scene(), "PNG"))


def test_the_limits_hold_in_the_child() -> None:
    code = (
        "import resource as r; from labs.data import decode as d; d._limit();"
        "print([r.getrlimit(x)[1] for x in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_CORE)])"
    )
    found = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    assert found == str([decode.ADDRESS_SPACE, decode.SECONDS, 0])
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != decode.SECONDS, "ours are untouched"


# Nothing but pixels is kept


def marked_files() -> dict[str, bytes]:
    """Pictures that carry the payload in every place where a format has room for it."""
    exif = Image.Exif()
    exif[0x010E] = PAYLOAD.decode()  # ImageDescription
    exif.get_ifd(0x8825)[29] = PAYLOAD.decode()  # GPSDateStamp
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (51.0, 28.0, 38.0)
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", PAYLOAD.decode())
    text.add_itxt("XML:com.adobe.xmp", PAYLOAD.decode(), zip=True)
    xmp, profile = PAYLOAD * 3, PAYLOAD * 9
    jpeg = file_of(scene(), "JPEG", exif=exif, comment=PAYLOAD, xmp=xmp, icc_profile=profile)
    return {
        "jpeg": jpeg,
        "png": file_of(scene(), "PNG", exif=exif, pnginfo=text, icc_profile=profile),
        "webp": file_of(scene(), "WEBP", exif=exif, xmp=xmp, icc_profile=profile),
        "jpeg and page": jpeg + b"<html>" + PAYLOAD,
        "png and zip": file_of(scene(), "PNG") + b"PK\x03\x04" + PAYLOAD,
    }


@pytest.mark.parametrize("name", marked_files())
def test_no_byte_of_the_payload_is_stored(name: str) -> None:
    raw = marked_files()[name]
    assert PAYLOAD in raw or name == "png", "the test's own file must carry it"
    png = decode.rebuild(raw)
    kinds, rest = [], png[8:]
    while rest:
        size = int.from_bytes(rest[:4])
        kinds.append(rest[4:8])
        rest = rest[12 + size :]
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
    for part in (PAYLOAD, b"alert", b"<html", b"GPS", b"Exif", b"PK\x03\x04"):
        assert part not in png
    assert pixels_of(png).shape == (40, 60, 3)


# Mutated files


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(("JPEG", "PNG", "WEBP")))
    raw = bytearray(file_of(scene(), kind))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(raw) - 1))
        what = draw(st.sampled_from(("set", "cut", "insert", "repeat")))
        if what == "set":
            raw[at] = draw(st.integers(0, 255))
        elif what == "cut":
            del raw[at : at + draw(st.integers(1, 40))]
        elif what == "insert":
            raw[at:at] = draw(st.binary(min_size=1, max_size=20))
        else:
            raw[at:at] = raw[at : at + 60]
        if not raw:
            break
    return bytes(raw)


@settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(raw=mutated())
def test_a_mutated_file_gives_a_clean_picture_or_a_refusal(raw: bytes) -> None:
    try:
        png = decode.rebuild(raw)
    except LabError as error:
        said = str(error)
    else:
        said = decode.ALLOWED
        assert max(pixels_of(png).shape[:2]) <= decode.LONGEST
    assert said.endswith(decode.ALLOWED)
