"""Whose an invoice is that Sadad made: its subscription or plan is made due when it is paid."""

from __future__ import annotations

from datetime import datetime

from django_sadadpay.models import Installment, InstallmentPlan, Invoice, Subscription, SubscriptionPeriod


def wake(invoice: Invoice, now: datetime) -> None:
    """In the settling transaction: whoever tells of it is due, whatever becomes of this process."""
    if not invoice.made_from:
        return
    periods = SubscriptionPeriod.objects.filter(invoice=invoice).values("subscription")
    Subscription.objects.filter(pk__in=periods).update(next_check_at=now)
    parts = Installment.objects.filter(invoice=invoice).values("plan")
    InstallmentPlan.objects.filter(pk__in=parts).update(next_check_at=now)
