"""One file a subject. What must never be is a constraint here, on SQLite, PostgreSQL and MariaDB alike."""

from __future__ import annotations

from django_sadadpay.models.attention import Attention
from django_sadadpay.models.currency import CurrencyRate
from django_sadadpay.models.inbox import WebhookEvent
from django_sadadpay.models.invoice import Invoice, InvoiceEvent, InvoiceLine, PaymentAttempt
from django_sadadpay.models.mark import Mark
from django_sadadpay.models.refund import Refund
from django_sadadpay.models.token import GatewayToken

__all__ = [
    "Attention",
    "CurrencyRate",
    "GatewayToken",
    "Invoice",
    "InvoiceEvent",
    "InvoiceLine",
    "Mark",
    "PaymentAttempt",
    "Refund",
    "WebhookEvent",
]
