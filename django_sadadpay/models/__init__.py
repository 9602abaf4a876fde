"""One file a subject. What must never be is a constraint here, on SQLite, PostgreSQL and MariaDB alike."""

from __future__ import annotations

from django_sadadpay.models.attention import Attention
from django_sadadpay.models.catalog import Product, ProductCategory
from django_sadadpay.models.currency import CurrencyRate
from django_sadadpay.models.customer import Customer
from django_sadadpay.models.inbox import WebhookEvent
from django_sadadpay.models.invoice import Invoice, InvoiceEvent, InvoiceLine, PaymentAttempt
from django_sadadpay.models.links import PaymentLink, ProductLink, ProductLinkItem
from django_sadadpay.models.mark import Mark
from django_sadadpay.models.mirror import Mirror
from django_sadadpay.models.plans import Installment, InstallmentPlan
from django_sadadpay.models.refund import Refund
from django_sadadpay.models.subscription import (
    Subscription,
    SubscriptionLink,
    SubscriptionPeriod,
    SubscriptionTemplate,
)
from django_sadadpay.models.token import GatewayToken

__all__ = [
    "Attention",
    "CurrencyRate",
    "Customer",
    "GatewayToken",
    "Installment",
    "InstallmentPlan",
    "Invoice",
    "InvoiceEvent",
    "InvoiceLine",
    "Mark",
    "Mirror",
    "PaymentAttempt",
    "PaymentLink",
    "Product",
    "ProductCategory",
    "ProductLink",
    "ProductLinkItem",
    "Refund",
    "Subscription",
    "SubscriptionLink",
    "SubscriptionPeriod",
    "SubscriptionTemplate",
    "WebhookEvent",
]
