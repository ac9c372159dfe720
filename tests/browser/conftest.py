"""What the browser tests share: patience, and runs that have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser.pages import EPOCHS, Lab
from tests.conftest import Complaints
from tests.stack import Stack

expect.set_options(timeout=20_000)  # machines are slow and busy at times

Contexts = Callable[..., BrowserContext]


@dataclass(frozen=True)
class Ended:
    """Runs of one guest that are over: their addresses, and the guest's cookies."""

    guest: StorageState
    trained: str
    failed: str
    cancelled: str


@pytest.fixture(scope="session")
def ended(browser: Browser, site: Stack) -> Iterator[Ended]:
    """A training that succeeded, a run that failed, one that was cancelled."""
    watch = Complaints()
    context = watch.watch(browser.new_context(base_url=site.base_url))
    page = context.new_page()
    lab = Lab(page, "first-cnn")
    lab.set(epochs=EPOCHS)
    lab.start().expect("succeeded")
    trained = page.url
    Lab(page, "unruly").start().expect("failed")
    failed = page.url
    lab = Lab(page, "steady")
    lab.set(steps=900, pause=0.2)
    run = lab.start()
    run.expect_running()
    run.cancel()
    run.expect("cancelled")
    yield Ended(context.storage_state(), trained, failed, page.url)
    context.close()
    assert not watch.left(), "\n".join(watch.left())


@pytest.fixture
def returning(new_context: Contexts, ended: Ended) -> Page:
    """A page of the guest whose runs these are."""
    return new_context(storage_state=ended.guest).new_page()
