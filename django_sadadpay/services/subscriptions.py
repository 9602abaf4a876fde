"""Subscriptions once they exist: their schedule, the invoices that bill it, who is told, pausing and closing.

Everything that Sadad is asked here is assumed (contract 10). Reads may be repeated; the only thing sent is
the wanted state, by ``push``. Background work comes through ``reconcile``, where ``next_check_at`` has come.
The interleavings:

===========================================  ============================================================
What happens                                 Why a bill is settled once and told once
===========================================  ============================================================
The webhook comes first                      The inbox finds the subscription by its reference or its
                                             schedule, and takes the bill over (``recognising``).
The background run comes first               It takes the bill over; the webhook finds the row by its id.
Both at once, or two runs                    ``adoption``: one row. ``telling``: one at a time.
Two runs store the schedule at once          The subscription's lock: the second finds the rows.
A reply that was read earlier is stored      Only words and days of Sadad's can be older for a while; what
later                                        was paid and told never depends on them.
The schedule says Paid, the invoice does not Nothing is settled; it is looked at again with each run.
Killed anywhere                              ``next_check_at`` was moved on by minutes only: the next run
                                             begins again, and finds what is settled and told.
===========================================  ============================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, cast

from django.db import models, transaction
from django.db.models import Q

from django_sadadpay.gateway import coerce
from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.models import (
    Attention,
    Invoice,
    Mirror,
    Subscription,
    SubscriptionPeriod,
    SubscriptionTemplate,
)
from django_sadadpay.registry import Customer as Payer
from django_sadadpay.registry import Draft, SubscriptionDraft
from django_sadadpay.services import (
    attention,
    bills,
    cancelling,
    clock,
    gateway,
    mirroring,
    opening,
    parts,
    plain,
    schedule,
    telling,
    transactions,
)
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.parts import Schedule, Values

Code = Attention.Code
ACTIVE, SUSPENDED, CLOSED = "Active", "Suspended", "Closed"
#: Sadad's words for one that makes no more bills (the emulator's; assumed).
_ENDED = {"closed", "completed"}
_SCHEDULE = "Subscription/generatesubscriptionschedule"


# For shops


def create(
    template: SubscriptionTemplate | models.Model,
    customer: Payer | models.Model,
    *,
    reference: str,
    start: date | None = None,
    lang: str | None = None,
    comment: str = "",
) -> Subscription:
    """A new subscription; it is pushed after the commit, so that nothing is called here.

    :param template: a ``SubscriptionTemplate``, or an object of the shop's that is mirrored as one.
    :param customer: a :class:`Customer` with name and phone, a mirrored customer, or an object of the shop's.
    :param reference: the shop's number; sent with a random ending, which ties the bills to this row.
    :param start: the day of the first bill (Kuwait); None: today, as Sadad sees it.
    :raises DraftError: names the field that Sadad would refuse; nothing was stored.
    """
    draft = SubscriptionDraft(
        template=template,
        customer=customer,
        reference=reference,
        start_date=start,
        lang=lang,
        comment=comment,
    )
    return cast("Subscription", mirroring.create(draft, _account(template)))


def _account(template: SubscriptionTemplate | models.Model) -> str:
    mirror = template if isinstance(template, Mirror) else mirroring.row_of(template)
    return "default" if mirror is None else mirror.account


def pause(subscription: Subscription) -> Subscription:
    """Want no bills until it is resumed. Pushed after the commit; what is billed already stays payable.

    :raises Refused: ``subscription_over``.
    """
    return _want(subscription, SUSPENDED)


def resume(subscription: Subscription) -> Subscription:
    """Want bills again. :raises Refused: ``subscription_over``."""
    return _want(subscription, ACTIVE)


def close(subscription: Subscription) -> Subscription:
    """Want it ended for good. :raises Refused: ``subscription_over``."""
    return _want(subscription, CLOSED)


def next_invoice(subscription: Subscription) -> Invoice | None:
    """The oldest bill that waits for money, with its ``pay_url``; None: nothing is due. Calls nobody."""
    waiting = SubscriptionPeriod.objects.filter(
        subscription=subscription, invoice__state=Invoice.State.OPEN
    ).exclude(invoice__pay_url="")
    period = waiting.select_related("invoice").order_by("number").first()
    return None if period is None else period.invoice


def refresh(subscription: Subscription) -> Subscription:
    """Read the subscription and its schedule, and store both. Nothing is settled and nobody is told.

    :raises InsideTransaction: a transaction is open.
    :raises Refused: ``parked``, or ``no_sadad_id``: it was not pushed yet.
    :raises TryAgain: Sadad could not be asked. :raises NotFound: Sadad has it no more.
    """
    return bills.asking(lambda: _refresh(subscription))


def follow(subscription: Subscription, origin: Origin = bills.ORIGIN) -> Subscription:
    """Everything that is to be done about it now: read it, settle its bills, tell the shop.

    :raises InsideTransaction, Refused, TryAgain, NotFound: as ``refresh``.
    """
    return bills.asking(lambda: _follow(subscription, origin))


# Background work


def arm() -> int:
    """Make those due that were never looked at; one statement. For ``reconcile``."""
    there = Q(sadad_id__isnull=False) | Q(state=Mirror.State.DELETED, synced_at__isnull=False)
    rows = Subscription.objects.filter(there, next_check_at=None, ended_at=None)
    return transactions.run(lambda: rows.update(next_check_at=clock.now()))


def check(pk: int) -> None:
    """The work of ``reconcile`` on one that is due.

    :raises SadadError: Sadad could not be asked; it is due again soon.
    """
    row = Subscription.objects.get(pk=pk)
    if row.state == Mirror.State.DELETED or row.sadad_id is None:
        _finish(row, ())
    elif gateway.is_parked(row):
        transactions.run(partial(_postpone, pk))
    else:
        try:
            _follow(row, bills.ORIGIN)
        except NotFound:
            transactions.run(partial(_gone, pk))


def _postpone(pk: int) -> None:
    row = transactions.lock(Subscription, pk)
    row.next_check_at = clock.now() + schedule.DAY
    row.save(update_fields=["next_check_at"])


def _gone(pk: int) -> None:
    """Wrong keys look alike: nothing is concluded, a person is asked."""
    _postpone(pk)
    row = Subscription.objects.get(pk=pk)
    attention.ask(Code.MIRROR_GONE, clock.now(), row, mirror=row, kind=row.kind)


def _follow(subscription: Subscription, origin: Origin) -> Subscription:
    row = _refresh(subscription)
    missed: list[int] = []
    failed: SadadError | None = None
    for due in _to_look_at(row):
        try:
            if _look(due, origin):
                missed.append(due.period.pk)
        except SadadError as error:
            failed = error  # the others' turn comes with the next run; what is settled is told now
            break
    _finish(row, missed, soon=failed is not None)
    if failed is not None:
        raise failed
    return Subscription.objects.get(pk=row.pk)


# Read and store


@dataclass(frozen=True)
class _Told:
    """What Sadad says of one: columns of ours, and of its periods by number."""

    status: str
    next_bill_on: date | None
    periods: Mapping[int, Values]


def _refresh(subscription: Subscription) -> Subscription:
    if subscription.sadad_id is None:
        raise Refused("no_sadad_id")
    client = gateway.client_of(subscription)
    record = client.subscriptions.getbyid(subscription.sadad_id)
    if record.id != subscription.sadad_id:
        raise TryAgain  # an answer about another one is no answer
    rows = client.subscriptions.generate_schedule(subscription.sadad_id)
    said = coerce.Row(record.raw, client.endpoints["Subscription/getbyid"].reply)
    told = _Told(
        plain.text(said.text("status"), 40),
        parts.day(said.get("next_bill_date")),
        _periods(rows, client.endpoints[_SCHEDULE].reply),
    )
    return transactions.run(partial(_store, subscription.pk, told))


def _periods(rows: Sequence[ObjectRecord], fields: Any) -> dict[int, Values]:
    """Each number once."""
    found: dict[int, Values] = {}
    for place, record in enumerate(rows[: parts.MOST], 1):
        row = coerce.Row(record.raw, fields)
        found[parts.number_of(row, place)] = {
            "bill_on": parts.day(row.get("bill_date")),
            "amount": parts.kwd(row.get("amount")),
            "status": plain.text(row.text("status"), 40),
            "sadad_invoice_id": plain.text(row.id("invoice_id"), 40),
        }
    return found


def _store(pk: int, told: _Told) -> Subscription:
    row = transactions.lock(Subscription, pk)
    row.status, row.next_bill_on = told.status, told.next_bill_on
    row.save(update_fields=["status", "next_bill_on"])
    bills.found_again(row)
    periods = told.periods
    if not opening.is_our_form(row.ref_number) and not row.periods.exists():
        periods = {number: _history(values) for number, values in periods.items()}
    parts.store(SubscriptionPeriod, [Schedule(row, periods)])
    return row


def _history(values: Values) -> Values:
    """Of a subscription that was not made here, what was over when we first heard of it is told to nobody."""
    over = values["status"].casefold() in (bills.PAID_WORD, bills.MISSED_WORD)
    return {**values, "told": telling.BEFORE if over else ""}


# Settle and tell


@dataclass(frozen=True)
class _Due:
    """A period worth a look. ``over``: its day has passed; unpaid, it is missed."""

    period: SubscriptionPeriod
    over: bool


def _to_look_at(row: Subscription) -> list[_Due]:
    """Bills that are new, that Sadad calls paid and we do not, and those whose day has passed unpaid."""
    untold = row.periods.exclude(told__in=(telling.RENEWED, telling.BEFORE)).order_by("number")
    today, days = schedule.kuwait_day(clock.now()), dict(row.periods.values_list("number", "bill_on"))
    periods = list(untold.select_related("invoice", "subscription__template"))
    due = [_Due(period, _is_over(period, days, today)) for period in periods]
    return [one for one in due if _is_worth_a_look(one)]


def _is_over(period: SubscriptionPeriod, days: dict[int, date | None], today: date) -> bool:
    """Missed in Sadad's word, or billed, and the day of a later bill has come (assumed, contract 10)."""
    word = period.status.casefold()
    later = any(day is not None and day <= today for number, day in days.items() if number > period.number)
    return word == bills.MISSED_WORD or (later and word != bills.PAID_WORD and bool(period.sadad_invoice_id))


def _is_worth_a_look(due: _Due) -> bool:
    period = due.period
    untold = due.over and not period.told
    if period.invoice is None or bills.is_news(period):
        return untold or bills.is_news(period)
    said_paid = period.status.casefold() == bills.PAID_WORD
    return not period.invoice.is_paid and (said_paid or untold)


def _look(due: _Due, origin: Origin) -> bool:
    """Whether it is missed: its day has passed, and a fresh look did not find it paid.

    :raises SadadError: Sadad could not be asked.
    """
    if not due.period.sadad_invoice_id:
        return due.over
    invoice = bills.look(due.period, origin)
    return due.over and invoice is not None and not invoice.is_paid and not cancelling.is_doubtful(invoice)


def _finish(row: Subscription, missed: Iterable[int], *, soon: bool = False) -> None:
    """Tell what is to be told, in its order, and say when to look again.

    :param soon: something could not be looked at.
    """
    told = telling.paid(row.pk) and telling.missed(row.pk, missed)
    over = row.state == Mirror.State.DELETED or row.status.casefold() in _ENDED
    if told and over:
        telling.ended(row.pk)
    transactions.run(partial(_reschedule, row.pk, soon=soon))


def _reschedule(pk: int, *, soon: bool) -> None:
    row, now = transactions.lock(Subscription, pk), clock.now()
    retry = now + bills.SOON if soon else telling.again(row, now)
    row.next_check_at = retry if row.ended_at else bills.next_check(now, row.next_bill_on, retry)
    row.save(update_fields=["next_check_at"])


# What is wanted


@dataclass(frozen=True, kw_only=True)
class _Wish(Draft):
    """What is wanted already, with another status."""

    folder = "Subscription"
    relations = ("template", "customer")

    template: Any
    customer: Any
    wished: dict[str, Any] = field(repr=False)

    def payload(self) -> dict[str, Any]:
        return dict(self.wished)


def _want(subscription: Subscription, status: str) -> Subscription:
    """In the caller's transaction, if one is open."""
    with transaction.atomic(using=transactions.alias()):
        return _change(subscription.pk, status)


def _change(pk: int, status: str) -> Subscription:
    row = transactions.lock(Subscription, pk)
    if row.ended_at is not None or row.status.casefold() in _ENDED or not row.is_wanted:
        raise Refused("subscription_over")
    payload = {**row.payload, "status": status}
    mirroring.want(row, _Wish(template=row.template, customer=row.customer, wished=payload))
    row.next_check_at = clock.now() + 2 * schedule.MINUTE
    row.save(update_fields=["next_check_at"])
    return row
