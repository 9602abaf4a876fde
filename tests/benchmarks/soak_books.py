"""Books on which both sides agree: one order paid and partly refunded. Tests break them in one place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from benchmarks.soak.audit import Ours, Theirs

Row = dict[str, Any]


def theirs() -> Theirs:
    """Invoice 7 over 5 KWD was paid, and 1.250 KWD of it given back by one call."""
    return Theirs(
        invoices=[
            {
                "id": 7,
                "ref_Number": "S-1-aaaaaaaaaa",
                "amount": 5.0,
                "status": "Paid",
                "transactionID": "900",
                "refunded_Amount": 1.25,
            }
        ],
        refunds=[{"invoice_id": 7, "fils": 1250, "source": "api"}],
        inserts=[insert()],
        webhooks=[{"invoice_id": 7, "state": "accepted"}],
    )


def ours() -> Ours:
    """What the shop knows of it."""
    facts = {"state": "paid", "paid_amount": "5.000"}
    return Ours(
        orders=[{"id": 1, "amount": Decimal(5), "status": "paid", "refunded": Decimal("1.250")}],
        notes=[note("paid", "5.000"), note("refunded", "1.250")],
        invoices=[invoice()],
        refunds=[refund()],
        events=[{"id": 1, "sadad_id": "7", "count": 1, "state": "done", "error_code": ""}],
        cases=[],
        replayed={11: dict(facts)},
        stored={11: dict(facts)},
    )


def invoice(**values: Any) -> Row:
    return {
        "id": 11,
        "reference": "S-1-aaaaaaaaaa",
        "sadad_id": "7",
        "object_id": "1",
        "state": "paid",
        "status_text": "Paid",
        "paid_amount": Decimal(5),
        "refunded_amount": Decimal("1.250"),
        "transaction_id": "900",
        "handled_at": "2026-03-03T09:00",
        "open_slot": None,
        "paid_slot": "order:1:",
        **values,
    }


def refund(**values: Any) -> Row:
    return {
        "id": 21,
        "invoice_id": 11,
        "amount": Decimal("1.250"),
        "state": "done",
        "source": "shop",
        "handled_at": "2026-03-03T09:05",
        **values,
    }


def note(what: str, amount: str) -> Row:
    return {"order_id": 1, "what": what, "amount": Decimal(amount)}


def insert(**values: Any) -> Row:
    return {
        "body": {"invoice_Id": "7", "amount": "1.250"},
        "authenticated": True,
        "faults": [],
        **values,
    }


def case(code: str, **subject: Any) -> Row:
    return {"code": code, "invoice_id": None, "refund_id": None, "event_id": None, **subject}
