"""What callers read: shape, filters, pages, masks, languages, and how much SQL it takes."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.services import clock
from django_sadadpay.testing.factories import InvoiceFactory, RefundFactory
from tests.api.conftest import VIEWS, CallerMaker, ask, give_back, url

pytestmark = pytest.mark.django_db(transaction=True)

PHONE, EMAIL = "+96550000001", "noor@example.com"
MONEY = re.compile(r"\d+\.\d{3}")


def rows(client: Client, name: str, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{url(name)}?{query}")
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def found(client: Client, query: str) -> list[str]:
    return [row["reference"] for row in rows(client, "invoice-list", query)]


# Shape


def test_a_paid_invoice_is_shown_with_all_that_hangs_on_it(paid_invoice: Invoice, office: Client) -> None:
    give_back(office, paid_invoice, amount="2.345")
    shown = office.get(url("invoice-detail", paid_invoice)).json()
    assert shown["reference"] == paid_invoice.reference
    assert (shown["shop_reference"], shown["payable"], shown["state"]) == ("A-1", "order", "paid")
    money = ("amount", "shop_amount", "paid_amount", "refunded_amount", "left_to_refund")
    assert [shown[name] for name in money] == ["12.345", "12.345", "12.345", "2.345", "10.000"]
    assert shown["rate"] == "1.000000000"
    line = {"position": 0, "name": "Coffee", "quantity": 1, "amount": "12.345", "supplier_id": None}
    assert [{**row, "position": 0} for row in shown["lines"]] == [line]
    assert [(row["amount"], row["state"], row["reason"]) for row in shown["refunds"]] == [
        ("2.345", "done", "broken")
    ]
    assert shown["attempts"][0]["amount"] == "12.345"
    assert shown["waits"] is False


def test_money_is_text_of_three_places_whatever_the_project_sets(settings: Any, office: Client) -> None:
    settings.REST_FRAMEWORK = {"COERCE_DECIMAL_TO_STRING": False}
    settings.USE_THOUSAND_SEPARATOR = True
    InvoiceFactory(paid=True, amount=Decimal("1234.5"), refunded_amount=Decimal(1))
    (row,) = rows(office, "invoice-list")
    assert (row["amount"], row["paid_amount"], row["refunded_amount"]) == ("1234.500", "1234.500", "1.000")
    assert all(MONEY.fullmatch(row[name]) for name in row if name.endswith("amount"))


def test_times_are_utc_whatever_the_project_sets(settings: Any, office: Client) -> None:
    settings.REST_FRAMEWORK = {"DATETIME_FORMAT": "%d/%m/%Y"}
    moment = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
    InvoiceFactory(created_at=moment)
    assert rows(office, "invoice-list")[0]["created_at"] == "2026-11-22T21:30:00Z"


def test_a_list_row_says_that_a_person_is_needed(office: Client) -> None:
    ask(InvoiceFactory())
    done = ask(InvoiceFactory())
    Attention.objects.filter(pk=done.pk).update(open_slot=None, resolved_at=clock.now())
    assert [row["waits"] for row in rows(office, "invoice-list")] == [False, True]


def test_refunds_are_listed_with_the_reason_why_one_was_refused(office: Client) -> None:
    RefundFactory(refused=True)
    RefundFactory(unknown=True, error_code="OutcomeUnknown")
    unknown, refused = rows(office, "refund-list")
    assert refused["error"] == "The refund is more than your balance at Sadad."
    assert (unknown["state"], unknown["error_code"], unknown["error"]) == ("unknown", "OutcomeUnknown", "")


def test_open_cases_are_listed_with_code_sentence_and_what_can_be_done(office: Client) -> None:
    invoice = InvoiceFactory(paid=True)
    refund = RefundFactory(unknown=True, invoice=invoice)
    ask(invoice, "amount_changed", params={"due": ["3.000", "KWD"], "asked": ["2.000", "KWD"]})
    ask(invoice, "refund_unknown", refund=refund, params={"amount": ["1.000", "KWD"]})
    ask(None, "keys_refused", params={"account": "default"})
    closed = ask(invoice, "pay_url_host")
    Attention.objects.filter(pk=closed.pk).update(open_slot=None, resolved_at=clock.now())
    changed, unknown, keys = rows(office, "attention-list")
    assert (changed["code"], changed["invoice"], changed["blocks"]) == (
        "amount_changed",
        invoice.reference,
        True,
    )
    assert changed["params"] == {"due": ["3.000", "KWD"], "asked": ["2.000", "KWD"]}
    assert "3.000 KWD instead of 2.000 KWD" in changed["sentence"]
    assert changed["actions"] == ["apply", "refund", "dismiss"]
    assert (unknown["refund"], unknown["actions"]) == (refund.pk, ["verify", "happened", "did_not_happen"])
    assert (keys["invoice"], keys["refund"], keys["blocks"]) == (None, None, False)


# Filters


def test_invoices_are_found_by_their_numbers_and_state(office: Client) -> None:
    one = InvoiceFactory(shop_reference="A-7", sadad_id="4711", paid=True)
    two = InvoiceFactory(shop_reference="A-7")
    other = InvoiceFactory(shop_reference="A-77")
    assert found(office, f"reference={one.reference}") == [one.reference]
    assert found(office, "shop_reference=A-7") == [two.reference, one.reference]
    assert found(office, "sadad_id=4711") == [one.reference]
    assert found(office, "state=open") == [other.reference, two.reference]
    assert found(office, "state=open&shop_reference=A-7") == [two.reference]
    assert found(office, "state=lost") == []


def test_refunds_and_cases_are_found_by_their_invoice(office: Client) -> None:
    refund, other = RefundFactory(), RefundFactory(unknown=True)
    mine = ask(refund.invoice)
    ask(other.invoice, "unknown_status")
    by = f"invoice={refund.invoice.reference}"
    assert [row["id"] for row in rows(office, "refund-list", by)] == [refund.pk]
    assert [row["id"] for row in rows(office, "refund-list", "state=unknown")] == [other.pk]
    assert [row["id"] for row in rows(office, "attention-list", by)] == [mine.pk]
    assert [row["id"] for row in rows(office, "attention-list", "code=mismatch")] == [mine.pk]


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [
        ("invoice-list", "state=payed", "state"),
        ("invoice-list", "state=", "state"),
        ("invoice-list", "reference=", "reference"),
        ("invoice-list", "sadad_id=%00", "sadad_id"),
        ("invoice-list", "shop_reference=" + "a" * 101, "shop_reference"),
        ("refund-list", "state=paid", "state"),
        ("refund-list", "invoice=%00", "invoice"),
        ("attention-list", "code=%00", "code"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(office: Client, name: str, query: str, field: str) -> None:
    answer = office.get(f"{url(name)}?{query}")
    assert answer.status_code == 400
    assert answer.json()["field"] == field


# Pages


def test_pages_show_every_row_once_though_new_ones_come_in(office: Client) -> None:
    first = [InvoiceFactory().reference for _ in range(5)]
    page = office.get(f"{url('invoice-list')}?page_size=2&state=open").json()
    seen = [row["reference"] for row in page["results"]]
    InvoiceFactory()
    while page["next"]:
        page = office.get(page["next"]).json()
        seen += [row["reference"] for row in page["results"]]
    assert seen == first[::-1]
    before = office.get(page["previous"]).json()["results"]
    assert [row["reference"] for row in before] == seen[2:4]


def test_a_page_is_never_longer_than_two_hundred(office: Client) -> None:
    InvoiceFactory.create_batch(3)
    Invoice.objects.bulk_create([InvoiceFactory.build(open_slot=None, state="expired") for _ in range(200)])
    assert len(rows(office, "invoice-list", "page_size=100000")) == 200
    assert len(rows(office, "invoice-list")) == 50


@pytest.mark.parametrize("cursor", ["p=abc", "p=", "p=-1", "p=1%2000", "p=" + "9" * 30, "o=x", "r=x"])
def test_a_cursor_that_we_did_not_make_is_refused(office: Client, cursor: str) -> None:
    encoded = b64encode(cursor.encode()).decode()
    answer = office.get(url("invoice-list"), {"cursor": encoded})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# Masks


def every_answer(client: Client, invoice: Invoice) -> str:
    addresses = [url("invoice-list"), url("invoice-detail", invoice), url("refund-list")]
    addresses.append(url("attention-list"))
    answers = [client.get(address) for address in addresses]
    answers.append(client.post(url("invoice-verify", invoice)))
    answers.append(give_back(client, invoice, amount="0.001"))
    assert {answer.status_code for answer in answers} <= {200, 201}
    return "".join(answer.content.decode() for answer in answers)


def test_without_the_permission_no_answer_holds_phone_email_or_raw(
    paid_invoice: Invoice, office: Client
) -> None:
    ask(paid_invoice)
    body = every_answer(office, paid_invoice)
    assert PHONE not in body
    assert EMAIL not in body
    assert "ref_Number" not in body
    shown = office.get(url("invoice-detail", paid_invoice)).json()
    assert shown["customer"] == {"name": "Noor Al-Sabah", "mobile": None, "email": None}
    assert shown["raw"] is None


def test_with_the_permission_they_are_shown(paid_invoice: Invoice, caller: CallerMaker) -> None:
    client = caller(*VIEWS, "view_customer_data")
    shown = client.get(url("invoice-detail", paid_invoice)).json()
    assert shown["customer"] == {"name": "Noor Al-Sabah", "mobile": PHONE, "email": EMAIL}
    assert shown["raw"]["ref_Number"] == paid_invoice.reference
    assert rows(client, "invoice-list")[0]["customer"]["mobile"] == PHONE


def test_a_purged_customer_is_empty_and_not_hidden(caller: CallerMaker) -> None:
    invoice = InvoiceFactory(customer={}, raw=None)
    shown = caller("view_invoice", "view_customer_data").get(url("invoice-detail", invoice)).json()
    assert shown["customer"] == {"name": "", "mobile": "", "email": ""}
    assert shown["raw"] is None


# Languages


@pytest.mark.parametrize("middleware", [True, False])
def test_a_sentence_is_in_the_caller_s_language(settings: Any, office: Client, middleware: bool) -> None:
    if not middleware:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Locale" not in name]
    ask(None, "refund_unknown", params={"amount": ["1234.500", "KWD"]})
    said = {}
    for language in ("en", "ar"):
        answer = office.get(url("attention-list"), headers={"Accept-Language": language})
        said[language] = answer.json()["results"][0]["sentence"]
        assert answer["Content-Language"] == language
        assert "Accept-Language" in answer["Vary"]
    assert "1,234.500 KWD" in said["en"]
    assert "1,234.500 د.ك" in said["ar"]


def test_an_error_is_in_the_caller_s_language(office: Client) -> None:
    answer = office.get(url("invoice-detail", "no-such"), headers={"Accept-Language": "ar"})
    assert re.search("[\u0621-\u064a]", answer.json()["detail"])


# SQL


def statements(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in seen.captured_queries]


def fill(count: int) -> None:
    for _ in range(count):
        refund = RefundFactory()
        ask(refund.invoice, "refund_unknown", refund=refund)


@pytest.mark.parametrize("name", ["invoice-list", "refund-list", "attention-list"])
def test_a_list_takes_one_statement_however_long_it_is(office: Client, name: str) -> None:
    """Besides session, user and the two that read permissions."""
    fill(1)
    few = statements(office, url(name))
    fill(20)
    many = statements(office, url(name))
    assert len(few) == len(many) == 5, "\n".join(many)
    assert "COUNT(" not in "".join(many).upper()


def test_an_invoice_takes_the_same_statements_however_much_hangs_on_it(office: Client) -> None:
    invoice = InvoiceFactory(paid=True, amount=Decimal(100))
    RefundFactory(invoice=invoice)
    few = statements(office, url("invoice-detail", invoice))
    RefundFactory.create_batch(15, invoice=invoice)
    many = statements(office, url("invoice-detail", invoice))
    assert len(few) == len(many) <= 10, "\n".join(many)
    assert Refund.objects.count() == 16


def test_a_list_does_not_read_raw_replies(office: Client) -> None:
    fill(1)
    for name in ("invoice-list", "refund-list", "attention-list"):
        assert '"raw"' not in "".join(statements(office, url(name))).replace("`", '"'), name
