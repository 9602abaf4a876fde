"""The pay page as a browser meets it: forms, redirects, both languages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator
    from tests.emulator.conftest import Merchant


def choose(url: str, outcome: str, method: str = "knet") -> requests.Response:
    form = {"method": method, "outcome": outcome}
    return requests.post(url, data=form, allow_redirects=False, timeout=5)


def page(url: str, **query: str) -> requests.Response:
    return requests.get(url, params=query, timeout=5)


@pytest.fixture
def number(merchant: Merchant) -> int:
    return merchant.insert(
        amount="1234.5", ref_Number="A<1>", items=[{"name": "<b>", "quantity": 3, "amount": "411.5"}]
    )


@pytest.fixture
def url(merchant: Merchant, number: int) -> str:
    return str(merchant.read(number)["url"])


def test_page_shows_the_invoice_and_the_controls_for_a_browser(url: str) -> None:
    text = page(url).text

    assert '<html lang="en" dir="ltr">' in text
    assert "<bdi>1,234.500</bdi> <bdi>KWD</bdi>" in text
    assert "A&lt;1&gt;" in text
    assert "&lt;b&gt;" in text
    for name, value in (("method", "knet"), ("method", "card")):
        assert f'name="{name}" value="{value}"' in text
    for value in ("success", "failure", "cancel"):
        assert f'name="outcome" value="{value}"' in text


def test_page_is_arabic_and_right_to_left_when_the_invoice_is(merchant: Merchant) -> None:
    url = merchant.read(merchant.insert(lang="ar"))["url"]

    assert '<html lang="ar" dir="rtl">' in page(url).text
    assert "د.ك" in page(url).text
    assert '<html lang="en" dir="ltr">' in page(url, lang="en").text


@pytest.mark.parametrize(
    ("method", "gateway", "code"), [("knet", "KNET", "Knet"), ("card", "Credit Card", "CCCSSA")]
)
def test_paying_settles_the_invoice(
    merchant: Merchant, number: int, url: str, method: str, gateway: str, code: str
) -> None:
    reply = choose(url, "success", method)
    invoice = merchant.read(number)
    attempt = invoice["transactions"][0]

    assert (reply.status_code, reply.headers["Location"]) == (302, f"{url}/Success")
    assert (invoice["status"], invoice["paymentGateway"], invoice["paymentGatewayCode"]) == (
        "Paid",
        gateway,
        code,
    )
    assert (attempt["status"], attempt["transactionId"]) == ("Success", invoice["transactionID"])
    assert (attempt["amount"], attempt["invoice_Id"], attempt["currencyCode"]) == (1234.5, number, "KWD")
    assert invoice["payment_Date"] == attempt["createDate"]
    assert "successful" in page(reply.headers["Location"]).text


@pytest.mark.parametrize(("outcome", "answer"), [("failure", "NOT CAPTURED"), ("cancel", "CANCELED")])
def test_failing_leaves_the_invoice_unpaid_and_payable(
    merchant: Merchant, number: int, url: str, outcome: str, answer: str
) -> None:
    reply = choose(url, outcome)
    invoice = merchant.read(number)

    assert (reply.status_code, reply.headers["Location"]) == (302, f"{url}/Failed")
    assert (invoice["status"], invoice["transactionID"]) == ("Unpaid", None)
    assert [(row["status"], row["response"]) for row in invoice["transactions"]] == [("Failed", answer)]
    assert f'id="back" href="{url}"' in page(f"{url}/Failed").text
    assert "You can try again" in page(url).text

    choose(url, "success")
    assert [row["status"] for row in merchant.read(number)["transactions"]] == ["Success", "Failed"]


@pytest.mark.parametrize(
    ("outcome", "place", "word"),
    [("success", "/yes", "success"), ("failure", "/no", "failed"), ("cancel", "/no", "failed")],
)
def test_browser_returns_to_the_shop(merchant: Merchant, outcome: str, place: str, word: str) -> None:
    number = merchant.insert(Success_ReturnURL="http://shop/yes?a=1#top", Fail_ReturnURL="http://shop/no?a=1")
    target = urlsplit(choose(merchant.read(number)["url"], outcome).headers["Location"])

    assert (target.netloc, target.path) == ("shop", place)
    assert parse_qs(target.query) == {"a": ["1"], "invoice_id": [str(number)], "payment": [word]}


def test_return_url_without_a_query_gets_one(merchant: Merchant) -> None:
    number = merchant.insert(Success_ReturnURL="http://shop/yes")
    location = choose(merchant.read(number)["url"], "success").headers["Location"]
    assert location == f"http://shop/yes?invoice_id={number}&payment=success"


def test_return_urls_of_the_panel_are_used_when_the_invoice_has_none(merchant: Merchant) -> None:
    merchant.emulator.control.settings(success_return_url="http://panel/", fail_return_url="http://panel/no")
    first, second = merchant.insert(), merchant.insert(Success_ReturnURL="http://own/")

    assert choose(merchant.read(first)["url"], "failure").headers["Location"].startswith("http://panel/no?")
    assert choose(merchant.read(first)["url"], "success").headers["Location"].startswith("http://panel/?")
    assert choose(merchant.read(second)["url"], "success").headers["Location"].startswith("http://own/?")


@pytest.mark.parametrize("target", ["javascript:alert(1)", "http://[", "/relative"])
def test_browser_is_not_sent_to_what_is_no_web_address(merchant: Merchant, target: str) -> None:
    url = merchant.read(merchant.insert(Success_ReturnURL=target))["url"]
    assert choose(url, "success").headers["Location"] == f"{url}/Success"


def spoil(emulator: Emulator, number: int, how: str) -> None:
    if how == "past its date":
        emulator.control.advance(9 * 86400)
    elif how == "unknown status":
        emulator.control.set_status(number, "Frozen")
    else:
        getattr(emulator.control, how)(number)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("pay", "has been paid"),
        ("cancel", "was cancelled"),
        ("expire", "has expired"),
        ("past its date", "has expired"),
        ("unknown status", "cannot be paid"),
    ],
)
def test_page_says_why_an_invoice_cannot_be_paid(
    emulator: Emulator, number: int, url: str, how: str, sentence: str
) -> None:
    spoil(emulator, number, how)
    before = emulator.control.invoice(number)["transactions"]

    assert sentence in page(url).text
    assert 'name="outcome"' not in page(url).text
    assert choose(url, "success").status_code == 409
    assert emulator.control.invoice(number)["transactions"] == before


def test_invoice_turns_expired_only_when_its_page_is_opened(merchant: Merchant) -> None:
    number = merchant.insert()
    merchant.emulator.control.advance(9 * 86400)
    merchant.log_in()
    assert merchant.read(number)["status"] == "Unpaid"

    page(merchant.read(number)["url"])
    assert merchant.read(number)["status"] == "Expired"


def test_success_page_of_an_unpaid_invoice_leads_back_to_paying(url: str) -> None:
    reply = requests.get(f"{url}/Success", allow_redirects=False, timeout=5)
    assert (reply.status_code, reply.headers["Location"]) == (302, url)


@pytest.mark.parametrize(
    "form", [{}, {"method": "gold", "outcome": "success"}, {"method": "knet", "outcome": "x"}]
)
def test_incomplete_choice_is_http_400(
    merchant: Merchant, number: int, url: str, form: dict[str, str]
) -> None:
    assert requests.post(url, data=form, timeout=5).status_code == 400
    assert merchant.read(number)["transactions"] == []


@pytest.mark.parametrize("key", ["1", "abc", "1234567899999", "0000000068141", "١٢٣٤٥٦٧٨٦٨١٤١"])
@pytest.mark.parametrize("place", ["pay/{}", "pay/{}/Success", "qr/{}/download"])
def test_wrong_keys_are_not_found(emulator: Emulator, number: int, key: str, place: str) -> None:
    assert page(f"{emulator.base_url}/{place.format(key)}").status_code == 404


def test_qr_image_is_a_png(merchant: Merchant, number: int) -> None:
    pytest.importorskip("segno", reason="the optional library for QR images")
    reply = page(merchant.read(number)["qr"])
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.content.startswith(b"\x89PNG")


def test_qr_image_without_its_library_says_what_to_install(
    merchant: Merchant, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    reply = page(merchant.read(number)["qr"])
    assert reply.status_code == 501
    assert "segno" in reply.text


def test_overview_lists_what_happened_without_personal_data(merchant: Merchant, receiver: Any) -> None:
    merchant.emulator.webhook_url = receiver.url
    number = merchant.insert(customer_Name="Sara Secret", ref_Number="A-1")
    merchant.emulator.control.faults.add("Invoice/getbyid", "cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        merchant.read(number)
    merchant.emulator.control.pay(number)
    text = page(merchant.emulator.base_url + "/").text

    assert f"INV-{number}" in text
    assert "A-1" in text
    assert "cut_after" in text
    assert "waiting" in text
    assert "Secret" not in text


def test_other_addresses_are_not_found(emulator: Emulator) -> None:
    assert page(f"{emulator.base_url}/nothing/here").status_code == 404
