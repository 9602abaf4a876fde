"""Bills: the invoices that a subscription or a plan makes at Sadad, one for each part of its schedule.

The schedule only names an invoice to look at, as a webhook does. What counts is Invoice/getbyid, with id,
amount and reference compared (money-flow 4).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

from django_sadadpay import money
from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.models import (
    Attention,
    Installment,
    Invoice,
    InvoiceEvent,
    Mirror,
    SubscriptionPeriod,
)
from django_sadadpay.services import (
    adoption,
    attention,
    clock,
    looking,
    parts,
    plain,
    schedule,
    snapshots,
    transactions,
)
from django_sadadpay.services.adoption import CannotAdopt, Expected
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.parts import Maker, Part
from django_sadadpay.services.snapshots import Snapshot

T = TypeVar("T")
Code = Attention.Code
ORIGIN = Origin(InvoiceEvent.Source.RECONCILE)
PAID_WORD, MISSED_WORD = "paid", "missed"
#: After Sadad could not be asked.
SOON = timedelta(minutes=5)


def look(part: Part, origin: Origin, snapshot: Snapshot | None = None) -> Invoice | None:
    """Ask Sadad about a part's invoice and settle what it says; taken over first, if it was not.

    :param snapshot: of its invoice, if that was just asked for.
    :return: None where a person has to look, since it cannot be this part's bill.
    :raises SadadError: Sadad could not be asked.
    """
    maker, invoice = parts.maker_of(part), part.invoice
    if invoice is not None and invoice.sadad_id == part.sadad_invoice_id and _is_makers(invoice, maker):
        return looking.look(invoice, origin)
    try:
        snapshot = snapshot or snapshots.fetch(maker, part.sadad_invoice_id)
        return _take_over(maker, part, snapshot, origin)
    except NotFound:
        _ask(maker, part, "invoice", "–", part.sadad_invoice_id)
    except CannotAdopt as error:
        _ask(maker, part, error.what, error.ours, error.theirs)
    return None


def is_news(part: Part) -> bool:
    """Its invoice was not taken over yet: it is new, or stands for one that ended unpaid."""
    invoice = part.invoice
    named = bool(part.sadad_invoice_id)
    return named and (invoice is None or invoice.sadad_id != part.sadad_invoice_id)


def _is_makers(invoice: Invoice, maker: Maker) -> bool:
    return invoice.made_from == adoption.maker(maker)


def _take_over(maker: Maker, part: Part, snapshot: Snapshot, origin: Origin) -> Invoice:
    record, amount = snapshot.record, asked(part)
    if amount is None:
        raise CannotAdopt("amount", "–", str(record.amount)[:40])
    if (record.currency or money.KWD).upper() != money.KWD:
        raise CannotAdopt("currency", money.KWD, plain.text(record.currency, 40))
    expected = Expected(adoption.maker(maker), amount, plain.text(maker.ref_number, 200))
    invoice = adoption.adopt(maker, snapshot, expected, origin, partial(_link, part))
    transactions.run(partial(_close, maker, part))
    return invoice


def asked(part: Part) -> Decimal | None:
    """KWD that the part's invoice must ask for, by what we hold ourselves; None: nobody says.

    :raises CannotAdopt: Sadad's schedule is not the one that was wanted.
    """
    return _of_period(part) if isinstance(part, SubscriptionPeriod) else _of_installment(part)


def _of_period(period: SubscriptionPeriod) -> Decimal | None:
    """The template's amount. Whether a new price counts for those who subscribed before is not known: what
    the subscription's earlier bills have asked for, and was paid, is as good.
    """
    template = period.subscription.template
    ours: Decimal | None = None if template is None else template.amount
    told: Decimal | None = period.amount
    if ours is None:
        return told
    earlier = period.subscription.periods.filter(invoice__paid_slot__isnull=False)
    return told if told in set(earlier.values_list("invoice__amount", flat=True)) else ours


def _of_installment(part: Installment) -> Decimal | None:
    """Its part of the plan's amount, if the parts are that amount; with the late fees that the plan tells."""
    amount: Decimal | None = part.amount
    if amount is None:
        return None
    amounts = part.plan.installments.values_list("amount", flat=True)
    total, ours = sum((each for each in amounts if each is not None), Decimal(0)), part.plan.amount
    if ours is not None and total != ours:
        raise CannotAdopt("amount", f"{ours:.3f}", f"{total:.3f}")
    return amount + (part.late_fees or Decimal(0))


def _link(part: Part, invoice: Invoice) -> None:
    """One invoice bills one part; a part keeps its invoice, unless that ended unpaid.

    :raises CannotAdopt: another part has it, or the part has another one.
    """
    row: Part = transactions.lock(type(part), part.pk)
    for model in (SubscriptionPeriod, Installment):
        others = model.objects.filter(invoice=invoice)
        others = others.exclude(pk=row.pk) if isinstance(row, model) else others
        if other := others.first():
            raise CannotAdopt("part", str(row.number), str(other.number))
    if row.invoice is not None and row.invoice != invoice and not parts.has_ended(row.invoice):
        raise CannotAdopt("invoice", row.invoice.sadad_id or "–", invoice.sadad_id or "–")
    type(row).objects.filter(pk=row.pk).update(invoice=invoice)


def _ask(maker: Maker, part: Part, what: str, ours: str, theirs: str) -> None:
    transactions.run(partial(parts.ask, maker, part, what, ours, theirs, part.sadad_invoice_id))


def _close(maker: Maker, part: Part) -> None:
    """The person was asked about this very part: its invoice is known now, and agrees."""
    codes = (Code.BILL_DIFFERS, Code.BILL_UNKNOWN)
    attention.close(codes, clock.now(), "both sides agree", mirror=maker, part=part.number)


def found_again(maker: Maker) -> None:
    """Sadad has it, after all. Where push found it gone, only push or a person says so. In the caller's
    transaction.
    """
    if maker.held != Mirror.Held.GONE:
        attention.close((Code.MIRROR_GONE,), clock.now(), "both sides agree", mirror=maker)


# Asking


def asking(call: Callable[[], T]) -> T:
    """:raises InsideTransaction: a transaction is open. :raises TryAgain: Sadad could not be asked."""
    transactions.ensure_outside()
    try:
        return call()
    except NotFound:
        raise
    except SadadError as error:
        raise TryAgain from error


# When to look again


def next_check(now: datetime, on: date | None, retry: datetime | None) -> datetime:
    """At the beginning of the day on which the next bill is made, an hour from now at the earliest, a day
    from now at the latest; sooner where a receiver is to be told again.
    """
    latest = now + schedule.DAY
    bill = latest if on is None else schedule.end_of(on - timedelta(days=1)) + 10 * schedule.MINUTE
    due = min(max(bill, now + schedule.HOUR), latest)
    return due if retry is None else min(due, retry)
