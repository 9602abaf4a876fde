"""The demo's own programs, once for all browser tests, and people who look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.people import LARGE, Person

if TYPE_CHECKING:  # what only browser tests have
    from playwright.sync_api import Browser, ViewportSize

    from example_project.demo.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Emulator, shop and worker as ``./run demo`` starts them."""
    from example_project.demo.stack import Stack

    with Stack(tmp_path_factory.mktemp("demo"), beat=1, webhook_interval=1) as started:
        yield started


@pytest.fixture
def person(browser: Browser, stack: Stack) -> Iterator[Callable[..., Person]]:
    """A buyer or a member of staff with cookies of their own: ``person(language="ar", size=PHONE)``."""
    contexts = []

    def come(language: str = "en", size: ViewportSize = LARGE) -> Person:
        contexts.append(browser.new_context(viewport=size, locale="en-GB"))
        someone = Person(contexts[-1].new_page(), stack)
        if language == "ar":
            someone.page.goto(stack.shop_url)
            someone.page.get_by_role("button", name="العربية").click()
        return someone

    yield come
    for context in contexts:
        context.close()
