"""What staff see: escaped, in both languages and directions, without inline scripts or styles."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import translation

from django_sadadpay import checkout, refund
from django_sadadpay.models import Attention, Invoice, PaymentAttempt, Refund, WebhookEvent
from django_sadadpay.services import clock
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import hidden, make_order, pay, text, url
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "<script>alert(1)</script>\"'><img src=x>"


@pytest.fixture
def busy(sadad: Sadad, transactional_db: None) -> Invoice:
    """A payment with a bit of everything, every text of it hostile."""
    order = Order.objects.create(number=HOSTILE, amount=Decimal("12.345"), customer_name=HOSTILE)
    order.lines.create(name=HOSTILE, price=Decimal("12.345"))
    order.behaviour = "cannot"
    order.save()
    invoice = pay(sadad, checkout(order))
    refund(invoice, "1", reason=HOSTILE)
    Refund.objects.update(by_name=HOSTILE, sadad_refund_id=HOSTILE, error_code=HOSTILE)
    Attention.objects.update(params={"reason": HOSTILE}, resolution=f"dismissed: {HOSTILE}")
    PaymentAttempt.objects.update(status=HOSTILE[:40], method=HOSTILE, payment_id=HOSTILE)
    WebhookEvent.objects.update(body=HOSTILE, sadad_id=HOSTILE[:40], error_code=HOSTILE)
    Invoice.objects.update(
        raw={"x": HOSTILE},
        pay_url=f"javascript:{HOSTILE}",
        ref_number=HOSTILE,
        error_code=HOSTILE,
        transaction_id=HOSTILE,
        payment_method=HOSTILE,
        status_text=HOSTILE[:40],
        customer={"name": HOSTILE, "mobile": HOSTILE, "email": HOSTILE},
    )
    invoice.events.create(
        at=clock.now(),
        kind=HOSTILE[:40],
        source="staff",
        by_name=HOSTILE,
        changes={"ref_number": ["", HOSTILE]},
    )
    invoice.refresh_from_db()
    return invoice


def pages(client: Client, invoice: Invoice) -> dict[str, str]:
    case, event, row = Attention.objects.get(), WebhookEvent.objects.get(), Refund.objects.get()
    addresses = [
        *(url(model) for model in ("invoice", "refund", "attention", "webhookevent", "mark")),
        url("invoice", "change", invoice.pk),
        url("invoice", "refund", invoice.pk),
        url("attention", "change", case.pk),
        url("attention", "act", case.pk, "dismiss"),
        url("webhookevent", "change", event.pk),
        url("refund", "change", row.pk),
    ]
    found = {}
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        found[address] = answer.content.decode()
    page = url("invoice", "refund", invoice.pk)
    form = {**hidden(client.get(page)), "amount": "1", "reason": HOSTILE}
    found["confirmation"] = client.post(page, form).content.decode()
    assert "Refund now" in found["confirmation"] or 'name="confirmed"' in found["confirmation"]
    return found


def test_what_comes_from_outside_is_escaped(busy: Invoice, boss: Client) -> None:
    for address, html in pages(boss, busy).items():
        assert "<script>alert" not in html, address
        assert "<img src=x" not in html, address
    shown = text(boss.get(url("invoice", "change", busy.pk)))
    assert shown.count("alert(1)") > 10
    assert 'href="javascript:' not in boss.get(url("invoice", "change", busy.pk)).content.decode()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_has_inline_scripts_or_styles(busy: Invoice, boss: Client, language: str) -> None:
    boss.cookies["django_language"] = language
    for address, html in pages(boss, busy).items():
        assert not re.search(r"<script(?![^>]*\bsrc=)", html), address
        assert "<style" not in html, address
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", html), address


def test_every_page_is_written_from_right_to_left_in_arabic(busy: Invoice, boss: Client) -> None:
    boss.cookies["django_language"] = "ar"
    found = pages(boss, busy)
    for address, html in found.items():
        assert '<html lang="ar" dir="rtl">' in html, address
    own = found[url("invoice", "change", busy.pk)]
    assert "12.345 د.ك" in own
    assert "12,345" not in own
    assert 'value="11.345"' in found[url("invoice", "refund", busy.pk)]


def test_the_pay_link_is_copied_by_a_script_of_its_own(open_invoice: Invoice, boss: Client) -> None:
    html = boss.get(url("invoice", "change", open_invoice.pk)).content.decode()
    assert f'value="{open_invoice.pay_url}"' in html
    assert "data-sadadpay-copy" in html
    for name in re.findall(r'/static/(sadadpay/admin\.[a-z]+)"', html):
        assert finders.find(name)
    assert html.count("sadadpay/admin.js") == 1
    assert html.count("sadadpay/admin.css") == 1


def test_the_ledger_is_in_words(sadad: Sadad, boss: Client) -> None:
    invoice = pay(sadad, checkout(make_order()))
    page = text(boss.get(url("invoice", "change", invoice.pk)))
    for words in (
        "Made here",
        "Open for payment",
        "state: being made → open",
        "Payment recorded",
        "state: open → paid",
        "paid (KWD): 0.000 KWD → 12.345 KWD",
        "Counts for the order",
        "counts for the order: yes",
        "The order was told",
        "webhook",
    ):
        assert words in page
    assert "None" not in page.replace("None.", "")


def test_a_payment_in_another_currency_shows_both_prices(sadad: Sadad, boss: Client) -> None:
    invoice = checkout(make_order("100.00", currency="USD"))
    page = text(boss.get(url("invoice", "change", invoice.pk)))
    assert "Shop's price: 100.00 USD" in page
    assert f"Amount: {invoice.amount:.3f} KWD" in page


def test_an_empty_invoice_page_says_none(boss: Client) -> None:
    from django_sadadpay.testing.factories import InvoiceFactory

    with translation.override("en"):
        page = text(
            boss.get(url("invoice", "change", InvoiceFactory(unknown=True, payable="gone", language="fr").pk))
        )
    assert page.count("None.") == 5
    assert "Pay link: – " in page
    assert "Language: fr" in page


def test_a_row_that_does_not_exist_leads_to_the_index(boss: Client) -> None:
    for model in ("invoice", "attention", "webhookevent"):
        assert boss.get(url(model, "change", 9)).status_code == 302
