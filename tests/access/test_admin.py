"""Who may use which page of the admin: every address of it, four people (row 49)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from courses.models import Lecture, Picture, Section
from tests.access.people import PNG
from tests.courses.specimen import lecture

pytestmark = pytest.mark.django_db

ROLES = ("nobody", "student", "author", "operator")
FOR_ALL_STAFF = {
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "view_on_site",
}
"""What any member of staff may ask for; the other names are of one model each, or of the course."""
KEPT_BY_NOBODY = {"courses_picture_add"}
"""Pictures come from the editor: even operators do not add one here."""


def names(resolver: URLResolver | None = None) -> Iterator[str]:
    """The names below /admin/. Two patterns have none: the catch-all, and a redirect of old."""
    if resolver is None:
        found = [p for p in get_resolver().url_patterns if getattr(p, "namespace", "") == "admin"]
        assert len(found) == 1 and isinstance(found[0], URLResolver)
        resolver = found[0]
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name


NAMES = sorted(set(names()))


@dataclass(frozen=True)
class Scene:
    lecture: Lecture
    picture: Picture
    clients: dict[str, Client]

    @classmethod
    def set(cls) -> Scene:
        made = lecture()
        assert made.rewrite(made.source + "\nMore.\n", made.version)
        people: dict[str, User] = {role: User.objects.create_user(role) for role in ROLES[1:]}
        people["author"].make_author()
        people["operator"].make_operator()
        clients = {role: Client() for role in ROLES}
        for role, user in people.items():
            clients[role].force_login(user)
        return cls(made, Picture.take(PNG, "a cup"), clients)

    def path(self, name: str) -> str:
        """The address of this name, of what this scene has."""
        course: dict[str, Any] = {"lecture": self.lecture, "picture": self.picture}
        course["section"] = self.lecture.section
        app, _, rest = name.partition("_")
        model = rest.partition("_")[0]
        pk = course[model].pk if app == "courses" and model in course else self.a_pk(name)
        kind = ContentType.objects.get_for_model(Section).pk
        known: dict[str, list[Any]] = {
            "app_list": ["courses"],
            "view_on_site": [kind, self.lecture.section.pk],
        }
        entry = self.lecture.history.first()
        for args in [known[name]] if name in known else [[], [pk], [pk, entry.pk]]:
            try:
                return reverse(f"admin:{name}", args=args)
            except NoReverseMatch:  # it takes another number of them
                continue
        raise AssertionError(f"no address for {name}")

    def a_pk(self, name: str) -> int:
        """Of an account, where the address is of one; of a row that need not be, elsewhere."""
        return User.objects.get(username="student").pk if "user" in name else 1

    def answer(self, role: str, method: str, path: str) -> Any:
        return getattr(self.clients[role], method.lower())(path)


@pytest.fixture
def scene() -> Scene:
    return Scene.set()


@pytest.mark.parametrize("name", NAMES)
def test_nobody_and_no_student_is_let_in(scene: Scene, name: str) -> None:
    for role in ROLES[:2]:
        for method in ("GET", "POST"):
            answer = scene.answer(role, method, scene.path(name))
            assert answer.status_code in (302, 403), (role, method, answer.status_code)
            if answer.status_code == 302:
                assert answer["Location"].startswith(("/admin/login/", "/sign-in/", "/admin/"))


@pytest.mark.parametrize("name", NAMES)
def test_an_author_has_the_course_and_nothing_else(scene: Scene, name: str) -> None:
    status = scene.answer("author", "GET", scene.path(name)).status_code
    withdraw_first = name == "courses_lecture_delete"  # it is published
    if name in KEPT_BY_NOBODY or withdraw_first:
        assert status == 403
    elif name.startswith("courses_") or name in FOR_ALL_STAFF | {"app_list"}:
        assert status in (200, 204, 302, 405), status
    else:
        for method in ("GET", "POST"):  # of a row that is not there Django says so at its index
            answer = scene.answer("author", method, scene.path(name))
            gone = answer.status_code == 302 and answer["Location"] == "/admin/"
            assert answer.status_code in (403, 405) or gone, (method, answer.status_code)


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_has_everything(scene: Scene, name: str) -> None:
    answer = scene.answer("operator", "GET", scene.path(name))
    allowed = name not in KEPT_BY_NOBODY | {"courses_lecture_delete", "autocomplete"}
    assert (answer.status_code != 403) == allowed, answer.status_code
    assert answer.status_code < 500


@pytest.mark.parametrize("path", ["/admin/courses/lecture/1/", "/admin/no/such/page/"])
def test_what_has_no_name_lets_nobody_in_either(scene: Scene, path: str) -> None:
    for role in ROLES[:2]:
        answer = scene.answer(role, "GET", path)
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/")


def test_a_member_of_staff_without_a_role_may_do_nothing(scene: Scene) -> None:
    User.objects.filter(username="student").update(is_staff=True)
    for name in NAMES:
        if name.startswith("courses_"):
            assert scene.answer("student", "GET", scene.path(name)).status_code in (403, 405), name
            assert scene.answer("student", "POST", scene.path(name)).status_code in (403, 405), name
    assert "may do here" in scene.answer("student", "GET", "/admin/").content.decode()


def test_the_index_shows_an_author_the_course_alone(scene: Scene) -> None:
    page = scene.answer("author", "GET", "/admin/").content.decode()
    assert "Lectures" in page and "Sections" in page and "Pictures" in page
    assert "Users" not in page and "Groups" not in page and "mail" not in page
    assert "Back to the site" in page and "Convolab: authoring" in page
    assert admin.site.site_title == "Convolab: authoring"


def test_no_page_of_an_author_breaks_the_content_security_policy(scene: Scene) -> None:
    """No inline script or style, and the policy itself is the site's. Chromium looks too."""
    for name in NAMES:
        answer = scene.answer("author", "GET", scene.path(name))
        if answer.status_code != 200:
            continue
        assert "default-src 'self'" in answer["Content-Security-Policy"]
        said = answer.content.decode()
        assert "<style" not in said and " style=" not in said and " onclick=" not in said, name
