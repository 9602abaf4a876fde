"""Text of buyers, banks and Sadad on every page that shows it: nothing of it becomes part of the page."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from django_sadadpay.models import Attention, Invoice, InvoiceEvent, PaymentAttempt, Refund, WebhookEvent
from django_sadadpay.services import clock
from django_sadadpay.testing.factories import RefundFactory
from django_sadadpay.testing.gateway import Sadad
from tests.views.buying import back, call, make_order

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = {
    "HTML": "</textarea></pre></script><img src=x onerror=alert(1)><b>bold",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "link": "javascript:alert(1)//",
    "template": "{{ request.user.password }}{% load x %}{{ 7777777|add:1 }}%(name)s%s{0}",
    "overrides": "\u202eevil\u2066\u2067\u200f\u202d",
    "very long": "ا" * 150,
    "entities": "&lt;script&gt;&#60;script&#62;",
}
MARKS = ("<img src=x", "<b>bold", "alert(1)><b>")


class Page(HTMLParser):
    """Where a page's links lead, which elements it has, and which attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src", "action", "formaction", "data"):
                self.links.append(value or "")


def check(text: str) -> None:
    """No element, handler or link came out of the text."""
    page = Page(text)
    assert [mark for mark in MARKS if mark in text] == []
    assert [name for name in page.attributes if name.startswith("on")] == []
    assert [link for link in page.links if urlsplit(link).scheme not in ("", "http", "https")] == []
    assert "7777778" not in text  # no template was run


@pytest.fixture
def everywhere(request: pytest.FixtureRequest, transactional_db: None) -> str:
    """Rows in which every text column that comes from outside holds it."""
    text: str = request.param
    customer = {"name": text, "mobile": text[:50], "email": text[:200]}
    refund = RefundFactory(
        reason=text[:250],
        error_code=text[:80],
        state=Refund.State.REFUSED,
        handled_at=None,
        invoice__customer=customer,
        invoice__shop_reference=text[:100],
        invoice__status_text=text[:40],
        invoice__error_code=text[:80],
        invoice__pay_url=text,
        invoice__ref_number=text,
        invoice__transaction_id=text[:100],
        invoice__payment_method=text[:60],
        invoice__raw={"a": text, text: [text]},
        invoice__object_id=text,
        invoice__purpose=text[:50],
    )
    invoice = refund.invoice
    invoice.lines.create(position=1, name=text, quantity=1, amount=1)
    columns = ("status", "request_type", "method", "currency")
    PaymentAttempt.objects.create(
        invoice=invoice,
        key=text,
        transaction_id=text[:100],
        amount=1,
        raw={"a": text},
        **dict.fromkeys(columns, text[:10]),
    )
    params = dict.fromkeys(("what", "ours", "theirs", "reason", "host", "error", "reference"), text)
    for number, code in enumerate(("mismatch", "cannot_fulfil", "pay_url_host", "x" * 30)):
        Attention.objects.create(
            account="default",
            environment="sandbox",
            code=code,
            params=params,
            open_slot=str(number),
            invoice=invoice,
            created_at=clock.now(),
        )
    Attention.objects.create(
        account="default",
        environment="sandbox",
        code="mismatch",
        params=params,
        invoice=invoice,
        created_at=clock.now(),
        resolved_at=clock.now(),
        resolution=f"dismissed: {text}"[:250],
        by_name=text[:150],
    )
    for kind in ("mismatch", "fact_refused", "doubt", "withdrawn", "refund_done", text[:40]):
        InvoiceEvent.objects.create(
            invoice=invoice,
            at=clock.now(),
            kind=kind,
            source="webhook",
            params={**params, "why": text, "code": text, "found": text, "amount": text},
            changes={"status_text": [text, text], "pay_url": [None, text], text: [text, text]},
            by_name=text[:150],
        )
    WebhookEvent.objects.create(
        account="default",
        environment="sandbox",
        sadad_id=text[:40],
        state="dead",
        error_code=text[:80],
        body=json.dumps({"a": text}) + text,
        invoice=invoice,
        received_at=clock.now(),
    )
    return text


every_text = pytest.mark.parametrize("everywhere", HOSTILE.values(), ids=HOSTILE.keys(), indirect=True)


def admin_pages() -> Iterator[str]:
    models = {"invoice": Invoice, "refund": Refund, "attention": Attention, "webhookevent": WebhookEvent}
    for name, model in models.items():
        base = f"/admin/sadadpay/{name}/"
        yield base
        for row in model._default_manager.all():
            yield f"{base}{row.pk}/change/"
            yield f"{base}{row.pk}/history/"
    yield f"/admin/sadadpay/invoice/{Invoice.objects.get().pk}/refund/"
    for case in Attention.objects.filter(resolved_at=None):
        yield f"/admin/sadadpay/attention/{case.pk}/act/dismiss/"


@every_text
def test_no_admin_page_runs_it(everywhere: str, boss: Client) -> None:
    for number, address in enumerate(admin_pages()):
        answer = boss.get(address, headers={"accept-language": ("en", "ar")[number % 2]})
        assert answer.status_code in (200, 302), address
        check(answer.content.decode())


@every_text
def test_the_buyer_s_page_shows_it_as_text(everywhere: str) -> None:
    answer = back(Invoice.objects.get())
    assert answer.status_code == 200
    check(answer.content.decode())
    assert html.escape(everywhere[:20]) in answer.content.decode()


@every_text
def test_the_api_gives_it_as_data(everywhere: str, boss: Client) -> None:
    invoice = Invoice.objects.get()
    answer = boss.get(f"/api/invoices/{invoice.reference}/")
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["shop_reference"] == everywhere[:100]
    for name in ("invoices", "refunds", "attention"):
        assert boss.get(f"/api/{name}/").status_code == 200


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_sale_to_a_buyer_of_such_a_name_goes_through(
    text: str, sadad: Sadad, boss: Client, settings: Any
) -> None:
    """From the shop's order to Sadad and back, with every page on the way."""
    from django_sadadpay import checkout

    order = make_order(customer_name=text[:100])
    type(order).objects.filter(pk=order.pk).update(number=text[:40])
    order.lines.update(name=text[:100])
    order.refresh_from_db()
    invoice = checkout(order)
    sadad.pay(invoice)
    assert sadad.deliver() == [200]
    check(back(invoice).content.decode())
    page = boss.get(f"/admin/sadadpay/invoice/{invoice.pk}/change/").content.decode()
    check(page)
    assert html.escape(" ".join(text.split())[:60]) in page
    assert invoice.reference.isascii()


def test_nul_is_refused_from_the_shop_and_survived_from_sadad(sadad: Sadad, invoice: Invoice) -> None:
    from django_sadadpay import checkout, verify
    from django_sadadpay.services.errors import Refused

    order = make_order()
    order.customer_name = "No\x00or"
    with pytest.raises(Refused, match="bad_draft"):
        checkout(order)
    for path in ("status", "customer_Name", "ref_Number"):
        sadad.control.faults.add("Invoice/getbyid", "reply_field", path=path, value="Un\x00paid\ud800")
        verify(invoice)
        sadad.control.faults.clear()
    assert call(b'{"invoiceId": "1", "x": "\\u0000"}').status_code in (200, 503)


def test_nothing_turns_a_sentence_around(sadad: Sadad, invoice: Invoice, boss: Client) -> None:
    """An override in a name would show staff another amount or state than there is: it is not stored."""
    from django_sadadpay import checkout, verify

    order = make_order(customer_name="Noor \u202eAl-\u2066Sabah\u2069\u202c")
    assert checkout(order).customer["name"] == "Noor Al-Sabah"
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="status", value="\u202ediaP\u202c")
    verify(invoice)
    (case,) = Attention.objects.all()
    assert (case.code, case.params["status"]) == ("unknown_status", "diaP")
    invoice.refresh_from_db()
    assert invoice.status_text == "diaP"
