"""Lists: what is found, what is filtered, and how many SQL statements it takes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sadadpay.admin.base import CappedPaginator
from django_sadadpay.models import (
    Attention,
    CurrencyRate,
    GatewayToken,
    Invoice,
    Mark,
    PaymentAttempt,
    Refund,
    WebhookEvent,
)
from django_sadadpay.models.invoice import InvoiceEvent
from django_sadadpay.services import clock
from django_sadadpay.testing.factories import InvoiceFactory, RefundFactory
from tests.admin.conftest import StaffMaker, text, url

pytestmark = pytest.mark.django_db(transaction=True)


def found(client: Client, query: str, model: str = "invoice") -> list[str]:
    answer = client.get(f"{url(model)}?{query}")
    assert answer.status_code == 200
    return [str(row) for row in answer.context["cl"].result_list]


def ask(invoice: Invoice | None, code: str = "mismatch", **values: Any) -> Attention:
    number = Attention.objects.count()
    case: Attention = Attention.objects.create(
        account="default",
        environment="sandbox",
        code=code,
        open_slot=str(number),
        invoice=invoice,
        created_at=clock.now(),
        **values,
    )
    return case


# Search


@pytest.mark.parametrize(
    "query",
    ["order-77", "ORDER-77", "900077", "tx-77", "ref-77"],
)
def test_an_invoice_is_found_by_its_numbers(boss: Client, query: str) -> None:
    InvoiceFactory()
    InvoiceFactory(
        reference="ref-77-abcdefghij", shop_reference="Order-77", sadad_id="900077", transaction_id="tx-77"
    )
    assert found(boss, f"q={query}") == ["ref-77-abcdefghij"]


@pytest.mark.parametrize("query", ["%2B96555512345", "55512345", "5551%202345", "96555512345"])
def test_an_invoice_is_found_by_phone_by_those_who_may_see_it(staff: StaffMaker, query: str) -> None:
    mine = InvoiceFactory(customer={"name": "A", "mobile": "+96555512345", "email": ""})
    InvoiceFactory(customer={"name": "B", "mobile": "+96566600000", "email": ""})
    InvoiceFactory(customer={})
    assert found(staff("view_customer_data"), f"q={query}") == [mine.reference]
    assert found(staff(), f"q={query}") == []


def test_the_search_says_what_it_searches(staff: StaffMaker) -> None:
    assert "transaction or phone" in text(staff("view_customer_data").get(url("invoice")))
    assert "phone" not in text(staff().get(url("invoice")))


def test_refunds_cases_and_calls_are_found_by_their_invoice(boss: Client) -> None:
    refund = RefundFactory(invoice__shop_reference="B-9", invoice__paid=True)
    RefundFactory()
    case = ask(refund.invoice)
    ask(None, code="keys_refused")
    event = WebhookEvent.objects.create(
        account="default", environment="sandbox", invoice=refund.invoice, received_at=clock.now()
    )
    assert found(boss, "q=B-9", "refund") == [str(refund)]
    assert found(boss, "q=B-9", "attention") == [str(case)]
    assert found(boss, "q=B-9", "webhookevent") == [str(event)]


# Filters


def test_invoices_are_filtered(boss: Client) -> None:
    paid = InvoiceFactory(paid=True)
    live = InvoiceFactory(environment="live")
    second = InvoiceFactory(account="second")
    GatewayToken.objects.create(account="second", environment="sandbox")  # no longer in the settings
    old = InvoiceFactory(created_at=clock.now() - timedelta(days=40))
    waits = InvoiceFactory()
    ask(waits)
    calm = InvoiceFactory()
    Attention.objects.filter(pk=ask(calm).pk).update(open_slot=None, resolved_at=clock.now())

    assert found(boss, "state__exact=paid") == [paid.reference]
    assert found(boss, "environment=live") == [live.reference]
    assert found(boss, "account=second") == [second.reference]
    assert found(boss, "waits=yes") == [waits.reference]
    assert waits.reference not in found(boss, "waits=no")
    assert calm.reference in found(boss, "waits=no")
    assert len(found(boss, "waits=nonsense")) == 6
    week = quote((clock.now() - timedelta(days=7)).isoformat())
    recent = found(boss, f"created_at__gte={week}")
    assert old.reference not in recent
    assert len(recent) == 5


def test_an_account_filter_appears_with_a_second_account(boss: Client) -> None:
    assert "By account" not in text(boss.get(url("invoice")))
    GatewayToken.objects.create(account="second", environment="sandbox")
    assert "By account" in text(boss.get(url("invoice")))


def test_the_newest_invoice_comes_first_and_the_oldest_case(boss: Client) -> None:
    first, second = InvoiceFactory(), InvoiceFactory()
    assert found(boss, "") == [second.reference, first.reference]
    cases = [ask(first), ask(second)]
    assert found(boss, "", "attention") == [str(case) for case in cases]


def test_a_row_shows_money_state_and_who_is_needed(boss: Client) -> None:
    invoice = InvoiceFactory(paid=True, amount=Decimal("1234.500"), refunded_amount=Decimal("0.250"))
    ask(invoice)
    page = text(boss.get(url("invoice")))
    money = "1,234.500 KWD 1,234.500 KWD 0.250 KWD"
    assert f"{invoice.shop_reference} {invoice.reference} paid needs a person {money}" in page


# SQL


def statements(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    sent = [query["sql"] for query in seen.captured_queries]
    return [sql for sql in sent if sql.startswith("SELECT")]  # not the BEGIN of ATOMIC_REQUESTS


def fill(count: int) -> None:
    for number in range(count):
        refund = RefundFactory(reason=f"reason {number}")
        ask(refund.invoice, refund=refund)
        event = WebhookEvent.objects.create(
            account="default", environment="sandbox", invoice=refund.invoice, received_at=clock.now()
        )
        ask(None, code="event_names_nothing", event=event)
        CurrencyRate.objects.create(
            environment="sandbox", code=f"C{number:02}", rate=Decimal("0.305"), fetched_at=clock.now()
        )
        Mark.objects.create(name=f"mark {number}")


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("invoice", 5),
        ("refund", 5),
        # no run of push has ended yet: each kind of mirror is asked whether something is due
        ("attention", 25),
        ("webhookevent", 5),
        ("gatewaytoken", 4),
        ("currencyrate", 4),
        ("mark", 4),
    ],
)
def test_a_list_takes_the_same_few_statements_however_long_it_is(boss: Client, model: str, most: int) -> None:
    address = url(model)
    fill(2)
    boss.get(address)
    few = statements(boss, address)
    fill_more()
    many = statements(boss, address)
    assert len(few) == len(many)
    assert len(many) <= most, "\n".join(many)


def fill_more() -> None:
    CurrencyRate.objects.all().delete()
    Mark.objects.all().delete()
    fill(20)


def test_an_invoice_page_takes_the_same_few_statements_however_much_hangs_on_it(boss: Client) -> None:
    invoice = InvoiceFactory(paid=True, amount=Decimal(100))
    user = User.objects.get(username="boss")

    def hang(count: int) -> None:
        for _ in range(count):
            RefundFactory(invoice=invoice, by=user, by_name="boss")
            ask(invoice)
            key = str(PaymentAttempt.objects.count())
            PaymentAttempt.objects.create(invoice=invoice, key=key, amount=Decimal(1))
            InvoiceEvent.objects.create(
                invoice=invoice, at=clock.now(), kind="read", source="staff", by=user, by_name="boss"
            )

    address = url("invoice", "change", invoice.pk)
    hang(1)
    boss.get(address)
    few = statements(boss, address)
    hang(15)
    many = statements(boss, address)
    assert len(few) == len(many)
    assert len(many) <= 20, "\n".join(many)


def test_no_list_of_many_rows_is_counted_to_its_end(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 3)
    for _ in range(5):
        InvoiceFactory()
    counts = [sql for sql in statements(boss, url("invoice")) if "COUNT(" in sql.upper()]
    assert len(counts) == 1
    assert "LIMIT 3" in counts[0]
    assert "EXISTS" not in counts[0]
    assert boss.get(url("invoice")).context["cl"].result_count == 3


def test_refunds_are_listed(boss: Client) -> None:
    refund = RefundFactory(unknown=True, error_code="abandoned", reason="broken", by_name="sara")
    row = text(boss.get(url("refund")))
    assert f"1.000 KWD {refund.invoice.shop_reference} outcome unknown shop broken sara" in row
    page = text(boss.get(url("refund", "change", refund.pk)))
    assert "The process that sent it was stopped" in page
    assert Refund.objects.count() == 1


def test_rates_and_marks_are_shown_exactly(boss: Client) -> None:
    CurrencyRate.objects.create(
        environment="sandbox", code="USD", rate=Decimal("0.305000000"), fetched_at=clock.now()
    )
    assert "USD 0.305 sandbox" in text(boss.get(url("currencyrate")))
    Mark.objects.create(name="lock_reruns", count=1234)
    Mark.objects.create(name="reconcile", at=clock.now(), detail={"calls": 7})
    page = text(boss.get(url("mark")))
    assert "Transactions run again after a lock" in page
    assert '"calls": 7' in page
