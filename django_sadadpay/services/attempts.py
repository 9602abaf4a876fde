"""Sadad's transactions on an invoice: kept, never decided upon (contract 3.3)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django_sadadpay import money
from django_sadadpay.gateway.hidden import hide
from django_sadadpay.gateway.records import InvoiceRecord, TransactionRecord
from django_sadadpay.models import Invoice, PaymentAttempt
from django_sadadpay.models.base import exact
from django_sadadpay.services import plain

_MOST = 200


def merge(invoice: Invoice, record: InvoiceRecord) -> None:
    """Add attempts not seen before and bring the others up to date; none is ever removed. Oldest first."""
    stored = {attempt.key: attempt for attempt in invoice.attempts.all()} if record.transactions else {}
    for transaction in reversed(record.transactions[:_MOST]):
        key, values = _key(transaction), _values(transaction)
        if invoice.is_erased:
            values["raw"] = {}
        known = stored.get(key)
        if known is None:
            stored[key] = PaymentAttempt.objects.create(invoice=invoice, key=key, **values)
        elif any(getattr(known, name) != value for name, value in values.items()):
            PaymentAttempt.objects.filter(pk=known.pk).update(**values)


def _key(transaction: TransactionRecord) -> str:
    """The first id it carries; without any, the digest of what it says."""
    if transaction.key:
        # exact: on MariaDB two ids that differ only in case would otherwise be one
        return exact(*plain.text(transaction.key, 150).split(":", 1))
    text = json.dumps(plain.data(transaction.raw), sort_keys=True, default=str)
    return "digest:" + hashlib.sha256(text.encode()).hexdigest()


def _values(transaction: TransactionRecord) -> dict[str, Any]:
    raw = plain.data(transaction.raw)
    values = {
        "status": plain.text(transaction.status, 40),
        "request_type": plain.text(transaction.request_type, 40),
        "method": plain.text(transaction.gateway_code or transaction.gateway, 60),
        "amount": money.from_reply(transaction.amount),
        "currency": plain.text(transaction.currency, 10),
        "transaction_id": plain.text(transaction.transaction_id, 100),
        "payment_id": plain.text(transaction.payment_id, 100),
        "reference_id": plain.text(transaction.reference_id, 100),
        "track_id": plain.text(transaction.track_id, 100),
        "occurred_at": transaction.created_at,
        "raw": json.loads(json.dumps(raw, default=str)),
    }
    return hide(values)
