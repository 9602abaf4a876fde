"""The pay link: Sadad's ``url`` if it points where it should, else built from the key (money-flow 3.8)."""

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
    usable_key = key.isascii() and key.isdigit()
    if invoice.pay_url and (invoice.sadad_key == key or not usable_key):
        return {}
    client = gateway.client_of(invoice)
    own = client.pay_url_for(key) if usable_key else ""
    theirs = record.url if _same_place(record.url, client.pay_url) else ""
    if not theirs and (record.url or not own):
        host = plain.text(_host(record.url), 100) or "–"
        attention.ask(Attention.Code.PAY_URL_HOST, now, invoice, invoice=invoice, host=host)
    return {"sadad_key": key if usable_key else "", "pay_url": theirs or own}


def _same_place(url: str, own: str) -> bool:
    try:
        ours, theirs = urlsplit(own), urlsplit(url)
        same = (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
        return same and url.isprintable() and len(url) <= 500
    except ValueError:
        return False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
