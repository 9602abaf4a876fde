"""Buyers and staff in a real browser, against shop, emulator and worker as real processes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.people import PHONE, Person

pytestmark = pytest.mark.browser

ARABIC = re.compile(r"[\u0600-\u06ff]")
LATIN_WORD = re.compile(r"[A-Za-z]{3,}")


def test_a_buyer_pays_and_lands_on_the_paid_order(person: Callable[..., Person]) -> None:
    buyer = person()
    buyer.fills_basket(0, 2, 2)
    assert buyer.page.locator("#total").inner_text() == "13.250 KWD"
    buyer.checks_out()
    buyer.photo("en-pay-page")
    assert buyer.page.locator("#amount").inner_text() == "13.250 KWD"
    buyer.chooses("success")
    buyer.page.wait_for_url("**/order/**")
    assert buyer.page.locator("#status").get_attribute("data-status") == "paid"
    assert buyer.page.locator("#pay").count() == 0
    buyer.photo("en-order-paid")


def test_a_refused_card_can_be_tried_again(person: Callable[..., Person]) -> None:
    buyer = person()
    buyer.fills_basket(5)
    buyer.checks_out()
    buyer.chooses("failure", method="card")
    again = buyer.page.locator("a.sadadpay-button")
    again.wait_for()
    buyer.photo("en-failed")
    again.click()
    buyer.page.wait_for_url(f"{buyer.stack.emulator_url}/pay/**")
    buyer.page.wait_for_timeout(5000)  # a card's number takes longer; two looks within 5 seconds are one
    buyer.chooses("success", method="card")
    buyer.page.wait_for_url("**/order/**")
    assert buyer.page.locator("#status").get_attribute("data-status") == "paid"


def test_a_buyer_who_gives_up_can_pay_later_from_the_order_page(person: Callable[..., Person]) -> None:
    buyer = person()
    buyer.fills_basket(3)
    buyer.checks_out()
    buyer.chooses("cancel")
    buyer.page.goto(buyer.stack.shop_url)
    buyer.page.get_by_role("link", name="My order").click()
    buyer.photo("en-order-waiting")
    buyer.page.locator("#pay").click()
    buyer.page.wait_for_url(f"{buyer.stack.emulator_url}/pay/**")


def test_an_arabic_buyer_reads_arabic_from_right_to_left_all_the_way(person: Callable[..., Person]) -> None:
    buyer = person("ar", PHONE)
    seen = {"catalogue": _look(buyer)}
    buyer.photo("ar-catalogue")
    buyer.fills_basket(1)
    seen["basket"] = _look(buyer)
    buyer.photo("ar-basket")
    buyer.checks_out("نور الصباح")
    seen["pay page"] = _look(buyer)
    buyer.photo("ar-pay-page")
    buyer.chooses("failure")
    buyer.page.locator("a.sadadpay-button").wait_for()
    seen["return page"] = _look(buyer)
    buyer.photo("ar-failed")
    buyer.page.locator("a.sadadpay-button").click()
    buyer.page.wait_for_timeout(5000)  # as above
    buyer.chooses("success")
    buyer.page.wait_for_url("**/order/**")
    seen["order"] = _look(buyer)
    buyer.photo("ar-order-paid")
    assert seen == dict.fromkeys(seen, "rtl"), "each page in Arabic, from right to left"
    assert "19.500 د.ك" in buyer.page.locator("#amount").inner_text()


def _look(buyer: Person) -> str:
    """The direction, if what the page says is Arabic; else what is not."""
    page = buyer.page
    headings = " ".join(page.locator("h1, h2, th, label, button:not([lang=en])").all_inner_texts())
    foreign = [word for word in LATIN_WORD.findall(headings) if word not in ("KNET", "INV")]
    if foreign or not ARABIC.search(page.locator("h1").first.inner_text()):
        return f"not Arabic: {foreign or page.locator('h1').first.inner_text()}"
    return buyer.direction


def test_staff_refund_part_of_an_order_in_the_admin(person: Callable[..., Person]) -> None:
    buyer, staff = person(), person()
    buyer.buys(0, 1)
    order = buyer.page.locator("h1").inner_text().removeprefix("Order ")
    staff.logs_in()
    staff.opens_invoice(order)
    staff.photo("admin-invoice")
    staff.page.get_by_role("link", name="Refund", exact=True).click()
    staff.page.locator("#id_amount").fill("2.750")
    staff.page.locator("#id_reason").fill("Dates were sold out")
    staff.page.get_by_role("button", name="Continue").click()
    assert "2.750 KWD" in staff.page.locator("h1").inner_text() + staff.page.locator("#content").inner_text()
    staff.photo("admin-refund-confirm")
    staff.page.get_by_role("button", name="Refund now").click()
    staff.page.locator(".messagelist .success").wait_for()
    staff.photo("admin-refunded")
    buyer.page.reload()
    assert buyer.page.locator("#refunded").inner_text() == "2.750 KWD"
    buyer.photo("en-order-refunded")


def test_staff_who_go_back_from_the_confirmation_refund_nothing(person: Callable[..., Person]) -> None:
    buyer, staff = person(), person()
    buyer.buys(4)
    order = buyer.page.locator("h1").inner_text().removeprefix("Order ")
    staff.logs_in()
    staff.opens_invoice(order)
    staff.page.get_by_role("link", name="Refund", exact=True).click()
    staff.page.locator("#id_reason").fill("A mistake")
    staff.page.get_by_role("button", name="Continue").click()
    staff.page.get_by_role("link", name="No, take me back").click()
    buyer.page.reload()
    assert buyer.page.locator("#refunded").count() == 0
