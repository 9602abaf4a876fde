"""Django's admin for payments: found by itself if ``django.contrib.admin`` is installed, needed nowhere.

Everything is read-only; what staff may do has an address of its own, outside any transaction (money-flow 9).
"""

from __future__ import annotations

from django_sadadpay.admin.cases import AttentionAdmin
from django_sadadpay.admin.inbox import WebhookEventAdmin
from django_sadadpay.admin.invoices import InvoiceAdmin
from django_sadadpay.admin.records import (
    CurrencyRateAdmin,
    GatewayTokenAdmin,
    MarkAdmin,
    RefundAdmin,
)

__all__ = [
    "AttentionAdmin",
    "CurrencyRateAdmin",
    "GatewayTokenAdmin",
    "InvoiceAdmin",
    "MarkAdmin",
    "RefundAdmin",
    "WebhookEventAdmin",
]
