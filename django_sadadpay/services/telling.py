"""Tell the shop of bills that were paid or missed, and of subscriptions that ended: once, as ``paid()`` is.

The signal is sent after the payment's own commit, in a transaction of its own that also writes down that it
was sent: what receivers store and our ``told`` are kept together or not at all. The interleavings:

===========================================  ============================================================
What happens                                 Why it is told once, and told at all
===========================================  ============================================================
Two workers tell at once                     A name of its own is held (``holding``): the second finds
                                             ``told``.
Killed before the commit                     Nothing is stored, neither theirs nor ours: it is due still.
A receiver raises                            The savepoint is rolled back for all receivers, a person is
                                             asked, and it is told again, later and later.
A receiver meets a lock                      The whole transaction runs again.
Paid while "missed" is being told            What is told is decided under the lock, from our invoice.
Missed first, paid later                     Both are told, in that order.
The same invoice bills two periods           The second is not told, since it is not linked.
===========================================  ============================================================

Rows are locked in the order that the shop's own saves have: first the shop's (by receivers), then the mirror
(by the marks of what receivers save), then the part that is written ``told``. The subscription is not locked
while receivers run: a request of the shop's that has saved its object waits for that row. Neither is the
part, which a reader of the schedule waits for while it has the subscription locked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from django_sadadpay import signals
from django_sadadpay.models import (
    Attention,
    Installment,
    InstallmentPlan,
    Invoice,
    Mirror,
    Subscription,
    SubscriptionPeriod,
)
from django_sadadpay.services import attention, clock, holding, hooks, schedule, transactions
from django_sadadpay.services.errors import PaymentError

logger = logging.getLogger("django_sadadpay")
Code = Attention.Code
#: ``told``: what was sent. ``BEFORE``: it was over when we first heard of the subscription; nothing is sent.
RENEWED, MISSED, PAID, BEFORE = "renewed", "missed", "paid", "before"
_NAMES = {
    signals.subscription_renewed: "subscription_renewed",
    signals.subscription_missed: "subscription_missed",
    signals.subscription_ended: "subscription_ended",
    signals.installment_paid: "installment_paid",
}


def of(invoice: Invoice) -> None:
    """After an invoice was settled: tell what it pays. Whatever fails is due again by itself."""
    kind, _sep, pk = invoice.made_from.partition(":")
    try:
        if kind == "subscription" and pk:
            paid(int(pk))
        elif kind == "installmentplan" and pk:
            parts(int(pk))
    except PaymentError:
        pass  # the database stayed locked; the settling transaction made its maker due


def paid(pk: int) -> bool:
    """Tell of every period of a subscription that is paid; False when a receiver raised."""
    rows = SubscriptionPeriod.objects.filter(subscription=pk, invoice__paid_slot__isnull=False)
    untold = rows.exclude(told__in=(RENEWED, BEFORE)).order_by("number")
    return _all(partial(_renewed, pk, period) for period in untold.values_list("pk", flat=True))


def missed(pk: int, periods: Iterable[int]) -> bool:
    """Tell of these periods, by primary key, that their day has passed unpaid."""
    return _all(partial(_missed, pk, period) for period in periods)


def ended(pk: int) -> bool:
    """Tell that a subscription has ended."""
    return transactions.run(partial(_ended, pk))


def parts(pk: int) -> bool:
    """Tell of every part of a plan that is paid."""
    rows = Installment.objects.filter(plan=pk, invoice__paid_slot__isnull=False, told="")
    return _all(partial(_part, pk, part) for part in rows.order_by("number").values_list("pk", flat=True))


def _all(blocks: Iterable[Any]) -> bool:
    """Each in its own transaction, in order; the first that fails keeps the later ones waiting."""
    return all(transactions.run(block) for block in blocks)


def _renewed(pk: int, period_pk: int) -> bool:
    with holding.held(_name(Subscription, pk)):
        row, period = _read(pk, period_pk)
        if period.told in (RENEWED, BEFORE) or not _pays(period.invoice, row):
            return True
        more = {"subscription": row, "period": period, "invoice": period.invoice}
        return _send(signals.subscription_renewed, row, period, RENEWED, **more)


def _missed(pk: int, period_pk: int) -> bool:
    with holding.held(_name(Subscription, pk)):
        row, period = _read(pk, period_pk)
        if period.told or (period.invoice is not None and period.invoice.is_paid):
            return True
        return _send(signals.subscription_missed, row, period, MISSED, subscription=row, period=period)


def _read(pk: int, period_pk: int) -> tuple[Subscription, SubscriptionPeriod]:
    period = SubscriptionPeriod.objects.select_related("invoice").get(pk=period_pk)
    return Subscription.objects.get(pk=pk), period


def _ended(pk: int) -> bool:
    with holding.held(_name(Subscription, pk)):
        row, now = Subscription.objects.get(pk=pk), clock.now()
        if row.ended_at is not None:
            return True
        if not _sent(signals.subscription_ended, row, now, subscription=row):
            return False
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        return True


def _part(pk: int, part_pk: int) -> bool:
    with holding.held(_name(InstallmentPlan, pk)):
        plan = InstallmentPlan.objects.get(pk=pk)
        part = Installment.objects.select_related("invoice").get(pk=part_pk)
        if part.told or not _pays(part.invoice, plan):
            return True
        more = {"plan": plan, "installment": part, "invoice": part.invoice}
        return _send(signals.installment_paid, plan, part, PAID, **more)


def _name(model: type[Mirror], pk: int) -> str:
    return f"telling:{model._meta.model_name}:{pk}"


def _pays(invoice: Invoice | None, row: Mirror) -> bool:
    """The invoice's payment counts, and it was taken over as one of this maker's."""
    return invoice is not None and invoice.is_applied and invoice.made_from == attention.subject_of(row)


def _send(
    signal: Signal, row: Mirror, part: SubscriptionPeriod | Installment, word: str, **more: Any
) -> bool:
    if not _sent(signal, row, clock.now(), number=part.number, **more):
        return False
    part.told = word
    part.save(update_fields=["told"])
    return True


def _sent(signal: Signal, row: Mirror, now: datetime, *, number: int | None = None, **more: Any) -> bool:
    """Receivers run in a savepoint: what one of them raises undoes what all of them stored."""
    name = _NAMES[signal]
    try:
        with transaction.atomic(using=transactions.alias()):
            signal.send(sender=type(row), **more)
            hooks.refuse_swallowed()
    except Exception as error:  # the shop's code may raise anything; the payment stands all the same
        if transactions.is_lock_error(error):
            raise
        # The exception's text may hold personal data of the shop's: only its class is kept and logged.
        logger.error("a receiver of %s raised %s", name, type(error).__name__)
        what: dict[str, Any] = {"signal": name, "number": number, "error": type(error).__name__}
        attention.ask(Code.SIGNAL_FAILED, now, row, mirror=row, kind=row.kind, **what)
        return False
    attention.close((Code.SIGNAL_FAILED,), now, "the shop was told", mirror=row)
    return True


def again(row: Mirror, now: datetime) -> datetime | None:
    """When to tell again after a receiver raised: soon, then thinning; None when nothing waits."""
    cases = Attention.objects.filter(
        code=Code.SIGNAL_FAILED, subject=attention.subject_of(row), resolved_at=None
    )
    case = cases.first()
    return None if case is None else schedule.next_unpaid_check(now, case.created_at)
