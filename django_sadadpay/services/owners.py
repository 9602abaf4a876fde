"""Whose an invoice is that Sadad made: its subscription or plan is made due when it is paid."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django_sadadpay.models import (
    Attention,
    Installment,
    InstallmentPlan,
    Invoice,
    Subscription,
    SubscriptionPeriod,
)
from django_sadadpay.services import attention

_MAKERS: dict[str, type[Subscription] | type[InstallmentPlan]] = {
    "subscription": Subscription,
    "installmentplan": InstallmentPlan,
}


def wake(invoice: Invoice, now: datetime) -> None:
    """In the settling transaction: whoever tells of it is due, whatever becomes of this process."""
    kind, _sep, pk = invoice.made_from.partition(":")
    model = _MAKERS.get(kind)
    maker = model.objects.filter(pk=pk).first() if model is not None and pk else None
    if maker is None:
        return
    type(maker).objects.filter(pk=pk).update(next_check_at=now)
    if not any(one.objects.filter(invoice=invoice).exists() for one in (SubscriptionPeriod, Installment)):
        _ask(invoice, maker, now)


def _ask(invoice: Invoice, maker: Subscription | InstallmentPlan, now: datetime) -> None:
    """It had ended, its part has another invoice since, and now it was paid: nobody is told of it."""
    what: dict[str, Any] = {
        "what": "part",
        "number": "–",
        "ours": "–",
        "theirs": "–",
        "sadad_id": invoice.sadad_id,
    }
    attention.ask(
        Attention.Code.BILL_DIFFERS, now, maker, invoice=invoice, mirror=maker, kind=maker.kind, **what
    )
