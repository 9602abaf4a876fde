"""Nobody is sent, and nothing is fetched, from where we were not told to (open redirects, SSRF)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from django_sadadpay import checkout, conf, verify
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.services import links, reconcile
from django_sadadpay.testing.gateway import Sadad
from tests.gateway.server import Server
from tests.shop.models import Order
from tests.views.buying import back, changed, with_account

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = (
    "https://evil.example/pay/1",
    "//evil.example/pay",
    "/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\thttps://evil.example",
    "https:evil.example",
    "file:///etc/passwd",
)
PARAMETERS = ("next", "url", "redirect", "return_url", "success", "to", "continue", "fail_Return_Url")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_parameter_sends_a_buyer_elsewhere(
    target: str, sadad: Sadad, invoice: Invoice, order: Order
) -> None:
    query = dict.fromkeys(PARAMETERS, target)
    answer = Client().get(f"/payments/return/{invoice.reference}/", query)
    assert answer.status_code == 200
    assert target not in answer.content.decode()
    assert "evil" not in str(answer.headers)
    gone: Any = Client().get(links.checkout_url(order).removeprefix("https://shop.example"), query)
    assert gone["Location"] == invoice.pay_url


@pytest.mark.parametrize("site", ["https://shop.example", None])
@pytest.mark.parametrize("host", ["evil.example", "shop.example@evil.example"])
def test_a_forged_host_is_in_no_link(
    host: str, site: str | None, sadad: Sadad, order: Order, settings: Any
) -> None:
    settings.SADADPAY = changed(SITE_URL=site)
    settings.ALLOWED_HOSTS = ["*"] if site else ["shop.example"]
    path = urlsplit(links.checkout_url(order) if site else _signed(order, settings)).path
    headers = {"host": host, "x-forwarded-host": host}
    answer: Any = Client(raise_request_exception=False).get(path, headers=headers)
    assert answer.status_code == (302 if site and host == "evil.example" else 400)
    assert "evil" not in str(list(Invoice.objects.values("request")))


def _signed(order: Order, settings: Any) -> str:
    settings.SADADPAY = changed(SITE_URL="https://shop.example")
    url = links.checkout_url(order)
    settings.SADADPAY = changed(SITE_URL=None)
    return url


PAY_URLS = (
    *ELSEWHERE,
    "{pay}@evil.example/1",
    "{pay}.evil.example/1",
    "http://evil.example/{pay}",
    "{pay}/1\r\nSet-Cookie: a=b",
    "{pay}/1\u202e",
    "https://[",
    "{pay}/" + "x" * 600,
)


@pytest.mark.parametrize("url", PAY_URLS)
def test_a_pay_link_of_sadad_s_that_leads_elsewhere_is_not_used(url: str, sadad: Sadad, order: Order) -> None:
    pay = sadad.emulator.pay_url
    value = url.replace("{pay}", pay.rsplit("/pay", 1)[0])
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="url", value=value)
    invoice = checkout(order)
    assert invoice.pay_url == f"{pay}/{invoice.sadad_key}"
    assert [case.code for case in Attention.objects.all()] == ["pay_url_host"]
    gone: Any = Client().get(links.checkout_url(order).removeprefix("https://shop.example"))
    assert gone["Location"] == invoice.pay_url


@pytest.mark.parametrize("key", ["../../evil", "1?next=//evil.example", "1\r\nX: y", "١٢٣", "-1", ""])
def test_a_key_that_is_no_number_makes_no_link(key: str, sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="key", value=key)
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="url", value="https://evil.example/1")
    invoice = checkout(order)
    assert "evil" not in invoice.pay_url
    assert invoice.sadad_key in ("", key.strip())


def test_no_address_in_a_reply_is_ever_fetched(sadad: Sadad, order: Order) -> None:
    """Sadad's replies are full of addresses: of the pay page, a QR picture, a short link, a logo."""
    with Server() as canary:
        for path in ("url", "qr_Url", "short_Url", "qrUrl", "shortUrl", "attachment", "vendorLogoPath"):
            sadad.control.faults.add("Invoice/getbyid", "reply_field", path=path, value=f"{canary.url}/x")
        invoice = checkout(order)
        sadad.pay(invoice)
        sadad.post({"invoiceId": invoice.sadad_id, "url": canary.url, "callback": canary.url})
        back(invoice)
        verify(invoice)
        reconcile.run()
        assert canary.connections == 0


@pytest.mark.parametrize("name", ["API_URL", "PAY_URL"])
@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://x/api", "gopher://x", "javascript:alert(1)", "//x/api", "x/api", "http://"],
)
def test_an_address_in_the_settings_is_of_the_web(name: str, address: str, settings: Any) -> None:
    settings.SADADPAY = with_account(**{name: address})
    with pytest.raises(ImproperlyConfigured, match=name):
        conf.current()


@pytest.mark.parametrize("name", ["API_URL", "PAY_URL"])
def test_a_live_account_goes_nowhere_else(name: str, settings: Any) -> None:
    from django.core.checks import run_checks

    settings.SADADPAY = with_account(ENVIRONMENT="live", **{name: "http://127.0.0.1:9/api"})
    told = [message for message in run_checks() if (message.id or "").startswith("sadadpay.E")]
    assert any(name in message.msg for message in told)
