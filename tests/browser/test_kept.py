"""What Sadad bills and sells by itself: the coffee box, and the pages of payment and product links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.people import LARGE, PHONE, Person

pytestmark = pytest.mark.browser
LANGUAGES = pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])


def ask(person: Person, what: str, **values: Any) -> Any:
    """The emulator's control API."""
    address = f"{person.stack.emulator_url}/control/{what}"
    return person.page.request.post(address, data=values).json()["result"]


def open_link(person: Person, kind: str, **values: Any) -> None:
    """The page of a link that was made in the panel."""
    made = ask(person, "create_object", kind=kind, **values)
    person.page.goto(f"{person.stack.emulator_url}/{kind.lower()}/{made['key']}?lang={values['lang']}")


def look(person: Person, photo: str) -> list[str]:
    person.photo(photo)
    wider = person.overflow()
    return person.barriers() + ([f"{wider} pixels wider than the screen"] if wider > 0 else [])


def says_who_pays(person: Person) -> None:
    person.page.locator("#customerName").fill("Dana Al-Rashid")
    person.page.locator("#customerMobile").fill("55556666")
    person.page.locator("#continue").click()
    person.page.wait_for_url(f"{person.stack.emulator_url}/pay/**")


def last_invoice(person: Person) -> dict[str, Any]:
    invoices = person.page.request.get(f"{person.stack.emulator_url}/control/invoices").json()["result"]
    found: dict[str, Any] = invoices[-1]
    return found


def reload_until(person: Person, shown: str) -> None:
    """What a worker is about to do: a tenth of a second at a time, half a minute at most."""
    for _ in range(300):
        if person.page.locator(shown).count():
            return
        person.page.wait_for_timeout(100)
        person.page.reload()
    raise AssertionError(f"never shown: {shown}")


@LANGUAGES
def test_a_payment_link_is_paid_on_its_page(
    person: Callable[..., Person], language: str, direction: str
) -> None:
    payer = person(size=PHONE)
    open_link(payer, "PaymentLink", title="Rent", isOpenAmount=True, minAmount="5", lang=language)
    assert payer.direction == direction
    assert look(payer, f"{language}-payment-link") == []
    payer.page.locator("#amount").fill("4.999")
    payer.page.locator("#customerName").fill("Dana")
    payer.page.locator("#customerMobile").fill("55556666")
    payer.page.locator("#continue").click()
    assert payer.page.locator("#error").get_attribute("data-key") == "InvalidAmount"
    assert look(payer, f"{language}-payment-link-error") == []
    payer.page.locator("#amount").fill("٧٫٢٥٠" if language == "ar" else "7.250")
    says_who_pays(payer)
    assert payer.direction == direction
    payer.chooses("success")
    paid = last_invoice(payer)
    assert (paid["status"], paid["amount"], paid["customer_Name"]) == ("Paid", 7.25, "Dana Al-Rashid")


@LANGUAGES
def test_a_product_link_is_ordered_from_and_paid(
    person: Callable[..., Person], language: str, direction: str
) -> None:
    payer = person(size=PHONE)
    shelf = ask(payer, "create_object", kind="ProductCategory", nameEn="Sweets", nameAr="حلويات")
    product = {"kind": "Product", "categoryId": shelf["id"]}
    halwa = ask(payer, "create_object", nameEn="Halwa", nameAr="حلوى", price="1.250", **product)
    ghraiba = ask(payer, "create_object", nameEn="Ghraiba", nameAr="غريبة", price="0.750", **product)
    ids = [halwa["id"], ghraiba["id"]]
    open_link(payer, "ProductLink", nameEn="For Eid", nameAr="للعيد", products=ids, lang=language)
    assert payer.direction == direction
    assert look(payer, f"{language}-product-link") == []
    payer.page.locator(f"#quantity-{halwa['id']}").fill("2")
    payer.page.locator(f"#quantity-{ghraiba['id']}").fill("1")
    says_who_pays(payer)
    payer.chooses("success")
    paid = last_invoice(payer)
    assert (paid["status"], paid["amount"], paid["type"]) == ("Paid", 3.25, "Order")
    assert [(line["quantity"], line["amount"]) for line in paid["items"]] == [(2, 1.25), (1, 0.75)]


@LANGUAGES
def test_somebody_subscribes_to_the_coffee_box_and_pays_month_after_month(
    person: Callable[..., Person], language: str, direction: str
) -> None:
    buyer = person(language, PHONE)
    page, seen = buyer.page, {}
    page.goto(buyer.stack.shop_url)
    page.locator("a[href*='/box/']").click()
    seen["box"] = look(buyer, f"{language}-box")
    page.locator("#id_name").fill("Fahad")
    page.locator("#id_phone").fill("6655 4433")
    page.locator("#details button").click()
    page.locator("#status[data-status=due]").wait_for()  # it looks again by itself
    seen["due"] = look(buyer, f"{language}-box-due")
    address = page.url
    page.locator("#pay").click()
    buyer.chooses("success")
    page.goto(address)
    reload_until(buyer, "#status[data-status=paid]")
    assert page.locator(".mark").all_inner_texts() == [
        "مدفوع، أُرسل الصندوق" if language == "ar" else "paid, box sent"
    ]
    assert buyer.direction == direction
    page.locator("#later").click()
    page.locator("#status[data-status=due]").wait_for()
    page.locator("#later").click()
    page.locator(".mark.missed").wait_for()
    seen["missed"] = look(buyer, f"{language}-box-missed")
    assert not {name: barriers for name, barriers in seen.items() if barriers}


@LANGUAGES
def test_a_course_is_shown_with_address_and_code(
    person: Callable[..., Person], language: str, direction: str
) -> None:
    buyer = person(language, LARGE)
    buyer.page.goto(f"{buyer.stack.shop_url}/courses/")
    reload_until(buyer, ".link")
    assert look(buyer, f"{language}-courses") == []
    assert buyer.direction == direction
    code = buyer.page.locator(".link img")
    assert code.evaluate("image => image.naturalWidth") > 100
    address = buyer.page.locator(".link code").inner_text()
    buyer.page.get_by_role("link", name="احجز وادفع" if language == "ar" else "Book and pay").click()
    assert buyer.page.url.partition("?")[0] == address
