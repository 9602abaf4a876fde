"""Bills: the invoices that a subscription or a plan makes at Sadad, one for each part of its schedule.

The schedule only names an invoice to look at, as a webhook does. What counts is Invoice/getbyid, with id,
amount and reference compared (money-flow 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from django_sadadpay import money
from django_sadadpay.gateway import coerce
from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.gateway.fields import Field
from django_sadadpay.models import (
    Attention,
    Installment,
    InstallmentPlan,
    Invoice,
    InvoiceEvent,
    Subscription,
    SubscriptionPeriod,
)
from django_sadadpay.services import (
    adoption,
    attention,
    clock,
    looking,
    plain,
    schedule,
    snapshots,
    transactions,
)
from django_sadadpay.services.adoption import CannotAdopt, Expected
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.snapshots import Snapshot

T = TypeVar("T")
Code = Attention.Code
ORIGIN = Origin(InvoiceEvent.Source.RECONCILE)
PAID_WORD, MISSED_WORD = "paid", "missed"
#: After Sadad could not be asked.
SOON = timedelta(minutes=5)
#: A schedule has no more rows than this; what goes on is not read.
MOST = 2000
_LARGEST = 2**31 - 1

Maker = Subscription | InstallmentPlan
Part = SubscriptionPeriod | Installment


def maker_of(part: Part) -> Maker:
    return part.subscription if isinstance(part, SubscriptionPeriod) else part.plan


def look(part: Part, origin: Origin, snapshot: Snapshot | None = None) -> Invoice | None:
    """Ask Sadad about a part's invoice and settle what it says; taken over first, if it was not.

    :param snapshot: of its invoice, if that was just asked for.
    :return: None where a person has to look, since it cannot be this part's bill.
    :raises SadadError: Sadad could not be asked.
    """
    maker, invoice = maker_of(part), part.invoice
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


def _is_makers(invoice: Invoice, maker: Maker) -> bool:
    return invoice.made_from == adoption.maker(maker)


def _take_over(maker: Maker, part: Part, snapshot: Snapshot, origin: Origin) -> Invoice:
    amount = asked(part)
    if amount is None:
        raise CannotAdopt("amount", "–", str(snapshot.record.amount)[:40])
    expected = Expected(adoption.maker(maker), amount, plain.text(maker.ref_number, 200))
    invoice = adoption.adopt(maker, snapshot, expected, origin, partial(_link, part))
    _close(maker, part)
    return invoice


def asked(part: Part) -> Decimal | None:
    """KWD that the part's invoice must ask for: with the late fees that the plan tells; None: nobody says."""
    amount: Decimal | None = part.amount
    if isinstance(part, Installment):
        return None if amount is None else amount + (part.late_fees or Decimal(0))
    if amount is None and part.subscription.template is not None:
        amount = part.subscription.template.amount
    return amount


def _link(part: Part, invoice: Invoice) -> None:
    """One invoice bills one part; a part that is paid keeps its invoice.

    :raises CannotAdopt: another part has it.
    """
    for model in (SubscriptionPeriod, Installment):
        others = model.objects.filter(invoice=invoice)
        others = others.exclude(pk=part.pk) if isinstance(part, model) else others
        if other := others.first():
            raise CannotAdopt("part", str(part.number), str(other.number))
    row = type(part).objects.select_related("invoice").get(pk=part.pk)
    if row.invoice is not None and row.invoice != invoice and row.invoice.is_paid:
        raise CannotAdopt("invoice", row.invoice.sadad_id or "–", invoice.sadad_id or "–")
    type(part).objects.filter(pk=part.pk).update(invoice=invoice)


def _ask(maker: Maker, part: Part, what: str, ours: str, theirs: str) -> None:
    about: dict[str, Any] = {"number": part.number, "sadad_id": part.sadad_invoice_id, "kind": maker.kind}
    about |= {"what": what, "ours": ours, "theirs": theirs}
    transactions.run(lambda: attention.ask(Code.BILL_DIFFERS, clock.now(), maker, mirror=maker, **about))


def _close(maker: Maker, part: Part) -> None:
    """The person was asked about this very part, and it agrees now."""
    open_cases = Attention.objects.filter(
        code=Code.BILL_DIFFERS, subject=attention.subject_of(maker), resolved_at=None
    )
    for case in open_cases:
        if case.params.get("number") == part.number:
            transactions.run(partial(_closed, maker))


def _closed(maker: Maker) -> None:
    attention.close((Code.BILL_DIFFERS,), clock.now(), "both sides agree", mirror=maker)


# Reading


def number_of(row: coerce.Row, place: int) -> int:
    """The part's number; a part without one has its place in the list."""
    said = row.number("number")
    whole = said is not None and said == said.to_integral_value() and 0 <= said <= _LARGEST
    return int(said) if whole and said is not None else place


def day(value: object) -> date | None:
    """Kuwait's day of a moment: dates come back as moments (contract 12)."""
    found = coerce.moment(value)
    return None if found is None else schedule.kuwait_day(found)


def kwd(row: coerce.Row, name: str) -> Decimal | None:
    return money.from_reply(row.number(name))


def read(raw: Mapping[str, Any], fields: tuple[Field, ...]) -> coerce.Row:
    return coerce.Row(raw, fields)


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
