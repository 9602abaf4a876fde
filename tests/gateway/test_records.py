"""Tolerance of missing, extra and re-typed fields; and the real samples."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.gateway import coerce, jsontext
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.records import (
    CurrencyRate,
    InvoiceRecord,
    ItemRecord,
    RefundReceipt,
    RefundRecord,
    TransactionRecord,
)
from tests.gateway import server as s
from tests.gateway.conftest import DATA
from tests.gateway.server import Server

SAMPLES = DATA / "samples"
RECORDS = [InvoiceRecord, ItemRecord, TransactionRecord, RefundReceipt, RefundRecord]


@pytest.mark.parametrize("number", [1, 2])
def test_the_real_samples_through_the_client(server: Server, client: SadadClient, number: int) -> None:
    request = json.loads((SAMPLES / f"invoice-insert-request-{number}.json").read_text())["invoices"][0]
    server.on("Invoice/insert", s.status(200, (SAMPLES / f"invoice-insert-reply-{number}.json").read_bytes()))
    server.on(
        "Invoice/getbyid", s.status(200, (SAMPLES / f"invoice-getbyid-reply-{number}.json").read_bytes())
    )
    sent = {name: value for name, value in request.items() if name != "items"}
    sent["items"] = [{**item, "amount": Decimal(str(item["amount"]))} for item in request["items"]]
    invoice_id = client.invoices.insert(sent)
    record = client.invoices.getbyid(invoice_id)
    assert record.id == invoice_id == f"6814{number}"
    assert record.amount == record.total == record.subtotal == Decimal(request["amount"])
    assert (record.ref_number, record.currency, record.status) == (request["ref_Number"], "KWD", "Unpaid")
    assert sum((item.quantity or 0) * (item.amount or 0) for item in record.items) == record.amount
    assert record.key.endswith(record.id)
    assert record.url == record.short_url == f"https://sandbox.sadadpay.net/pay/{record.key}"


def test_a_sample_field_by_field() -> None:
    reply = jsontext.loads((SAMPLES / "invoice-getbyid-reply-1.json").read_bytes())
    record = InvoiceRecord.from_wire(reply["response"])
    assert record.created_at == datetime(2026, 4, 1, 9, 42, 48, tzinfo=UTC)
    assert record.expires_at == datetime(2026, 4, 5, 21, tzinfo=UTC)
    assert (record.paid_at, record.transaction_id, record.order_session_id) == (None, "", "")
    assert (record.short_link, record.qr_url) == (
        "Hj3",
        "https://sandbox.sadadpay.net/qr/9565391268141/download",
    )
    assert (record.refunded_amount, record.alt_amount, record.deleted) == (Decimal(0), Decimal(0), False)
    assert (record.customer_mobile, record.customer_name) == ("+965600000000", "Customer Name")
    assert record.items[2] == ItemRecord(
        "14032", "Item", Decimal(2), Decimal("40.5"), "", record.items[2].raw
    )
    assert record.raw["vendor_Id"] == 20456


def test_a_record_shows_neither_the_customer_nor_the_raw_reply() -> None:
    record = InvoiceRecord.from_wire(
        {"id": 1, "customer_Name": "Ahmad", "customer_Mobile": "+9655", "customer_Email": "a@b.c", "x": "raw"}
    )
    assert not any(word in repr(record) for word in ("Ahmad", "+9655", "a@b.c", "raw"))


def test_names_of_the_relative_are_understood_and_the_exact_name_wins() -> None:
    record = InvoiceRecord.from_wire({"Id": 5, "refNumber": "A", "amount": 1, "Amount": 2, "": "nothing"})
    assert (record.id, record.ref_number, record.amount, record.key) == ("5", "A", Decimal(1), "")


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("junk", [None, [], {}, {"x": [1]}, 5, True, "text", Decimal("1.5"), "\x00"])
def test_any_value_in_any_field_gives_a_record(record: Any, junk: Any) -> None:
    reply = jsontext.loads((SAMPLES / "invoice-getbyid-reply-1.json").read_bytes())["response"]
    made = record.from_wire(dict.fromkeys([*reply, "transactionId", "refund_Id", "invoice_Id"], junk))
    assert made.raw["id"] == junk
    assert record.from_wire({}).raw == {}


@pytest.mark.parametrize("record", [*RECORDS, CurrencyRate])
@pytest.mark.parametrize("junk", [None, [], "text", 5])
def test_what_is_no_object_is_no_record(record: Any, junk: Any) -> None:
    with pytest.raises(ValueError, match="not an object"):
        record.from_wire(junk)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"id": 14, "transactionId": "T"}, "id:14"),
        ({"id": 0, "transactionId": "T", "paymentId": "P"}, "transactionId:T"),
        ({"paymentId": "P", "referenceId": "R"}, "paymentId:P"),
        ({"trackId": 9, "referenceId": "R"}, "referenceId:R"),
        ({"trackId": 9}, "trackId:9"),
        ({"status": "Success"}, ""),
    ],
)
def test_an_attempt_is_known_by_the_first_id_it_carries(raw: dict[str, Any], key: str) -> None:
    assert TransactionRecord.from_wire(raw).key == key


def test_attempts_of_an_invoice() -> None:
    record = InvoiceRecord.from_wire(
        {
            "transactions": [
                {
                    "id": 2,
                    "status": "Success",
                    "amount": "1.250",
                    "createDate": "04/01/2026 12:42:48",
                    "request_Type": "Capture",
                },
                "odd",
            ]
        }
    )
    (attempt,) = record.transactions
    assert (attempt.status, attempt.amount, attempt.request_type) == ("Success", Decimal("1.250"), "Capture")
    assert attempt.created_at == datetime(2026, 4, 1, 9, 42, 48, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        (68141, "68141"),
        ("68141", "68141"),
        (" 68141 ", "68141"),
        (Decimal("68141.0"), "68141"),
        (Decimal("1.5"), "1.5"),
        (0, ""),
        ("0", ""),
        (None, ""),
        (True, "true"),
        (False, ""),
        ([1], ""),
    ],
)
def test_ids(wire: Any, ours: str) -> None:
    assert coerce.id_text(wire) == ours


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        (Decimal("18.000000128746034"), Decimal("18.000000128746034")),
        (10, Decimal(10)),
        ("127.500", Decimal("127.500")),
        (" 1.5 ", Decimal("1.5")),
        ("-1.5e2", Decimal(-150)),
        ("", None),
        ("1,5", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e999", None),
        ("9" * 41, None),
        ("١٢", None),
        (True, None),
        (None, None),
        ([], None),
        (Decimal("Infinity"), None),
    ],
)
def test_numbers(wire: Any, ours: Decimal | None) -> None:
    assert coerce.number(wire) == ours


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        ("04/01/2026 12:42:48", datetime(2026, 4, 1, 9, 42, 48, tzinfo=UTC)),
        ("04/01/2026", datetime(2026, 3, 31, 21, tzinfo=UTC)),
        ("2026-04-01T12:42:48", datetime(2026, 4, 1, 9, 42, 48, tzinfo=UTC)),
        ("2026-04-01T12:42:48Z", datetime(2026, 4, 1, 12, 42, 48, tzinfo=UTC)),
        ("2026-04-01T12:42:48.1234567+03:00", datetime(2026, 4, 1, 9, 42, 48, 123456, tzinfo=UTC)),
        ("2026-04-01", datetime(2026, 3, 31, 21, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("01/01/0001 00:00:00", None),
        ("13/01/2026 00:00:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_moments(wire: Any, ours: datetime | None) -> None:
    assert coerce.moment(wire) == ours


def test_text() -> None:
    values: list[Any] = ["Hj3   ", 5, Decimal("1.5"), None, False, True, {}]
    assert [coerce.text(value) for value in values] == [
        "Hj3",
        "5",
        "1.5",
        "",
        "",
        "true",
        "",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"9" * 61,
        b"9" * 5000,
        b"1e999999",
        b"0." + b"1" * 60,
        b"1e9999999999999999999",
        b"[" * 41 + b"]" * 41,
        b"[" * 100_000,
        b'{"a":' * 41 + b"1" + b"}" * 41,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_json_that_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        jsontext.loads(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"\xef\xbb\xbf[1.10]", [Decimal("1.10")]),
        (b'"\\u0000\\ud800"', "\N{REPLACEMENT CHARACTER}" * 2),
        (b'{"\\u0000": "\\ud83d\\ude00"}', {"\N{REPLACEMENT CHARACTER}": "😀"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[" * 40 + b"]" * 40, None),
        (b"1e20", Decimal("1e20")),
    ],
)
def test_json_that_is_read(body: bytes, value: Any) -> None:
    found = jsontext.loads(body)
    assert value is None or found == value
