"""The pay link: Sadad's own ``url`` if it points where it should, else built from the key (money-flow 3.8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.services import attention, gateway, plain


def links(invoice: Invoice, record: InvoiceRecord, now: datetime) -> dict[str, Any]:
    """The columns to store; a link on another host is not used and a person is told once."""
    key = plain.text(record.key, 60)
    if not key.isascii() or not key.isdigit():
        return {}
    if invoice.pay_url and invoice.sadad_key == key:
        return {}
    client = gateway.client_of(invoice)
    own = client.pay_url_for(key)
    if record.url and not _same_place(record.url, own):
        host = plain.text(_host(record.url), 100) or "–"
        attention.ask(Attention.Code.PAY_URL_HOST, now, invoice, invoice=invoice, host=host)
    usable = record.url if record.url and _same_place(record.url, own) and len(record.url) <= 500 else own
    return {"sadad_key": key, "pay_url": usable}


def _same_place(url: str, own: str) -> bool:
    try:
        ours, theirs = urlsplit(own), urlsplit(url)
        return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc) and url.isprintable()
    except ValueError:
        return False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
