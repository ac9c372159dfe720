"""When a session ends: at sign-out, with another password, with a disabled account (row 40)."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from accounts.sessions import still_open
from tests.accounts.cast import OTHER, PASSWORD, ada, name_in, sign_in, start, text_of

pytestmark = pytest.mark.django_db


def signed_in() -> Client:
    client = Client()
    assert sign_in(client).status_code == 302
    return client


def change(client: Client, old: str = PASSWORD, new: str = OTHER) -> object:
    data = {"oldpassword": old, "password1": new, "password2": new}
    return client.post("/password/change/", data)


def test_the_sessions_key_changes_at_sign_in_and_at_sign_out() -> None:
    ada()
    client = Client()
    start(client, 2)
    keys = [client.cookies["sessionid"].value]
    sign_in(client)
    keys.append(client.cookies["sessionid"].value)
    client.post("/sign-out/")
    client.get("/labs/steady/")
    keys.append(client.cookies["sessionid"].value)
    assert len(set(keys)) == 3
    for key in keys[:2]:
        old = Client()
        old.cookies["sessionid"] = key
        assert name_in(old) == ""


def test_signing_out_leaves_nothing_in_the_browser() -> None:
    ada()
    client = signed_in()
    address = start(client, 2)
    assert client.post("/sign-out/")["Location"] == "/"
    assert name_in(client) == ""
    assert client.get(address).status_code == 404


def test_a_guest_who_signs_out_leaves_nothing_either() -> None:
    client = Client()
    address = start(client, 2)
    assert client.get("/sign-out/")["Location"] == "/"
    assert client.get(address).status_code == 200
    client.post("/sign-out/")
    assert client.get(address).status_code == 404


def test_a_changed_password_ends_every_other_session_and_keeps_this_one() -> None:
    ada()
    here, there = signed_in(), signed_in()
    address = start(there, 2)
    answer = change(here)
    assert answer["Location"] == "/password/changed/"  # type: ignore[index]
    assert "Your password is changed" in text_of(here.get("/password/changed/"))
    assert name_in(here) == "ada"
    assert there.get(address).status_code == 404, "even before the page asks who is signed in"
    assert name_in(there) == ""
    assert here.get(address).status_code == 200


def test_the_old_password_must_be_known_to_change_it() -> None:
    ada()
    client = signed_in()
    answer = change(client, old="a guess")
    assert "That is not the password until now." in text_of(answer)
    assert sign_in(Client()).status_code == 302


def test_a_disabled_accounts_sessions_end_and_its_runs_are_out_of_reach() -> None:
    ada()
    client = signed_in()
    address = start(client, 2)
    User.objects.update(is_active=False)
    assert client.get(address).status_code == 404
    assert client.get("/api/runs/").json()["count"] == 0
    assert name_in(client) == ""


def test_a_page_that_is_held_open_knows_which_sessions_have_ended() -> None:
    """As the live streams ask, without a request of the browser's."""
    ada()
    guest, left, here, _ = browsers = (Client(), signed_in(), signed_in(), signed_in())
    start(guest, 2)
    keys = {who: c.cookies["sessionid"].value for who, c in zip("glht", browsers, strict=True)}

    def still() -> str:
        found = still_open([*keys.values(), "no-such-session"])
        return "".join(who for who, key in keys.items() if key in found)

    assert still() == "glht"
    left.post("/sign-out/")
    assert still() == "ght"
    change(here)
    keys["h"] = here.cookies["sessionid"].value
    assert still() == "gh"
    User.objects.update(is_active=False)
    assert still() == "g"


def test_a_disabled_account_is_said_to_who_knows_its_password_alone() -> None:
    ada(is_active=False)
    assert sign_in(Client())["Location"] == "/sign-in/disabled/"
    assert "do not go together" in text_of(sign_in(Client(), password="a guess"))
    assert "This account is disabled" in text_of(Client().get("/sign-in/disabled/"))


def test_an_account_without_a_password_chooses_one_without_an_old_one() -> None:
    user = User.objects.create_user("bob")
    client = Client()
    client.force_login(user)
    assert client.get("/password/change/")["Location"] == "/password/set/"
    answer = client.post("/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    assert answer["Location"] == "/password/changed/"
    assert client.get("/password/set/")["Location"] == "/password/change/"
    assert sign_in(Client(), "bob").status_code == 302


def test_the_header_shows_who_is_signed_in_and_lets_them_out() -> None:
    from django.template.loader import render_to_string
    from django.test import RequestFactory

    request = RequestFactory().get("/labs/")
    guest = render_to_string("_fragments/account_nav.html", {}, request)
    assert 'href="/sign-in/?next=/labs/"' in guest and "<form" not in guest
    student = ada()
    shown = render_to_string("_fragments/account_nav.html", {"user": student}, request)
    assert ">ada</a>" in shown and 'action="/sign-out/"' in shown and "csrfmiddleware" in shown
    assert "Authoring" not in shown
    student.make_author()
    shown = render_to_string("_fragments/account_nav.html", {"user": student}, request)
    assert '<a href="/admin/">Authoring</a>' in shown
