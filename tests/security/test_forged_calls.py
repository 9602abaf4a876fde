"""Webhook calls that Sadad never made: they cost nothing, leave nothing and change nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sadadpay.models import Attention, Invoice, InvoiceEvent, WebhookEvent
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import SECRET, call, fresh, named, no_sql, webhook_url

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT = 64 * 1024

#: Bodies that are made to hurt whoever reads them.
HOSTILE = {
    "nothing": b"",
    "over the cap": b'{"invoiceId": "1", "x": "' + b"x" * LIMIT + b'"}',
    "nested deep": b'{"invoiceId":' * 8000,
    "nested deep, and closed": b'{"a":' * 9000 + b"1" + b"}" * 9000,
    "deep arrays": b'{"invoiceId": ' + b"[" * 20000 + b"]" * 20000 + b"}",
    "a number of 60,000 digits": b'{"invoiceId": ' + b"9" * 60000 + b"}",
    "an absurd exponent": b'{"amount": 1e999999999}',
    "a negative exponent": b'{"amount": 1e-999999999}',
    "NaN": b'{"invoiceId": NaN}',
    "Infinity": b'{"amount": -Infinity}',
    "invalid UTF-8": b'{"invoiceId": "\xff\xfe"}',
    "UTF-16": '{"invoiceId": "1"}'.encode("utf-16"),
    "an array": b'[{"invoiceId": "1"}]',
    "a text": b'"68141"',
    "half": b'{"invoiceId": "1"',
    "two values": b'{"invoiceId": "1"}{"invoiceId": "2"}',
}
#: JSON that is odd, and still an object: kept, and nothing in it is believed.
ODD = {
    "duplicate keys": b'{"invoiceId": "%d", "invoiceId": "999"}',
    "duplicate keys in other cases": b'{"invoiceId": "%d", "InvoiceId": "999", "INVOICEID": "998"}',
    "an id with NUL": b'{"invoiceId": "%d\\u0000"}',
    "an id in other digits": '{"invoiceId": "٦٨١"}'.encode(),
    "SQL": b'{"invoiceId": "%d OR 1=1; DROP TABLE sadadpay_invoice"}',
    "a path": b'{"invoiceId": "../../admin"}',
    "a list of ids": b'{"invoiceId": ["%d", "999"]}',
    "an object": b'{"invoiceId": {"id": "%d"}}',
    "a negative id": b'{"invoiceId": -%d}',
    "an id of 4,000 digits": b'{"invoiceId": "' + b"9" * 4000 + b'"}',
    "20,000 keys": b"{" + b",".join(b'"%d":0' % n for n in range(6000)) + b"}",
    "half of a surrogate pair": b'{"invoiceId": "\\ud800", "x": "\\udfff"}',
    "bidirectional overrides": '{"invoiceId": "\u202e1\u202c"}'.encode(),
}


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_without_the_secret_nothing_is_read_and_no_sql_is_run(body: bytes, method: str) -> None:
    with no_sql():
        for address in (webhook_url("guess"), webhook_url(SECRET, "other"), webhook_url(SECRET[:-1])):
            answer = Client().generic(method, address, body, content_type="application/json")
            assert (answer.status_code, answer.content) == (404, b"")


def test_a_thousand_forged_calls_leave_not_a_row(invoice: Invoice) -> None:
    before = WebhookEvent.objects.count(), InvoiceEvent.objects.count(), Attention.objects.count()
    body = json.dumps(named(invoice))
    with no_sql():
        for number in range(1000):
            assert call(body, secret=f"guess-{number}").status_code == 404
    assert (WebhookEvent.objects.count(), InvoiceEvent.objects.count(), Attention.objects.count()) == before


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_with_the_secret_a_hostile_body_is_refused_before_any_sql(body: bytes) -> None:
    with no_sql():
        assert call(body).status_code in (400, 413)


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_odd_json_pays_for_nothing(body: bytes, sadad: Sadad, invoice: Invoice, order: Order) -> None:
    """Whichever invoice it names is looked at; it is unpaid, and stays so."""
    numbered = body.replace(b"%d", str(invoice.sadad_id).encode())
    assert call(numbered).status_code in (200, 503)
    assert WebhookEvent.objects.count() == 1
    assert (fresh(invoice).state, fresh(order).paid_calls) == ("open", 0)


def test_a_true_call_s_body_is_kept_at_most_once(invoice: Invoice) -> None:
    """A call that is repeated fills no table: one row and a counter while it waits."""
    WebhookEvent.objects.create(
        account="default",
        environment="sandbox",
        sadad_id=invoice.sadad_id or "",
        waiting_slot=f"default:sandbox:{invoice.sadad_id}",
        received_at=invoice.created_at,
        next_try_at=invoice.expires_at,
    )
    from django_sadadpay import conf
    from django_sadadpay.gateway.webhook import parse
    from django_sadadpay.services import inbox

    account = conf.current().account("default")
    for _ in range(50):
        inbox.store(account, parse(json.dumps(named(invoice)).encode()), "x" * 1000)
    assert [(row.count, row.body) for row in WebhookEvent.objects.all()] == [(51, "")]


def test_a_forged_return_costs_one_look_in_five_seconds(sadad: Sadad, invoice: Invoice) -> None:
    before = len(sadad.calls("Invoice/getbyid"))
    for query in ("", "?payment=success", "?invoice_id=1&payment=paid", "?look=9"):
        Client().get(f"/payments/return/{invoice.reference}/{query}")
    assert len(sadad.calls("Invoice/getbyid")) - before == 1
    assert fresh(invoice).state == "open"


@pytest.mark.parametrize("look", ["-1", "10", "٣", "1e9", "x" * 5000, "%00", "<script>"])
def test_a_forged_query_is_no_reason_to_fail(invoice: Invoice, look: str) -> None:
    answer = Client().get(f"/payments/return/{invoice.reference}/?look={look}")
    assert answer.status_code == 200
    assert look not in str(answer.get("Refresh", "")) or look.isdigit()


def test_a_forged_reference_costs_one_statement_at_most() -> None:
    for reference, most in (("A-1-aaaaaaaaaa", 1), ("%27%20OR%201=1--", 0), ("x" * 32, 0)):
        with CaptureQueriesContext(connection) as queries:
            answer: Any = Client().get(f"/payments/return/{reference}/")
        assert (answer.status_code, len(queries) <= most) == (404, True)
