"""A learner's own picture: from a file or the camera to a map, or a refusal that loses nothing."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.pages import Forge, settings, slot
from tests.conftest import Complaints

pytestmark = pytest.mark.browser

TURN_RIGHT = 6  # EXIF: shown turned by 90° to the right
ORIENTATION = 0x0112


def photo(kind: str) -> bytes:
    """40×20 as stored, red on the left: shown upright it is 20×40, with the red above."""
    picture = Image.new("RGB", (40, 20), "blue")
    picture.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    file = io.BytesIO()
    picture.save(file, kind, exif=exif)
    return file.getvalue()


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400)


def from_a_telephone() -> bytes:
    """12 megapixels as stored, red on the left, to be shown upright; with where it was taken."""
    picture = Image.new("RGB", (4032, 3024), "blue")
    picture.paste("red", (0, 0, 2016, 3024))
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (51.0, 28.0, 38.0)})
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif)
    return file.getvalue()


def moving_gif() -> bytes:
    frames = [Image.new("P", (20, 20), n) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_taken_in_upright_and_gets_its_map(page: Page, kind: str) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    forge.upload(f"beach.{kind.lower()}", f"image/{kind.lower()}", photo(kind))
    tile = page.locator(".tile", has_text="beach")
    expect(tile.get_by_role("radio")).to_be_checked()
    image = tile.locator("img")
    expect(image).to_have_js_property("naturalWidth", 20)
    expect(image).to_have_js_property("naturalHeight", 40)
    red, _, blue, _ = image.evaluate(
        """image => {
            const canvas = new OffscreenCanvas(20, 40).getContext('2d');
            canvas.drawImage(image, 0, 0);
            return [...canvas.getImageData(10, 5, 1, 1).data];
        }"""
    )
    assert red > 240 and blue < 20, "the red half is above"
    forge.expect_another_map(first)
    expect(slot(page, "input")).to_contain_text("picture, 1×40×20")
    expect(slot(page, "map").locator(".picture-label")).to_have_text("map, 1×38×18")
    page.reload()
    expect(page.locator(".tile", has_text="beach")).to_be_visible()


KEEPS_WHAT_IS_SENT = """() => {
    const send = window.fetch;
    window.fetch = (url, options) => {
        const picture = options?.body?.get?.('picture');
        if (picture) window.sent = picture;
        return send(url, options);
    };
}"""
READ = """async () => {
    const reader = new FileReader();
    reader.readAsDataURL(window.sent);
    await new Promise((done) => { reader.onload = done; });
    return reader.result.split(',')[1];
}"""


def sent_for(page: Page, name: str, mime: str, content: bytes) -> bytes:
    """What the page sends to the site where this file is chosen."""
    page.evaluate(KEEPS_WHAT_IS_SENT)
    file: Any = {"name": name, "mimeType": mime, "buffer": content}
    page.locator("picture-upload input[type=file]").set_input_files(file)
    page.wait_for_function("() => window.sent")
    assert page.evaluate("() => window.sent.name") == name
    return base64.b64decode(page.evaluate(READ))


def test_a_telephones_photo_is_made_small_and_upright_and_loses_its_place_before_it_is_sent(
    page: Page,
) -> None:
    raw = from_a_telephone()
    assert Image.open(io.BytesIO(raw)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    forge = Forge(page)
    first = forge.wait_for_map()
    page.evaluate(
        """() => {
            const line = document.querySelector('.upload-answer');
            window.said = [];
            new MutationObserver(() => window.said.push(line.textContent))
                .observe(line, { childList: true, subtree: true });
        }"""
    )
    with Image.open(io.BytesIO(sent_for(page, "IMG_0001.jpg", "image/jpeg", raw))) as image:
        assert image.format == "JPEG" and image.size == (768, 1024)
        assert not image.getexif() and "exif" not in image.info
        above, below = image.getpixel((384, 100)), image.getpixel((384, 900))
    assert isinstance(above, tuple) and isinstance(below, tuple)
    assert above[0] > 240 > 20 > above[2] and below[2] > 240 > 20 > below[0]
    expect(page.locator(".tile", has_text="IMG_0001").get_by_role("radio")).to_be_checked()
    said = " ".join(page.evaluate("window.said"))
    assert "Your picture is being made smaller." in said and "is being sent." in said
    forge.expect_another_map(first)


def test_what_is_transparent_stays_so_where_it_is_made_smaller(page: Page) -> None:
    glass = io.BytesIO()
    Image.new("RGBA", (2048, 1024), (0, 0, 0, 0)).save(glass, "PNG")
    Forge(page).wait_for_map()
    sent = sent_for(page, "glass.png", "image/png", glass.getvalue())
    with Image.open(io.BytesIO(sent)) as image:
        assert image.size == (1024, 512) and image.getpixel((9, 9)) == (0, 0, 0, 0)
    tile = page.locator(".tile", has_text="glass.png")
    expect(tile.get_by_role("radio")).to_be_checked()


@pytest.mark.parametrize(
    ("name", "mime", "content", "says"),
    [
        ("notes.png", "image/png", b"only words, " * 99, "Allowed are JPEG, PNG and WebP"),
        ("notes.txt", "text/plain", b"only words, " * 99, "“notes.txt” is not a picture."),
        ("film.gif", "image/gif", moving_gif(), "This is a GIF picture."),
        ("film.png", "image/png", moving_gif(), "This is a GIF picture."),
        ("beach.jpg", "image/jpeg", HEIC, "This is a HEIC picture, as iPhones take them."),
        ("large.tiff", "image/tiff", bytes(6_100_000), "this browser could not make it smaller"),
    ],
    ids=["text-as-png", "text", "gif", "gif-as-png", "heic-as-jpeg", "large-and-unreadable"],
)
def test_what_is_no_picture_is_refused_in_words_and_loses_nothing(
    page: Page, name: str, mime: str, content: bytes, says: str
) -> None:
    forge = Forge(page)
    first = forge.wait_for_map()
    forge.cell(2, 2).fill("3")
    shown = forge.expect_another_map(first)
    forge.expect_applied(2, 2, 3)
    before = settings(page)
    forge.upload(name, mime, content)
    expect(page.locator(".upload-answer .error")).to_contain_text(says)
    assert settings(page) == before
    assert forge.wait_for_map() == shown
    forge.upload("good.png", "image/png", photo("PNG"))
    expect(page.locator(".tile", has_text="good.png").get_by_role("radio")).to_be_checked()


def test_the_camera_takes_a_picture(new_context: Contexts) -> None:
    page = new_context(permissions=["camera"]).new_page()
    forge = Forge(page)
    first = forge.wait_for_map()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the picture").click()  # waits until there is one
    expect(page.locator(".tile", has_text="camera.jpg").get_by_role("radio")).to_be_checked()
    forge.expect_another_map(first)
    expect(page.locator("video")).to_be_hidden()


def test_one_camera_is_open_at_most_however_often_it_is_asked_for(
    new_context: Contexts,
) -> None:
    page = new_context(permissions=["camera"]).new_page()
    page.add_init_script(
        """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.tracks = [];
        navigator.mediaDevices.getUserMedia = async (wish) => {
            const stream = await ask(wish);
            window.tracks.push(...stream.getTracks());
            return stream;
        };"""
    )
    Forge(page).wait_for_map()
    live = "window.tracks.filter(({ readyState }) => readyState === 'live').length"
    camera = page.get_by_role("button", name="Use the camera")
    camera.evaluate("button => { button.click(); button.click(); }")
    expect(page.get_by_role("button", name="Take the picture")).to_be_focused()
    expect(camera).to_be_hidden()
    page.wait_for_function("() => window.tracks.length === 2")
    assert page.evaluate(live) == 1
    page.locator("[data-camera]").evaluate("button => button.click()")
    page.wait_for_function(f"() => window.tracks.length === 3 && {live} === 1")
    page.get_by_role("button", name="Close the camera").click()
    expect(camera).to_be_focused()
    assert page.evaluate(live) == 0


def test_a_camera_that_opens_for_a_form_that_is_gone_is_closed(new_context: Contexts) -> None:
    page = new_context(permissions=["camera"]).new_page()
    page.add_init_script(
        """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wish) => {
            const stream = await ask(wish);
            document.querySelector('picture-upload').remove();
            [window.track] = stream.getTracks();
            return stream;
        };"""
    )
    Forge(page).wait_for_map()
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function("() => window.track?.readyState === 'ended'")


def test_a_picture_is_deleted_by_keys_and_the_default_is_chosen_instead(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("422.*/drafts/")  # reloaded at once, the address is a run's with that picture
    forge = Forge(page)
    first = forge.wait_for_map()
    forge.upload("beach.png", "image/png", photo("PNG"))
    tile = page.locator(".tile", has_text="beach")
    expect(tile.get_by_role("radio")).to_be_checked()
    other = forge.expect_another_map(first)
    expect(tile.get_by_role("button", name="Delete beach.png")).to_be_hidden()
    tile.locator("summary").press("Enter")
    expect(tile.get_by_role("button", name="Delete beach.png")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(tile).to_have_count(0)
    expect(page.locator(".upload-answer")).to_have_text("The picture is deleted.")
    expect(page.locator(".tile [data-default]")).to_be_checked()
    expect(page.locator(".tile [data-default]")).to_be_focused()
    assert forge.expect_another_map(other) == first
    page.reload()
    expect(tile).to_have_count(0)


def test_a_picture_that_is_being_deleted_is_not_kept_in_a_run(page: Page) -> None:
    """The pause before settings are kept never ends here: what it would keep is pending."""
    page.add_init_script(
        """const [later, never] = [window.setTimeout, window.clearTimeout];
        window.pending = new Set();
        window.setTimeout = (then, ms, ...more) => {
            const id = later(ms === 600 ? () => {} : then, ms, ...more);
            if (ms === 600) window.pending.add(id);
            return id;
        };
        window.clearTimeout = (id) => { window.pending.delete(id); never(id); };"""
    )
    page.route("**/delete/", lambda _: None)  # it is never answered
    forge = Forge(page)
    first = forge.wait_for_map()
    forge.upload("beach.png", "image/png", photo("PNG"))
    tile = page.locator(".tile", has_text="beach")
    forge.expect_another_map(first)
    page.wait_for_function("() => window.pending.size === 1")
    tile.locator("summary").click()
    tile.get_by_role("button", name="Delete beach.png").click()
    page.wait_for_function("() => window.pending.size === 0")


def test_a_picture_that_is_not_chosen_is_deleted_and_the_choice_stays(page: Page) -> None:
    forge = Forge(page)
    forge.wait_for_map()
    forge.upload("beach.png", "image/png", photo("PNG"))
    tile = page.locator(".tile", has_text="beach")
    expect(tile.get_by_role("radio")).to_be_checked()
    page.reload()
    forge.wait_for_map()
    page.locator(".tile", has_text="Chelsea").get_by_role("radio").check(force=True)
    tile.locator("summary").click()
    tile.get_by_role("button", name="Delete beach.png").click()
    expect(tile).to_have_count(0)
    expect(page.locator(".tile", has_text="Chelsea").get_by_role("radio")).to_be_checked()


def test_a_picture_that_could_not_be_deleted_stays_and_says_why(
    page: Page, complaints: Complaints
) -> None:
    complaints.allow("status of 503")
    forge = Forge(page)
    forge.wait_for_map()
    forge.upload("beach.png", "image/png", photo("PNG"))
    tile = page.locator(".tile", has_text="beach")
    expect(tile.get_by_role("radio")).to_be_checked()
    page.route("**/delete/", lambda route: route.fulfill(status=503, body="busy"))
    tile.locator("summary").click()
    tile.get_by_role("button", name="Delete beach.png").click()
    expect(page.locator(".upload-answer .error")).to_contain_text("The site is busy.")
    expect(tile.get_by_role("radio")).to_be_checked()


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        ("NotAllowedError", "Allow it in the address bar, or upload a picture."),
        ("NotFoundError", "No camera was found."),
        ("NotReadableError", "another program may have it."),
        ("AbortError", "The camera did not start"),
    ],
)
def test_a_camera_that_does_not_open_is_explained(page: Page, problem: str, says: str) -> None:
    """The first as Chromium gives it where nobody has allowed it; its fake has no other faults."""
    if problem != "NotAllowedError":
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = "
            f"() => Promise.reject(new DOMException('', '{problem}'))"
        )
    Forge(page).wait_for_map()
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator(".upload-answer .error")).to_contain_text(says)
