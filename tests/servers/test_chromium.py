"""The browser starts here and shows Arabic from right to left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # installed where browser tests run only
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_arabic_letters_are_in_a_font_of_this_machine(browser: Browser) -> None:
    """A missing font draws every letter as the same box: two different ones then look alike."""
    page = browser.new_context().new_page()
    page.set_content("<p style='font-size:60px;display:inline-block'>س</p>")
    first = page.locator("p").screenshot()
    page.set_content("<p style='font-size:60px;display:inline-block'>ع</p>")
    assert page.locator("p").screenshot() != first
