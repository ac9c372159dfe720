"""One site for all tests that break it, mended before each: starting one takes ten seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import running, stop_all
from tests.faults.site import Site


@pytest.fixture(scope="session")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("breakable"))
    running.append(made)
    try:
        made.start()
        made.wait_until_ready()
        yield made
    finally:
        stop_all([made])


@pytest.fixture
def broken(breakable: Site, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """The site, whole and idle; its `ledger` is open."""
    with django_db_blocker.unblock():
        breakable.ledger.open()
        try:
            breakable.mend()
            yield breakable
        finally:
            breakable.ledger.close()
