"""Phone, e-mail and raw replies are for those who may see them; nobody sees a secret."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from django_sadadpay.models import Attention, GatewayToken, Invoice, Refund, WebhookEvent
from django_sadadpay.services import clock
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, pay, text, url

pytestmark = pytest.mark.django_db(transaction=True)

PHONE, EMAIL = "96550000001", "noor@example.com"
#: In the raw reply only.
IN_RAW = '"ref_Number"'


@pytest.fixture
def everything(sadad: Sadad, open_invoice: Invoice) -> Invoice:
    """A payment with a refund, a case, a webhook call whose body names the buyer, and tokens."""
    from django_sadadpay import refund

    invoice = pay(sadad, open_invoice)
    refund(invoice, "1", reason="x")
    Attention.objects.create(
        account="default",
        environment="sandbox",
        code="mismatch",
        open_slot="one",
        invoice=invoice,
        created_at=clock.now(),
    )
    WebhookEvent.objects.update(body=f'{{"customer_Mobile": "+{PHONE}", "customer_Email": "{EMAIL}"}}')
    return invoice


def every_page(client: Client) -> dict[str, str]:
    """All lists and all rows' pages and histories, as HTML."""
    pages: dict[str, str] = {}
    rows: dict[str, Any] = {
        "invoice": Invoice,
        "refund": Refund,
        "attention": Attention,
        "webhookevent": WebhookEvent,
        "gatewaytoken": GatewayToken,
    }
    for name, model in rows.items():
        addresses = [url(name)]
        for row in model.objects.all():
            addresses += [url(name, "change", row.pk), url(name, "history", row.pk)]
        assert len(addresses) > 2, name
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == 200, address
            pages[address] = answer.content.decode()
    return pages


def test_without_the_permission_no_page_holds_phone_email_or_raw(
    everything: Invoice, staff: StaffMaker
) -> None:
    client = staff("refund_invoice", "change_attention", "verify_invoice", "change_invoice")
    pages = every_page(client)
    pages["refund"] = client.get(url("invoice", "refund", everything.pk)).content.decode()
    for address, html in pages.items():
        assert PHONE not in html, address
        assert EMAIL not in html, address
        assert "ref_Number&quot;" not in html, address
    own = text(client.get(url("invoice", "change", everything.pk)))
    assert "Noor Al-Sabah" in own
    assert "Phone: ••••••••" in own
    assert "E-mail: ••••••••" in own


def test_with_the_permission_they_are_shown(everything: Invoice, staff: StaffMaker) -> None:
    client = staff("view_customer_data")
    page = text(client.get(url("invoice", "change", everything.pk)))
    assert f"+{PHONE}" in page
    assert EMAIL in page
    assert IN_RAW in page
    event = WebhookEvent.objects.get()
    assert PHONE in text(client.get(url("webhookevent", "change", event.pk)))


def test_a_purged_customer_shows_dashes(everything: Invoice, boss: Client) -> None:
    Invoice.objects.update(customer={}, raw=None)
    WebhookEvent.objects.update(body="")
    page = text(boss.get(url("invoice", "change", everything.pk)))
    assert "Name: – " in page
    assert "Phone: – " in page
    assert "Last reply: –" in page
    assert "Body: –" in text(boss.get(url("webhookevent", "change", WebhookEvent.objects.get().pk)))


def test_nobody_sees_tokens_keys_or_webhook_secrets(everything: Invoice, boss: Client, sadad: Sadad) -> None:
    row = GatewayToken.objects.get()
    account = django_settings.SADADPAY["ACCOUNTS"]["default"]
    secrets = [row.access, row.refresh, account["WEBHOOK_SECRET"], sadad.emulator.client_secret]
    assert all(secrets)
    for address, html in every_page(boss).items():
        for secret in secrets:
            assert secret not in html, address


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        ("invoice", "customer__mobile__startswith=%2B965"),
        ("invoice", "customer__icontains=noor"),
        ("invoice", "raw__icontains=noor"),
        ("invoice", "request__icontains=noor"),
        ("invoice", "webhook_events__body__icontains=noor"),
        ("refund", "invoice__customer__mobile__startswith=%2B965"),
        ("attention", "invoice__customer__email__startswith=n"),
        ("attention", "event__body__icontains=noor"),
        ("webhookevent", "body__icontains=noor"),
        ("webhookevent", "invoice__raw__icontains=noor"),
        ("gatewaytoken", "access__startswith=g"),
        ("gatewaytoken", "refresh__startswith=g"),
    ],
)
def test_the_address_cannot_ask_for_what_is_masked(
    everything: Invoice, boss: Client, model: str, lookup: str
) -> None:
    answer = boss.get(f"{url(model)}?{lookup}")
    assert answer.status_code == 400


def test_the_address_may_name_a_reference(everything: Invoice, boss: Client) -> None:
    for query in (f"shop_reference={everything.shop_reference}", f"reference__exact={everything.reference}"):
        assert everything.reference in boss.get(f"{url('invoice')}?{query}").content.decode()
    answer = boss.get(f"{url('refund')}?invoice__id__exact={everything.pk}")
    assert "1.000 KWD" in text(answer)
