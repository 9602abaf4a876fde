"""The buyers' pages in a real browser: accessible, readable on a phone, and under the strictest policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from django_sadadpay.models import Attention, Invoice, PaymentAttempt
from django_sadadpay.services.errors import OutcomePending
from django_sadadpay.services.links import checkout_url
from django_sadadpay.testing.factories import InvoiceFactory
from tests.views.buying import make_order

if TYPE_CHECKING:  # installed where browser tests run only
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STATES = ["paid", "not_yet", "failed", "confirming", "waiting", "ended", "unknown", "preparing", "sorry"]
LANGUAGES = ["en", "ar"]
#: A phone of the smaller kind, and a screen.
SIZES = {"phone": {"width": 320, "height": 640}, "screen": {"width": 1024, "height": 700}}


@pytest.fixture
def address(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Where a page in that state and language is."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.views.strict.policy"]
    settings.SADADPAY = {**settings.SADADPAY, "SITE_URL": live_server.url}
    settings.ALLOWED_HOSTS = ["*"]

    def find(state: str, language: str) -> str:
        if state == "unknown":
            path = reverse("sadadpay:return", args=["nobody"])
        elif state == "sorry":
            path = reverse("sadadpay:checkout", args=["tampered"])
        elif state == "preparing":
            monkeypatch.setattr("django_sadadpay.views.checkout", _pending)
            return checkout_url(make_order())
        else:
            path = reverse("sadadpay:return", args=[_invoice(state, language).reference])
        return str(live_server.url + path)

    return find


def _pending(*_: Any, **__: Any) -> Any:
    raise OutcomePending


def _invoice(state: str, language: str) -> Invoice:
    """A row whose page is in that state; of another environment, so that nobody is asked."""
    order = make_order()
    shown: dict[str, Any] = {
        "language": language,
        "environment": "live",
        "object_id": str(order.pk),
        "amount": "1234.500",
    }
    by_state: dict[str, dict[str, Any]] = {
        "paid": {"paid": True, "transaction_id": "202611220000123456", "payment_method": "Knet"},
        "confirming": {"state": "new", "sadad_id": None},
        "ended": {"cancelled": True},
        "failed": {"shop_currency": "USD", "shop_amount": "3982.26"},
    }
    row: Invoice = InvoiceFactory(**{**shown, **by_state.get(state, {})})
    if state == "failed":
        PaymentAttempt.objects.create(invoice=row, key="id:1", status="Failed")
    if state == "waiting":
        case: dict[str, Any] = {"account": "default", "environment": "live", "created_at": timezone.now()}
        Attention.objects.create(code="mismatch", invoice=row, open_slot="x", **case)
    return row


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def make(language: str, size: str, scheme: str) -> Page:
        options: Any = {"locale": language, "viewport": SIZES[size], "color_scheme": scheme}
        contexts.append(browser.new_context(**options))
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("state", "language"), list(product(STATES, LANGUAGES)))
def test_every_page_is_accessible_and_fits(
    state: str, language: str, address: Callable[[str, str], str], open_page: Callable[..., Page]
) -> None:
    axe = import_module("axe_playwright_python.sync_playwright").Axe()  # it ships no types
    url = address(state, language)
    for size, scheme in (("phone", "light"), ("screen", "dark")):
        page = open_page(language, size, scheme)
        complaints = _listen(page)
        page.goto(url)
        assert page.locator(f"main.sadadpay-{state}").count() == 1
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        assert page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "16px"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        _keep(page, f"{state}-{language}-{size}")
        assert [text for text in complaints if "Failed to load resource" not in text] == []
        found = axe.run(page)
        assert found.violations_count == 0, found.generate_report()
        page.close()


def test_a_waiting_page_asks_again_by_itself(
    address: Callable[[str, str], str], open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_refreshes(), "confirming", 1)
    page = open_page("en", "phone", "light")
    page.goto(address("confirming", "en"))
    assert page.locator("h1").inner_text() == "Confirming your payment"
    Invoice.objects.update(state="cancelled", open_slot=None)
    page.wait_for_url("**/?look=1", timeout=10_000)
    assert page.locator("h1").inner_text() == "This payment link is closed"


def test_the_keyboard_reaches_the_button(
    address: Callable[[str, str], str], open_page: Callable[..., Page]
) -> None:
    page = open_page("en", "phone", "light")
    page.goto(address("failed", "en"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Try again"


def _listen(page: Page) -> list[str]:
    """What the browser complains about, the policy above all."""
    kept: list[str] = []
    page.on("console", lambda message: kept.append(message.text))
    return kept


def _refreshes() -> dict[str, int]:
    from django_sadadpay import views

    return views._REFRESH


def _keep(page: Page, name: str) -> None:
    """For a person to look at, where one asks for it."""
    folder = os.environ.get("SADADPAY_TEST_SCREENSHOTS")
    if folder:
        page.screenshot(path=os.path.join(folder, f"{name}.png"))
