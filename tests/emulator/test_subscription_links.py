"""Subscription links: what the merchant is told of them, and the page on which a payer subscribes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from django_sadadpay.emulator.recurrence import date_after
from tests.emulator.recurring import at_noon, link_of, refused, schedule, template, today

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator
    from tests.emulator.conftest import Merchant


@pytest.fixture
def merchant(emulator: Emulator) -> Merchant:
    return at_noon(emulator)


def address(merchant: Merchant, link: dict[str, Any]) -> str:
    return f"{merchant.emulator.base_url}/subscriptionlink/{link['key']}"


def page(merchant: Merchant, link: dict[str, Any], **query: str) -> requests.Response:
    return requests.get(address(merchant, link), params=query, timeout=5)


def send(merchant: Merchant, link: dict[str, Any], **form: str) -> requests.Response:
    person = {"customerName": "Sara", "customerMobile": "+96551234567", **form}
    url = f"{address(merchant, link)}?lang=en"
    return requests.post(url, data=person, allow_redirects=False, timeout=5)


def test_link_tells_its_template_to_the_merchant(merchant: Merchant) -> None:
    made = template(merchant, billNo=2)
    link = link_of(merchant, made)
    name = "SubscriptionLink/getlinkdetail"
    shown = merchant.ask("GET", name, params={"key": link["key"]})["response"]

    assert (shown["id"], shown["key"], shown["templateId"]) == (link["id"], link["key"], made)
    assert (shown["nameEn"], shown["amount"], shown["billNo"]) == ("Read <us>", 5, 2)
    assert refused(merchant, "GET", name, params={"key": "1"}) == "InvalidKey"
    assert merchant.send("GET", name, token="", params={"key": link["key"]}).status_code == 401


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"templateId": None}, "TemplateIdRequired"),
        ({"templateId": 99}, "UnauthorizedAccess"),
        ({"nameEn": ""}, "NameEnRequired"),
    ],
)
def test_link_to_nothing_is_refused(merchant: Merchant, fields: dict[str, Any], error_key: str) -> None:
    sent = {"templateId": template(merchant), "nameEn": "x", **fields}
    assert refused(merchant, "POST", "SubscriptionLink/insert", json=sent) == error_key


def test_payer_subscribes_on_the_page_and_pays_the_first_bill(merchant: Merchant) -> None:
    link = link_of(merchant, template(merchant, billNo=2, durationPeriod="Yearly", durationNo=1))
    shown = page(merchant, link, lang="en").text
    to_pay = send(merchant, link)
    paid = requests.post(to_pay.headers["Location"], data={"method": "knet", "outcome": "success"}, timeout=5)

    assert "Read &lt;us&gt;" in shown
    assert "monthly × 2" in shown
    assert f'<time datetime="{date_after(today(merchant), "Yearly", 1)}">' in shown
    assert to_pay.status_code == 303
    assert "successful" in paid.text
    row = merchant.ask("GET", "Subscription/getall")["response"][0]
    assert (row["customerName"], row["customerMobile"], row["status"]) == ("Sara", "+96551234567", "Active")
    assert schedule(merchant, row["id"])[0]["status"] == "Paid"


def test_payer_in_a_free_trial_has_nothing_to_pay_yet(merchant: Merchant) -> None:
    link = link_of(merchant, template(merchant, freeTrialPeriod="Monthly", freeTrialNo=1))
    assert "subscription has begun" in send(merchant, link).text
    assert merchant.emulator.control.invoices() == []


@pytest.mark.parametrize("field", ["customerName", "customerMobile"])
def test_payer_without_name_or_telephone_is_asked_again(merchant: Merchant, field: str) -> None:
    link = link_of(merchant, template(merchant))
    other = {"customerName": "customerMobile", "customerMobile": "customerName"}[field]
    reply = send(merchant, link, **{field: " ", other: '"><b>'})

    assert reply.status_code == 400
    assert f'data-key="{field[0].upper()}{field[1:]}Required"' in reply.text
    assert 'value="&quot;&gt;&lt;b&gt;"' in reply.text
    assert merchant.ask("GET", "Subscription/getall")["errorKey"] == "EmptyResult"


def test_page_is_arabic_unless_asked_otherwise_and_shows_the_terms(merchant: Merchant) -> None:
    made = template(merchant)
    link = link_of(merchant, made, termsConditionEnabled=True, termsCondition="No <refunds>")
    shown = page(merchant, link).text

    assert '<html lang="ar" dir="rtl">' in shown
    assert "اقرأ" in shown
    assert "No &lt;refunds&gt;" in shown
    plain = page(merchant, link_of(merchant, made, nameAr=""), lang="en").text
    assert "Subscribe" in plain
    assert 'id="terms"' not in plain


def test_closed_or_unknown_link_is_404(merchant: Merchant) -> None:
    link = link_of(merchant, template(merchant), inActive=True)
    assert page(merchant, link).status_code == 404
    assert send(merchant, link).status_code == 404
    assert "no such link" in page(merchant, {"key": "1"}).text
