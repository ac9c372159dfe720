"""Every route of the site, and what each of four people is answered who asks for alice's things.

A stream always answers 200; CLOSED says that it holds only the close event, OPEN that it follows
something, which is then the asker's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from courses.admin.previews import preview_path
from courses.models import Lecture
from courses.models import Picture as CoursePicture
from tests.access.people import PNG, Scene
from tests.courses.specimen import lecture
from tests.faults.uploads import files

CLOSED, OPEN = "closed", "open"
ROLES = ("nobody", "bob", "staff", "alice")
Status = int | str


@dataclass(frozen=True)
class Call:
    """One call of a route: its path and data, made of the scene; the answers in ROLES' order."""

    method: str
    path: Callable[[Scene], str]
    answers: tuple[Status, Status, Status, Status]
    data: Callable[[Scene], Any] = lambda _: None
    json: bool = False


def everybody(status: Status) -> tuple[Status, Status, Status, Status]:
    return status, status, status, status


def only_alice(status: Status, others: Status = 404) -> tuple[Status, Status, Status, Status]:
    return others, others, others, status


def signed_in(status: Status, guests: Status = 302) -> tuple[Status, Status, Status, Status]:
    """Of the four, the member of staff alone has an account; guests are sent to another page."""
    return guests, guests, status, guests


def get(path: str | Callable[[Scene], str], answers: tuple[Status, ...]) -> Call:
    return Call("GET", path if callable(path) else lambda _: path, answers)  # type: ignore[arg-type]


def post(
    path: str | Callable[[Scene], str],
    answers: tuple[Status, ...],
    data: Callable[[Scene], Any] = lambda _: {},
    json: bool = False,
) -> Call:
    where = path if callable(path) else lambda _: path
    return Call("POST", where, answers, data, json)  # type: ignore[arg-type]


def of_run(rest: str) -> Callable[[Scene], str]:
    return lambda scene: f"/runs/{scene.finished.pk}/{rest}"


def of_waiting(rest: str) -> Callable[[Scene], str]:
    return lambda scene: f"/runs/{scene.waiting.pk}/{rest}"


def of_picture(rest: str) -> Callable[[Scene], str]:
    return lambda scene: f"/pictures/{scene.picture.pk}/{rest}"


def upload(_: Scene) -> dict[str, Any]:
    return {"picture": SimpleUploadedFile("mine.png", PNG, "image/png")}


def course_picture(_: Scene) -> str:
    return f"/course/pictures/{CoursePicture.take(files.png(), 'a cup').name}"


def draft(_: Scene) -> str:
    """The link to a draft, as its author gives it away."""
    return preview_path(Lecture.objects.first() or lecture(status="draft"))


GUESTS = signed_in(302, guests=200)

ROUTES: dict[str, list[Call]] = {
    "home": [get("/", everybody(200))],
    "healthz": [get("/healthz", everybody(200))],
    "readyz": [get("/readyz", everybody(200))],
    "account_login": [get("/sign-in/", GUESTS), post("/sign-in/", GUESTS)],
    "account_signup": [get("/sign-up/", GUESTS), post("/sign-up/", GUESTS)],
    "account_logout": [
        get("/sign-out/", signed_in(200)),
        post("/sign-out/", everybody(302)),
    ],
    "account_sign_in_once": [
        get("/sign-in/once/MQ/c0ffee-0123456789abcdef/", everybody(410)),
        post("/sign-in/once/MQ/c0ffee-0123456789abcdef/", everybody(410)),
    ],
    "account_inactive": [get("/sign-in/disabled/", everybody(200))],
    "account_reauthenticate": [  # the scene's member of staff has no password to give
        get("/sign-in/again/", signed_in(403)),
        post("/sign-in/again/", signed_in(403)),
    ],
    "account_change_password": [
        get("/password/change/", everybody(302)),
        post("/password/change/", everybody(302)),
    ],
    "account_set_password": [
        get("/password/set/", signed_in(200)),
        post("/password/set/", signed_in(200)),
    ],
    "account_password_changed": [get("/password/changed/", signed_in(200))],
    "account_reset_password": [
        get("/password/reset/", everybody(200)),
        post("/password/reset/", everybody(200)),
    ],
    "account_reset_password_done": [get("/password/reset/done/", everybody(200))],
    "account_reset_password_from_key": [
        get("/password/reset/1-c0ffee-0123456789abcdef/", everybody(200)),
        post("/password/reset/1-set-password/", everybody(200)),
    ],
    "account_reset_password_from_key_done": [get("/password/reset/changed/", everybody(200))],
    "courses:picture": [
        get(course_picture, everybody(200)),
        get("/course/pictures/no-such-cup-1x1.png", everybody(404)),
    ],
    "courses:preview": [
        get(draft, everybody(200)),
        get("/course/previews/1:1tXxXx:c0ffee/", everybody(404)),
    ],
    "labs:list": [get("/labs/", everybody(200))],
    "courses:section": [
        get("/course/convolution/", everybody(200)),
        get("/course/nothing/", everybody(404)),
    ],
    "courses:lecture": [
        get("/course/convolution/window/", everybody(200)),
        get("/course/convolution/nothing/", everybody(404)),
    ],
    "courses:figure": [get("/course/figures/sliding-window/?row=1", everybody(200))],
    "courses:question": [
        post(
            "/course/convolution/window/questions/width/",
            everybody(302),
            lambda _: {"given": "27182"},
        ),
        post("/course/convolution/window/questions/nothing/", everybody(404)),
    ],
    "courses:read": [post("/course/convolution/window/read/", everybody(302))],
    "labs:embed": [get("/labs/steady/embed/?steps=3", everybody(200))],
    "labs:lab": [
        get("/labs/steady/", everybody(200)),
        get(lambda s: f"/labs/steady/?from={s.finished.pk}", everybody(200)),
        get("/labs/no-such-lab/", everybody(404)),
    ],
    "labs:start": [
        post("/labs/steady/run/", everybody(302), lambda _: {"steps": "4"}),
        post("/labs/steady/run/", only_alice(302, 422), lambda s: {"own": s.picture.value}),
    ],
    "labs:preview": [post("/labs/steady/preview/", everybody(200))],
    "labs:draft": [
        post(lambda s: f"/labs/kernel-forge/drafts/{s.nonce}/", everybody(202)),
        post(
            lambda s: f"/labs/kernel-forge/drafts/{s.nonce}/",
            only_alice(202, 422),
            lambda s: {"picture": s.picture.value, "number": "99999999999999"},
        ),
    ],
    "labs:draft-events": [
        get(
            lambda s: f"/labs/kernel-forge/drafts/{s.nonce}/events/",
            (CLOSED, OPEN, OPEN, OPEN),
        )
    ],
    "runs:list": [get("/runs/", everybody(200))],
    "runs:run": [get(of_run(""), only_alice(200)), get(of_waiting(""), only_alice(200))],
    "runs:panel": [get(of_run("panel/"), only_alice(200))],
    "runs:events": [
        get(of_run("events/"), everybody(CLOSED)),
        get(of_waiting("events/"), only_alice(OPEN, CLOSED)),
    ],
    "runs:cancel": [post(of_waiting("cancel/"), only_alice(302))],
    "runs:delete": [post(of_waiting("delete/"), only_alice(302))],
    "runs:question": [
        post(of_run("questions/count/"), only_alice(302), lambda _: {"given": "2"}),
        post(of_run("questions/nothing/"), everybody(404)),
    ],
    "runs:answers": [get(of_run("answers/"), only_alice(OPEN, CLOSED))],
    "runs:ask": [
        post(of_run("asks/again/"), only_alice(202), lambda _: {"steps": "1"}),
        post(of_run("asks/nothing/"), everybody(404)),
    ],
    "runs:picture": [
        get(lambda s: f"/runs/{s.finished.pk}/pictures/{s.place()}.png", only_alice(200))
    ],
    "runs:file": [get(of_run("files/numbers.txt"), only_alice(200))],
    "pictures:upload": [post("/pictures/", everybody(200), upload)],
    "pictures:show": [get(of_picture(""), only_alice(200))],
    "pictures:image": [get(of_picture("image.png"), only_alice(200))],
    "pictures:delete": [post(of_picture("delete/"), only_alice(302))],
    "api:labs": [get("/api/labs/", everybody(200))],
    "api:lab": [get("/api/labs/steady/", everybody(200))],
    "api:runs": [
        get("/api/runs/", everybody(200)),
        post("/api/runs/", everybody(201), lambda _: {"lab": "steady"}, json=True),
        post(
            "/api/runs/",
            only_alice(201, 400),
            lambda s: {"lab": "steady", "params": {"own": s.picture.value}},
            json=True,
        ),
    ],
    "api:run": [get(lambda s: f"/api/runs/{s.finished.pk}/", only_alice(200))],
    "api:events": [get(lambda s: f"/api/runs/{s.finished.pk}/events/", only_alice(200))],
    "api:cancel": [post(lambda s: f"/api/runs/{s.waiting.pk}/cancel/", only_alice(200), json=True)],
    "api:schema": [get("/api/schema/", everybody(200))],
    "api:docs": [get("/api/docs/", everybody(200))],
    "api:nowhere": [get("/api/nothing/", everybody(404)), post("/api/nothing/", everybody(404))],
}

WITHOUT_SIGN_IN = {"home", "healthz", "readyz", "api:schema", "api:docs"} | {
    f"account_{name}"
    for name in (
        "login",
        "signup",
        "logout",
        "sign_in_once",
        "inactive",
        "reset_password",
        "reset_password_done",
        "reset_password_from_key",
        "reset_password_from_key_done",
    )
}
"""What answers guests where the operator asks everybody to sign in."""
