"""Take over invoices that Sadad made: bills of subscriptions and plans, payments through links, and those of
its panel, which may be for an object of the shop's. All of them become rows here and nowhere else.

Such an invoice gets a row like any other and is settled by the same service. Nothing of ours was sent for it:
it is held against what it was taken over with. The interleavings:

===========================================  ============================================================
What happens                                 Why it is taken over once, and paid once
===========================================  ============================================================
The webhook and a background run, or two     The unique Sadad id refuses the second row; the loser takes
workers, take it over at once                the row that is there, and both settle that one.
Killed after the row, before settling        The row is open and due: reconcile looks at it.
Killed after settling, before anybody is     The settling transaction made its subscription or plan due
told                                         (``owners.wake``): the next run tells.
Its amount or reference is not the expected  The row holds ours; settling records the mismatch, applies
one                                          nothing and asks a person.
It was taken over before, by a link that     The row is claimed by what made it, if amount and reference
was not known                                are those expected; else a person is asked.
Our own checkout made it, or it is for       It is never claimed: ``CannotAdopt``.
another object of the shop's
It was taken over for nobody, and is to be   It is linked while it is open. Paid, it counted for nobody, and
linked to an object of the shop's            that is not changed behind staff's back: ``CannotAdopt``.
It is the bill of two parts                  The second is refused: ``link`` raises ``CannotAdopt``, and
                                             nothing of it is stored.
===========================================  ============================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from django_sadadpay import money
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Invoice, InvoiceLine, Mirror
from django_sadadpay.models.base import AccountRow, exact
from django_sadadpay.services import attention, clock, opening, plain, schedule, settlement, transactions
from django_sadadpay.services.drafts import Plan
from django_sadadpay.services.ledger import Origin, change, created
from django_sadadpay.services.snapshots import Snapshot

#: ``made_from`` of an invoice of which nothing tells more.
PANEL = "panel"
#: Types of invoices that payers make on a link's page (contract 3.2: lineage) → kind of link.
LINK_TYPES = {"paymentlink": "paymentlink", "order": "productlink"}


#: What ties the invoice to a part of its maker.
Link = Callable[[Invoice], object]


class CannotAdopt(Exception):
    """``what`` speaks against it: ``ours`` differs from ``theirs``. Nothing was stored."""

    def __init__(self, what: str, ours: str, theirs: str) -> None:
        super().__init__(what)
        self.what, self.ours, self.theirs = what, ours, theirs


@dataclass(frozen=True)
class Expected:
    """What is known of an invoice before it is taken over.

    :ivar made_from: ``subscription:5``, ``installmentplan:3``, ``paymentlink:12``; a kind alone where it is
        not known which one made it; ``panel``.
    :ivar amount: KWD that it must ask for; None: nothing of ours says.
    :ivar reference: its ``ref_Number``; None: as for the amount.
    :ivar plan: of the shop's object that it is for; None: of none.
    """

    made_from: str
    amount: Decimal | None = None
    reference: str | None = None
    plan: Plan | None = None


def maker(row: Mirror) -> str:
    """``Invoice.made_from`` of what this object makes."""
    return attention.subject_of(row)


def find(row: AccountRow, sadad_id: str) -> Invoice | None:
    """Our row of an invoice at Sadad, whoever made it."""
    return Invoice.objects.filter(account=row.account, environment=row.environment, sadad_id=sadad_id).first()


def adopt(
    row: AccountRow, snapshot: Snapshot, expected: Expected, origin: Origin, link: Link | None = None
) -> Invoice:
    """Take an invoice over and settle what the snapshot says. The same row however often it is called.

    :param row: whose account and environment it is of.
    :param link: called in the transaction that takes it over; may raise ``CannotAdopt``.
    :raises CannotAdopt: it is no bill that we can hold, or it belongs elsewhere. Nothing was stored.
    :raises InsideTransaction: a transaction is open.
    """
    transactions.ensure_outside()
    invoice = transactions.run(partial(_take, row, snapshot.record, expected, origin, link))
    return settlement.settle(invoice.pk, snapshot, origin).invoice


def _take(
    row: AccountRow, record: InvoiceRecord, expected: Expected, origin: Origin, link: Link | None
) -> Invoice:
    invoice = find(row, record.id)
    if invoice is not None:
        invoice = _claim(invoice, record, expected, origin)
    else:
        invoice = _made_once(row, record, expected, origin)
    if link is not None:
        link(invoice)
    return invoice


def _made_once(row: AccountRow, record: InvoiceRecord, expected: Expected, origin: Origin) -> Invoice:
    try:
        with transaction.atomic(using=transactions.alias()):
            return _create(row, record, expected, origin)
    except IntegrityError:
        there = find(row, record.id)
        if there is None:
            raise
        return _claim(there, record, expected, origin)  # somebody was quicker


def _create(row: AccountRow, record: InvoiceRecord, expected: Expected, origin: Origin) -> Invoice:
    """It takes no open slot: when the basket changes, checkout would delete at Sadad what is not ours."""
    now, plan = clock.now(), expected.plan
    reference = opening.new_reference(record.code if plan is None else plan.shop_reference)
    whose = _nobodys(record, expected, reference) if plan is None else _objects(record, expected, plan)
    invoice = Invoice.objects.create(
        **whose,
        account=row.account,
        environment=row.environment,
        reference=reference,
        state=Invoice.State.OPEN,
        kind=plain.text(record.type, 30) or (plan.kind if plan else ""),
        made_from=expected.made_from,
        sadad_id=record.id,
        ref_number=plain.text(record.ref_number if expected.reference is None else expected.reference, 200),
        created_at=min(record.created_at or now, now),
        expires_at=record.expires_at or now + schedule.WATCH,
        next_check_at=now,
    )
    _write_lines(invoice, plan)
    created(invoice, origin, now)
    return invoice


def _nobodys(record: InvoiceRecord, expected: Expected, reference: str) -> dict[str, Any]:
    """Columns of an invoice that is for no object of the shop's."""
    amount = _amount(record, expected)
    return {
        "shop_reference": plain.text(expected.reference or record.ref_number or record.code, 100),
        "object_id": reference,
        "object_key": exact("", reference),
        "shop_currency": money.KWD,
        "shop_amount": amount,
        "amount": amount,
        "language": record.lang.lower() if record.lang.lower() in ("ar", "en") else "ar",
        "customer": _customer(record),
    }


def _objects(record: InvoiceRecord, expected: Expected, plan: Plan) -> dict[str, Any]:
    """Columns that tie an invoice to an object of the shop's."""
    amount, theirs = _amount(record, expected), _customer(record)
    return {
        "shop_reference": plan.shop_reference,
        "payable": plan.payable.name,
        "object_id": plan.object_id,
        "object_key": plan.object_key,
        "purpose": plan.purpose,
        "shop_currency": plan.currency,
        "shop_amount": plan.shop_amount,
        "rate": plan.rate if plan.currency == money.KWD else round(amount / plan.shop_amount, 9),
        "amount": amount,
        "lines_digest": plan.digest,
        "language": plan.language,
        "customer": theirs if theirs["name"] else plan.customer,
        "request": {**plan.request, "return_url": "", "expiry_date": ""},
    }


def _write_lines(invoice: Invoice, plan: Plan | None) -> None:
    """The object's own: what the panel wrote on it stands in the raw reply."""
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=place,
            name=line.name,
            quantity=line.quantity,
            amount=line.amount,
            supplier_id=line.supplier_id,
        )
        for place, line in enumerate(plan.lines if plan else (), 1)
    )


def _amount(record: InvoiceRecord, expected: Expected) -> Decimal:
    """:raises CannotAdopt: there is none above zero."""
    amount = money.from_reply(record.amount) if expected.amount is None else expected.amount
    if not amount or amount < 0:
        raise CannotAdopt("amount", "–" if amount is None else f"{amount:.3f}", str(record.amount)[:40])
    return amount


def _customer(record: InvoiceRecord) -> dict[str, Any]:
    return {
        "name": plain.text(record.customer_name, 200),
        "mobile": plain.text(record.customer_mobile, 50),
        "email": plain.text(record.customer_email, 254),
    }


def _claim(invoice: Invoice, record: InvoiceRecord, expected: Expected, origin: Origin) -> Invoice:
    """An invoice that is here already: taken over for the same, or for nothing in particular."""
    invoice = transactions.lock(Invoice, invoice.pk)
    if expected.plan is not None:
        return _claim_for(invoice, _objects(record, expected, expected.plan), expected.plan, origin)
    if invoice.made_from == expected.made_from:
        return invoice
    kind = expected.made_from.partition(":")[0]
    if invoice.payable or invoice.made_from not in (PANEL, kind):
        raise CannotAdopt("made_from", expected.made_from, invoice.made_from or "checkout")
    if expected.amount is not None and expected.amount != invoice.amount:
        raise CannotAdopt("amount", f"{expected.amount:.3f}", f"{invoice.amount:.3f}")
    if expected.reference is not None and expected.reference != invoice.ref_number:
        raise CannotAdopt("reference", expected.reference or "–", invoice.ref_number or "–")
    params = {"made_from": [invoice.made_from, expected.made_from]}
    change(invoice, "claimed", origin, clock.now(), params=params, made_from=expected.made_from)
    return invoice


def _claim_for(invoice: Invoice, columns: dict[str, Any], plan: Plan, origin: Origin) -> Invoice:
    """One that is here already, for an object of the shop's."""
    if is_held(invoice, plan.object_key):
        raise CannotAdopt("held", plan.shop_reference, invoice.shop_reference)
    if invoice.payable:
        return invoice
    if invoice.state != Invoice.State.OPEN:
        raise CannotAdopt("settled", Invoice.State.OPEN, invoice.state)
    change(invoice, "claimed", origin, clock.now(), params={"payable": plan.payable.name}, **columns)
    _write_lines(invoice, plan)
    return invoice


def is_held(invoice: Invoice, object_key: str) -> bool:
    """Whether it is for something else than this object of the shop's."""
    if invoice.payable:
        return invoice.object_key != object_key
    return invoice.made_from != PANEL
