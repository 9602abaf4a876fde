"""Django's admin for payments: found by itself if ``django.contrib.admin`` is installed, needed nowhere.

Everything about money is read-only; what staff may do has an address of its own, outside any transaction
(money-flow 9). What is kept at Sadad beside invoices is edited here, and sent by background work.
"""

from __future__ import annotations

from django_sadadpay.admin.cases import AttentionAdmin
from django_sadadpay.admin.catalog import ProductAdmin, ProductCategoryAdmin
from django_sadadpay.admin.customers import CustomerAdmin
from django_sadadpay.admin.inbox import WebhookEventAdmin
from django_sadadpay.admin.invoices import InvoiceAdmin
from django_sadadpay.admin.paylinks import PaymentLinkAdmin, ProductLinkAdmin
from django_sadadpay.admin.plans import InstallmentPlanAdmin
from django_sadadpay.admin.records import (
    CurrencyRateAdmin,
    GatewayTokenAdmin,
    MarkAdmin,
    RefundAdmin,
)
from django_sadadpay.admin.subscriptions import (
    SubscriptionAdmin,
    SubscriptionLinkAdmin,
    SubscriptionTemplateAdmin,
)

__all__ = [
    "AttentionAdmin",
    "CurrencyRateAdmin",
    "CustomerAdmin",
    "GatewayTokenAdmin",
    "InstallmentPlanAdmin",
    "InvoiceAdmin",
    "MarkAdmin",
    "PaymentLinkAdmin",
    "ProductAdmin",
    "ProductCategoryAdmin",
    "ProductLinkAdmin",
    "RefundAdmin",
    "SubscriptionAdmin",
    "SubscriptionLinkAdmin",
    "SubscriptionTemplateAdmin",
    "WebhookEventAdmin",
]
