"""Every fault that the emulator knows, each with the same probability at every call that it fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django_sadadpay.emulator.faults import EVERYWHERE, KINDS, WEBHOOK

#: (endpoint, kind, options with the probability)
Wanted = tuple[str, str, dict[str, Any]]

#: Seconds: a call's deadline is 2 here (``hurry``), so a latency of 3 is one that times out.
VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "latency": ({"seconds": 0.2}, {"seconds": 3.0}),
    "slow_drip": ({"seconds": 0.3}, {"seconds": 4.0}),
    "error_before": ({"status": 500}, {"status": 503}),
    "error_after": ({"status": 500}, {"status": 502}),
    "rate_limited": ({"retry_after": 1}, {"retry_after": None}),
    "refuse": ({"error_key": "Error "}, {"error_key": "UnderReview"}, {"error_key": "InvalidInvoiceStatus"}),
    "unreadable": ({"body": "html"}, {"body": "broken"}, {"body": "empty"}, {"body": "list"}),
    "older": ({"steps": 1}, {"steps": 3}),
    "duplicate": ({"copies": 1}, {"copies": 3}),
    "delay": ({"seconds": 20.0},),
    "reorder": ({"seconds": 20.0},),
}
#: What a reply may say wrongly, or in another type: (endpoint, path, what becomes of it).
LIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Invoice/getbyid", "amount", {"value": 1.234}),
    ("Invoice/getbyid", "amount", {"retype": "text"}),
    ("Invoice/getbyid", "amount", {"remove": True}),
    ("Invoice/getbyid", "ref_Number", {"value": "A-1-aaaaaaaaaa"}),
    ("Invoice/getbyid", "ref_Number", {"remove": True}),
    ("Invoice/getbyid", "status", {"value": "Pondering"}),
    ("Invoice/getbyid", "status", {"remove": True}),
    ("Invoice/getbyid", "status", {"value": "Unpaid"}),
    ("Invoice/getbyid", "refunded_Amount", {"value": 999999}),
    ("Invoice/getbyid", "refunded_Amount", {"value": 0}),
    ("Invoice/getbyid", "refunded_Amount", {"remove": True}),
    ("Invoice/getbyid", "key", {"value": "no-key"}),
    ("Invoice/getbyid", "url", {"value": "http://elsewhere.example/pay/1"}),
    ("Invoice/getbyid", "id", {"retype": "text"}),
    ("Invoice/getbyid", "transactions", {"remove": True}),
    ("Invoice/getbyid", "*", {"retype": "text"}),
    ("Invoice/insert", "invoiceId", {"retype": "number"}),
    ("Invoice/insert", "invoiceId", {"remove": True}),
    ("Invoice/getall", "*.id", {"remove": True}),
    ("Invoice/getall", "*.ref_Number", {"remove": True}),
    ("Refund/insert", "*", {"remove": True}),
    ("User/GenerateAccessToken", "accessToken", {"remove": True}),
)


def wanted(probability: float) -> Iterator[Wanted]:
    """Each kind with ``probability`` at each call; its variants share that, and so do the lies of a reply."""
    for kind, meaning in KINDS.items():
        if kind == "reply_field":
            continue
        variants = VARIANTS.get(kind, ({},))
        for options in variants:
            place = WEBHOOK if meaning.fits(WEBHOOK) else EVERYWHERE
            yield place, kind, {**options, "probability": probability / len(variants)}
    for place, path, what in LIES:
        share = probability / sum(other == place for other, _path, _what in LIES)
        yield place, "reply_field", {"path": path, **what, "probability": share}
