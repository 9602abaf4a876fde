"""Every page of a purchase: no barrier that axe-core can find, and nothing off a phone's screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.browser.people import LARGE, PHONE, Person

pytestmark = pytest.mark.browser


def pages_of_a_purchase(buyer: Person) -> Iterator[str]:
    """Goes through them one by one; at each name the browser shows that page."""
    page = buyer.page
    page.goto(buyer.stack.shop_url)
    yield "catalogue"
    page.goto(f"{buyer.stack.shop_url}/basket/")
    yield "empty basket"
    buyer.fills_basket(4, 5)
    yield "basket"
    page.locator("#checkout").click()
    yield "checkout"
    page.locator("#id_name").fill("Noor")
    page.locator("#id_phone").fill("12")
    page.locator("#details button").click()
    page.locator(".errorlist").wait_for()
    yield "checkout with an error"
    page.goto(f"{buyer.stack.shop_url}/basket/")
    buyer.checks_out()
    yield "pay page"
    buyer.chooses("failure")
    page.locator("a.sadadpay-button").wait_for()
    yield "return page after a failure"
    page.goto(buyer.stack.shop_url)
    page.locator(".bar nav a").first.click()
    yield "order that waits"
    page.locator("#pay").click()
    buyer.chooses("success")
    page.goto(buyer.stack.shop_url)
    page.locator(".bar nav a").first.click()
    page.reload()
    yield "order"
    page.goto(f"{buyer.stack.shop_url}/payments/return/nothing/")
    yield "return page of nothing"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_of_a_purchase_has_a_barrier(person: Callable[..., Person], language: str) -> None:
    buyer = person(language, LARGE)
    found = {name: buyer.barriers() for name in pages_of_a_purchase(buyer)}
    assert len(found) == 10
    assert not {name: barriers for name, barriers in found.items() if barriers}


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_of_a_purchase_fits_a_phone(person: Callable[..., Person], language: str) -> None:
    buyer = person(language, PHONE)
    found = {name: buyer.overflow() for name in pages_of_a_purchase(buyer)}
    assert len(found) == 10
    assert not {name: pixels for name, pixels in found.items() if pixels > 0}


def test_the_axe_that_we_run_does_find_barriers(person: Callable[..., Person]) -> None:
    someone = person()
    someone.page.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src=x></main></html>")
    assert [rule.partition(":")[0] for rule in someone.barriers()] == ["image-alt"]
