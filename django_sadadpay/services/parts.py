"""The parts of what makes bills: periods of a subscription, instalments of a plan, as Sadad's schedule tells
them. One store for both.

A part's invoice is linked by ``bills`` alone. What a schedule may change of it:

===========================================  ============================================================
What is told                                 What becomes of the part
===========================================  ============================================================
No invoice, where one was told before        It is kept: a reply without it, or one that was read before
                                             the invoice was made and is stored after it, tells nothing.
Another one, and the part's can be paid or   It is kept, and a person is asked: two may be paid.
is paid
Another one, and the part's ended unpaid     The other is looked at; ``bills`` links it if it agrees.
Another amount, and the part has an invoice  The amount that the invoice was held against is kept.
A part less than before                      Its row is kept, without an amount: a claim may belong to it.
===========================================  ============================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django_sadadpay import money
from django_sadadpay.gateway import coerce
from django_sadadpay.models import (
    Attention,
    Installment,
    InstallmentPlan,
    Invoice,
    Subscription,
    SubscriptionPeriod,
)
from django_sadadpay.services import attention, clock, schedule, transactions

Code = Attention.Code
Maker = Subscription | InstallmentPlan
Part = SubscriptionPeriod | Installment
#: Columns of a part.
Values = Mapping[str, Any]
#: A schedule has no more rows than this; what goes on is not read.
MOST = 2000
_LARGEST = 2**31 - 1
#: What Sadad leaves out of these is kept.
_IDS = ("sadad_id", "sadad_invoice_id")
#: What still follows Sadad once a part has its invoice.
_FREE = ("sadad_id", "bill_on", "due_on", "status")
_COLUMNS = {
    SubscriptionPeriod: ("bill_on", "amount", "status", "sadad_invoice_id"),
    Installment: ("sadad_id", "amount", "late_fees", "due_on", "status", "sadad_invoice_id"),
}
_MAKER = {SubscriptionPeriod: "subscription", Installment: "plan"}


@dataclass(frozen=True)
class Schedule:
    """What Sadad tells of one maker's parts, by number.

    :ivar whole: there are no others.
    """

    maker: Maker
    parts: Mapping[int, Values]
    whole: bool = False


def maker_of(part: Part) -> Maker:
    return part.subscription if isinstance(part, SubscriptionPeriod) else part.plan


def has_ended(invoice: Invoice) -> bool:
    """It can no longer be paid, and was not: another one may bill its part."""
    return invoice.state in (Invoice.State.EXPIRED, Invoice.State.CANCELLED)


# Store


def store(model: type[Part], schedules: Sequence[Schedule]) -> None:
    """Bring these makers' parts up to date, in the caller's transaction and under the makers' locks."""
    rows: Any = model._base_manager.using(transactions.alias())
    have: dict[int, dict[int, Part]] = {each.maker.pk: {} for each in schedules}
    for row in rows.filter(**{f"{_MAKER[model]}__in": list(have)}).select_related("invoice"):
        have[getattr(row, f"{_MAKER[model]}_id")][row.number] = row
    held = [_Held(each, have[each.maker.pk]) for each in schedules]
    changed = [part for each in held for part in (*each.changed(), *each.left_out())]
    rows.bulk_create([model(**values) for each in held for values in each.new(_MAKER[model])])
    rows.bulk_update(changed, _COLUMNS[model])
    _close_agreed([each for each in held if each.agreed()])


@dataclass(frozen=True)
class _Held:
    """What Sadad tells of one maker's parts, held against those that are here."""

    told: Schedule
    here: Mapping[int, Part]

    def new(self, maker: str) -> list[dict[str, Any]]:
        missing = (number for number in self.told.parts if number not in self.here)
        return [{maker: self.told.maker, "number": number, **self.told.parts[number]} for number in missing]

    def changed(self) -> list[Part]:
        return [part for part, values in self._both() if _take(self.told.maker, part, values)]

    def left_out(self) -> list[Part]:
        """Parts that are no more, as far as nothing was billed for them: they count for nothing."""
        rest = self.here.keys() - self.told.parts.keys() if self.told.whole else ()
        rows = [self.here[number] for number in sorted(rest)]
        gone = [part for part in rows if part.invoice is None and part.amount is not None]
        for part in gone:
            part.amount = None
        return gone

    def agreed(self) -> set[int]:
        """Numbers of parts whose schedule names the invoice that they have."""
        linked = ((part.number, part.invoice, values) for part, values in self._both())
        return {n for n, invoice, said in linked if invoice and invoice.sadad_id == said["sadad_invoice_id"]}

    def _both(self) -> list[tuple[Part, Values]]:
        found = ((self.here.get(number), values) for number, values in self.told.parts.items())
        return [(part, values) for part, values in found if part is not None]


def learn(part: Part, sadad_id: str) -> None:
    """Sadad answered that this invoice bills the part, which is locked."""
    if _take(maker_of(part), part, {"sadad_invoice_id": sadad_id}):
        part.save(update_fields=["sadad_invoice_id"])


def _take(maker: Maker, part: Part, values: Values) -> bool:
    """Whether the part changed."""
    said = {name: value for name, value in values.items() if value != "" or name not in _IDS}
    if part.invoice is not None:
        said = _beside(maker, part, part.invoice, said)
    if all(getattr(part, name) == value for name, value in said.items()):
        return False
    for name, value in said.items():
        setattr(part, name, value)
    return True


def _beside(maker: Maker, part: Part, invoice: Invoice, said: dict[str, Any]) -> dict[str, Any]:
    """What counts of a part that has its invoice already."""
    theirs = said.get("sadad_invoice_id", "")
    if has_ended(invoice):
        old = theirs == invoice.sadad_id  # an earlier read, or a schedule that lags behind
        return {name: value for name, value in said.items() if not (old and name == "sadad_invoice_id")}
    if theirs not in ("", invoice.sadad_id) and not _has_ended_before(maker, theirs):
        ask(maker, part, "invoice", invoice.sadad_id or "–", theirs, theirs)
    return {name: said[name] for name in _FREE if name in said}


def _has_ended_before(maker: Maker, sadad_id: str) -> bool:
    """An earlier bill that ended unpaid: a schedule that lags behind names it still."""
    here = Invoice.objects.filter(account=maker.account, environment=maker.environment, sadad_id=sadad_id)
    bill = here.filter(made_from=attention.subject_of(maker)).first()
    return bill is not None and has_ended(bill)


# People


def ask(maker: Maker, part: Part, what: str, ours: str, theirs: str, sadad_id: str) -> None:
    """A person has to look at the part's invoice. In the caller's transaction."""
    about: dict[str, Any] = {
        "what": what,
        "ours": ours,
        "theirs": theirs,
        "sadad_id": sadad_id,
        "number": part.number,
    }
    attention.ask(
        Code.BILL_DIFFERS, clock.now(), maker, mirror=maker, part=part.number, kind=maker.kind, **about
    )


def _close_agreed(held: Sequence[_Held]) -> None:
    """Cases about parts whose schedule names their own invoice again."""
    by_subject = {attention.subject_of(each.told.maker): each for each in held}
    cases = Attention.objects.filter(code=Code.BILL_DIFFERS, subject__in=by_subject, resolved_at=None)
    for case in cases if held else ():
        each, number = by_subject[case.subject], case.params.get("number")
        if number in each.agreed():
            codes, maker = (Code.BILL_DIFFERS,), each.told.maker
            attention.close(codes, clock.now(), "both sides agree", mirror=maker, part=number)


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


def kwd(value: object) -> Decimal | None:
    return money.from_reply(coerce.number(value))
