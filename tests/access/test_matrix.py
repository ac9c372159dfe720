"""Who may see and do what: every route, four people, and what is alice's (rows 27, 38 and 44)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from accounts.models import Learner, User
from courses.models import Answer, Lecture, Progress
from labs.lab import every_lab
from labs.models import Artifact, Job, Part, Picture, Run, State
from tests.access.people import Person, Scene, own_picture
from tests.access.routes import CLOSED, OPEN, ROLES, ROUTES, WITHOUT_SIGN_IN, Call
from tests.engine.cast import start

pytestmark = pytest.mark.django_db
ROWS: list[type[Model]] = [Run, Job, Learner, Picture, Artifact, Part, Progress, Answer, Lecture]
NAMED = [
    pytest.param(name, call, id=f"{call.method}-{name}-{n}")
    for name, calls in ROUTES.items()
    for n, call in enumerate(calls)
]
SIGN_IN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
CALLS = [pytest.param(param.values[1], id=param.id) for param in NAMED]
GETS = [
    pytest.param(call, id=f"{name}-{n}")
    for name, calls in ROUTES.items()
    for n, call in enumerate(calls)
    if call.method == "GET"
]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The steady lab has a follow-up here, so that alice can ask something of her run."""
    steady = replace(every_lab()["steady"], follow_ups={"again": every_lab()["steady"].params})
    monkeypatch.setattr("labs.models.job.every_lab", lambda: every_lab() | {"steady": steady})
    return Scene.set()


def names(resolver: URLResolver, space: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":  # tests/access/test_admin.py has all of those
                yield from names(pattern, f"{space}{pattern.namespace or pattern.app_name}:")
        else:
            assert isinstance(pattern, URLPattern) and pattern.name, f"{pattern} has no name"
            yield f"{space}{pattern.name}"


def ask(person: Person, call: Call, scene: Scene, **more: Any) -> Any:
    data = call.data(scene)
    if call.json:
        data, more = json.dumps(data), {"content_type": "application/json", **more}
    response = person.ask(call.method, call.path(scene), data, **more)
    response.said = response.getvalue()
    return response


def status_of(response: Any) -> int | str:
    """The status; of a stream, whether there is anything in it but the close event."""
    if response["Content-Type"] != "text/event-stream":
        return int(response.status_code)
    assert response.status_code == 200
    assert response.said.endswith(b"event: done\ndata: done\n\n")
    return OPEN if "convolab.wish" in response.asgi_request.scope else CLOSED


def rows() -> dict[str, list[dict[str, Any]]]:
    return {kind.__name__: list(kind._default_manager.order_by("pk").values()) for kind in ROWS}


def test_every_route_is_declared() -> None:
    assert set(names(get_resolver())) == set(ROUTES)


@pytest.mark.parametrize("call", CALLS)
def test_each_is_answered_as_declared_and_nothing_of_alices_leaks(call: Call, scene: Scene) -> None:
    secrets = scene.secrets()
    people = scene.people()
    for role, expected in zip(ROLES, call.answers, strict=True):
        response = ask(people[role], call, scene)
        assert status_of(response) == expected, f"{role}: {response.said[:300]!r}"
        if role != "alice":
            said = response.said + str(response.headers).encode()
            sent = f"{call.path(scene)} {call.data(scene)}".encode()  # a form comes back as it was
            assert [s for s in secrets if s in said and s not in sent] == [], role


@pytest.mark.parametrize(("name", "call"), NAMED)
def test_where_sign_in_is_required_guests_see_only_what_is_declared(
    name: str, call: Call, scene: Scene, settings: Settings
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, SIGN_IN]
    people, answers = scene.people(), dict(zip(ROLES, call.answers, strict=True))
    asked_to_sign_in = 401 if name.startswith("api:") else 302
    before = rows()
    for role in ("nobody", "bob", "alice"):
        response = ask(people[role], call, scene)
        open_to_all = name in WITHOUT_SIGN_IN
        expected = answers[role] if open_to_all else asked_to_sign_in
        assert response.status_code == expected, f"{role}: {response.said[:300]!r}"
        if expected == 302 and not open_to_all:
            assert response["Location"].startswith("/sign-in/?next=/")
        assert rows() == before, role
    assert status_of(ask(people["staff"], call, scene)) == answers["staff"]


@pytest.mark.parametrize(("name", "call"), NAMED)
def test_nothing_of_an_account_or_of_a_guests_runs_may_be_kept(
    name: str, call: Call, scene: Scene
) -> None:
    """So that after sign-out the Back button of a shared computer shows nothing of it."""
    people = scene.people()
    for role in ("staff", "alice"):
        answer = ask(people[role], call, scene)
        kept = answer.get("Cache-Control", "")
        names_her = b">staff</a>" in answer.said
        own = name.partition(":")[0] in ("runs", "pictures") and answer.status_code == 200
        if names_her or (own and answer["Content-Type"] != "text/event-stream"):
            assert "private" in kept and "no-store" in kept, f"{role}: {kept}"
        if role == "alice" and name in ("courses:section", "courses:lecture"):
            assert "no-store" not in kept, "Back is at once for who only reads"


def test_what_only_who_signs_in_may_read_is_in_no_shared_cache(
    scene: Scene, settings: Settings
) -> None:
    reader = Learner.objects.create(user=User.objects.create_user("reader"))
    calls = [ROUTES["courses:picture"][0], ROUTES["courses:figure"][0]]
    assert "public" in ask(Person(reader), calls[0], scene)["Cache-Control"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, SIGN_IN]
    for call in calls:
        kept = ask(Person(reader), call, scene)["Cache-Control"]
        assert "private" in kept and "public" not in kept and "max-age" in kept


def test_a_post_without_the_csrf_token_is_refused_and_changes_nothing(scene: Scene) -> None:
    before = rows()
    for person in (Person(None, csrf=True), Person(scene.alice, csrf=True)):
        for call in chain(*ROUTES.values()):
            unsafe = replace(call, method="POST")
            assert ask(person, unsafe, scene).status_code == 403, call.path(scene)
            assert rows() == before, call.path(scene)


def test_a_get_changes_nothing(scene: Scene) -> None:
    people = scene.people()
    before = rows()
    for call in chain(*ROUTES.values()):
        for person in people.values():
            for _ in range(2):
                ask(person, replace(call, method="GET", json=False), scene)
            assert rows() == before, call.path(scene)


def test_a_get_by_nobody_makes_no_session(scene: Scene) -> None:
    """Each would be a row: whoever drops the cookie makes as many as there are requests."""
    before = Session.objects.count()
    for call in chain(*ROUTES.values()):
        ask(Person(None), replace(call, method="GET", json=False), scene)
        assert Session.objects.count() == before, call.path(scene)


def told(response: Any) -> tuple[int, dict[str, str]]:
    """What an answer says of itself. Cookies are new each time."""
    headers = dict(response.headers)
    headers.pop("Set-Cookie", None)
    return response.status_code, headers


@pytest.mark.parametrize("call", GETS)
def test_head_is_answered_as_get_without_the_content_and_no_stream_has_one(
    call: Call, scene: Scene
) -> None:
    for person in (Person(None), Person(scene.alice)):
        got = ask(person, call, scene)
        head = ask(person, replace(call, method="HEAD"), scene)
        if got["Content-Type"] == "text/event-stream":
            assert (head.status_code, head["Allow"]) == (405, "GET")
        else:
            assert told(head) == told(got)
        assert head.said == b""


def test_every_route_that_takes_a_post_is_asked_with_one() -> None:
    """A GET of a route that wants a POST tells nothing: its row in the table must have the POST."""
    for name, calls in ROUTES.items():
        assert {405} != {answer for call in calls for answer in call.answers}, name


def test_what_alice_follows_is_her_own_stream_and_what_bob_follows_is_his(scene: Scene) -> None:
    people = scene.people()
    keys = {
        role: ask(person, ROUTES["labs:draft-events"][0], scene).asgi_request.scope
        for role, person in people.items()
    }
    wishes = {role: scope["convolab.wish"].key for role, scope in keys.items() if role != "nobody"}
    assert len(set(wishes.values())) == 3


def test_another_learners_picture_is_refused_like_one_that_never_was(scene: Scene) -> None:
    bob = Person(Learner.objects.create())
    said = []
    for value in (scene.picture.value, "own:00000000-0000-4000-8000-000000000000", "own:x"):
        page = bob.ask("POST", "/labs/steady/run/", {"own": value})
        api = bob.ask(
            "POST",
            "/api/runs/",
            json.dumps({"lab": "steady", "params": {"own": value}}),
            content_type="application/json",
        )
        assert (page.status_code, api.status_code) == (422, 400)
        assert "not among yours" in page.content.decode()
        said.append(api.json())
    assert said[0] == said[1] == said[2]
    assert list(said[0]["error"]["fields"]) == ["params.own"]
    assert not Run.objects.exclude(learner=scene.alice).exists()


def test_the_same_private_picture_of_two_learners_is_computed_twice() -> None:
    alice, bob = Learner.objects.create(), Learner.objects.create()
    runs = [start(who, steps=2, own=own_picture(who).value) for who in (alice, bob)]
    assert runs[0].job_id != runs[1].job_id and runs[0].job.key != runs[1].job.key


def test_the_key_of_a_private_picture_differs_even_for_equal_params() -> None:
    """The picture's id stands in the params; the key must not rest on that alone."""
    from labs.models.run import Work

    lab = every_lab()["steady"]
    alice, bob = Learner.objects.create(), Learner.objects.create()
    picture = own_picture(alice)
    params = lab.params.model_validate({"own": picture.value})
    hers = Work.of(alice, lab, params, 0).key
    Picture.objects.filter(pk=picture.pk).update(learner=bob)
    assert Work.of(bob, lab, params, 0).key != hers


def test_a_picture_that_is_not_ready_is_said_to_its_learner(scene: Scene) -> None:
    waiting = own_picture(scene.alice, state=State.QUEUED)
    answer = Person(scene.alice).ask("POST", "/labs/steady/run/", {"own": waiting.value})
    assert answer.status_code == 422 and "not ready yet" in answer.content.decode()


def test_after_signing_out_the_runs_of_the_account_are_out_of_reach(scene: Scene) -> None:
    person = scene.people()["staff"]
    mine = person.ask("POST", "/labs/steady/run/", {"steps": "2"})["Location"]
    assert person.ask("GET", mine).status_code == 200
    person.ask("POST", "/sign-out/")
    assert person.ask("GET", mine).status_code == 404
