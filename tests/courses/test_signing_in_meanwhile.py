"""A guest answers in one tab and signs in in another, at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import Learner, User
from courses.models import Answer, Lecture, Progress
from tests.courses.specimen import lecture
from tests.courses.visits import give, right_answer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def window() -> Lecture:
    return lecture()


def test_an_answer_while_its_guest_becomes_an_account_is_no_fault(window: Lecture) -> None:
    tab = Client()
    give(tab, "edge", right_answer(window, "edge"))
    guest = Learner.objects.get()
    own = Learner.objects.create(user=User.objects.create_user("alice"))

    def answer() -> int:
        try:
            return int(give(tab, "width", right_answer(window, "width")).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            own.take_in(guest)
            meanwhile = []
            if connection.vendor == "postgresql":  # SQLite has one writer: there it comes after
                meanwhile = [pool.submit(answer)]
                wait(meanwhile, timeout=0.5)
        assert all(one.result() == 200 for one in [*meanwhile, pool.submit(answer)])
    assert Answer.objects.get(progress__learner=own).name == "edge"
    assert Progress.objects.count() == 2, "what came later is a new guest's"
