"""A guest signs in to an account that has a learner: nothing of the guest's is lost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import Learner, User, taken_in
from labs.models import Answer, Job, Picture, Run, State
from tests.access.people import own_picture
from tests.accounts.cast import ada, sign_in, start
from tests.engine import cast

pytestmark = pytest.mark.django_db


def test_a_guests_run_is_found_by_the_account_beside_its_own() -> None:
    ada()
    first, second = Client(), Client()
    sign_in(first)
    own = start(first, 3)
    brought = start(second, 4)
    sign_in(second)
    for client in (first, second):
        assert [client.get(address).status_code for address in (own, brought)] == [200, 200]
    assert Learner.objects.get().user == User.objects.get()


def test_everything_that_points_at_a_guest_points_at_the_account() -> None:
    account, guest = Learner.objects.create(user=ada()), Learner.objects.create()
    run = cast.start(guest, steps=2)
    Answer.objects.create(run=run, name="count", given="2")
    own_picture(guest)
    account.take_in(guest)
    assert not Learner.objects.filter(pk=guest.pk).exists()
    assert Run.objects.get().learner == Picture.objects.get().learner == account
    assert {job.payer for job in Job.objects.all()} == {account}
    assert Answer.objects.get().given == "2"


def test_labs_keep_nothing_else_for_a_learner() -> None:
    """What is new here belongs into labs.moving, and into the test above."""
    kept = {
        f"{relation.related_model.__name__}.{relation.field.name}"
        for relation in Learner._meta.related_objects
        if relation.related_model._meta.app_label == "labs"
    }
    assert kept == {"Run.learner", "Picture.learner", "Job.payer"}


def test_a_job_that_runs_goes_on_undisturbed() -> None:
    account, guest = Learner.objects.create(user=ada()), Learner.objects.create()
    run = cast.start(guest, steps=2)
    job = cast.take()
    assert job is not None
    account.take_in(guest)
    assert job.renew()
    assert job.succeed({"device": "cpu"}, [])
    run.refresh_from_db()
    assert (run.state, run.learner) == (State.SUCCEEDED, account)


def test_the_same_job_started_by_both_leaves_two_runs_of_it() -> None:
    account, guest = Learner.objects.create(user=ada()), Learner.objects.create()
    runs = [cast.start(who, steps=2) for who in (account, guest)]
    account.take_in(guest)
    assert {run.pk for run in Run.objects.of(account.pk)} == {run.pk for run in runs}
    assert Job.objects.count() == 1


def test_it_is_all_or_nothing() -> None:
    account, guest = Learner.objects.create(user=ada()), Learner.objects.create()
    cast.start(guest, steps=2)

    def breaks_off(**_: Any) -> None:
        raise OSError

    taken_in.connect(breaks_off)
    try:
        with pytest.raises(OSError):  # noqa: PT011 (the test's own)
            account.take_in(guest)
    finally:
        taken_in.disconnect(breaks_off)
    assert Run.objects.get().learner == guest


def test_another_account_is_never_taken_in() -> None:
    account = Learner.objects.create(user=ada())
    bob = Learner.objects.create(user=User.objects.create_user("bob"))
    cast.start(bob, steps=2)
    account.take_in(bob)
    account.take_in(account)
    account.take_in(Learner(id=uuid.uuid4()))
    assert Run.objects.get().learner == bob
    assert Learner.objects.count() == 2


def test_who_signs_in_over_another_account_takes_nothing_of_it() -> None:
    ada()
    User.objects.create_user("bob", password="bob's own long password")
    client = Client()
    sign_in(client)
    address = start(client, 3)
    client.force_login(User.objects.get(username="bob"))
    assert client.get(address).status_code == 404
    assert Run.objects.get().learner.user == User.objects.get(username="ada")


def test_a_guest_who_has_nothing_yet_leaves_no_row() -> None:
    ada()
    client = Client()
    client.get("/labs/steady/")
    sign_in(client)
    sign_in(Client())
    assert Learner.objects.get().user == User.objects.get()
