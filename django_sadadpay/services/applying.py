"""A recorded payment counts for its object, once: the paid slot is taken and ``Payable.paid()`` called
(money-flow 4).
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from django_sadadpay import signals
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.services import (
    attention,
    clock,
    hooks,
    owners,
    refund_book,
    schedule,
    transactions,
    transitions,
)
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.facts import Reading
from django_sadadpay.services.ledger import Origin, change
from django_sadadpay.services.points import point

Code = Attention.Code
_HOOKS = (Code.HOOK_FAILED, Code.OBJECT_GONE, Code.NOT_REGISTERED, Code.CANNOT_FULFIL)
#: Cases that a payment which took effect brings to an end.
_SOLVED = (
    Code.HOOK_FAILED,
    Code.OBJECT_GONE,
    Code.NOT_REGISTERED,
    Code.CANNOT_FULFIL,
    Code.AMOUNT_CHANGED,
    Code.PAID_AFTER_CANCEL,
    Code.PAID_TWICE,
)


def apply_new(
    invoice: Invoice, reading: Reading, origin: Origin, now: datetime, *, dead_before: bool
) -> None:
    """Called once, in the transaction that recorded the payment, with the invoice locked."""
    if reading.says_refund:
        attention.ask(Code.REFUND_SEEN_FIRST, now, invoice, invoice=invoice)
        if reading.fully_refunded or invoice.refunded_amount >= invoice.paid_amount:
            return
    _apply(invoice, origin, now, dead_before=dead_before)


def retry(pk: int, origin: Origin) -> Invoice:
    """Call a hook again that did not take effect; does nothing when it did meanwhile."""

    def block() -> Invoice:
        invoice = transactions.lock(Invoice, pk)
        if invoice.is_applied and invoice.handled_at is None:
            _call(invoice, origin, clock.now())
        return invoice

    return transactions.run(block)


def apply_anyway(pk: int, origin: Origin) -> Invoice:
    """A person decides that a recorded payment counts for its object, whatever is due now; later tries keep
    to that.

    :raises Refused: it is not paid, was given back, or another payment counts already.
    """

    def block() -> Invoice:
        invoice, now = transactions.lock(Invoice, pk), clock.now()
        _refuse_to_count(invoice)
        if invoice.handled_at is None:
            invoice.due_waived = True
            invoice.save(update_fields=["due_waived"])
            _apply(invoice, origin, now)
        attention.close((Code.REFUND_SEEN_FIRST,), now, "applied", invoice=invoice, origin=origin)
        return invoice

    invoice = hooks.run(block)
    transitions.withdraw_others(invoice, origin)
    return invoice


def _refuse_to_count(invoice: Invoice) -> None:
    if not invoice.is_paid:
        raise Refused("not_paid", invoice=invoice)
    if not invoice.is_applied and transitions.paid_elsewhere(invoice):
        raise Refused("already_paid", invoice=invoice)
    if invoice.handled_at is None and _is_given_back(invoice):
        raise Refused("nothing_left", invoice=invoice)


def _is_given_back(invoice: Invoice) -> bool:
    """Seen refunded first is another matter: there a person counts it knowing that (REFUND_SEEN_FIRST)."""
    seen_first = invoice.attention.filter(code=Code.REFUND_SEEN_FIRST).exists()
    return not seen_first and refund_book.expected(invoice) >= invoice.paid_amount


def _apply(invoice: Invoice, origin: Origin, now: datetime, *, dead_before: bool = False) -> None:
    if not invoice.is_applied and not _take_slot(invoice, origin, now):
        attention.ask(Code.PAID_TWICE, now, invoice, invoice=invoice)
        return
    _call(invoice, origin, now, dead_before=dead_before)


def _take_slot(invoice: Invoice, origin: Origin, now: datetime) -> bool:
    """Only one payment of an object and purpose can hold the slot: the database says so, not we."""
    if transitions.paid_elsewhere(invoice):
        return False
    try:
        with transaction.atomic(using=transactions.alias()):
            change(invoice, "applied", origin, now, paid_slot=invoice.slot)
    except IntegrityError:
        invoice.paid_slot = None
        return False
    return True


def _call(invoice: Invoice, origin: Origin, now: datetime, *, dead_before: bool = False) -> None:
    point("settle.applied")
    result = hooks.paid(invoice, dead_before=dead_before)
    point("settle.told")
    if result.ok:
        change(invoice, "handled", origin, now, handled_at=now, next_hook_at=None)
        attention.close(_SOLVED, now, "the order was told", invoice=invoice, origin=origin)
        owners.wake(invoice, now)
        transitions.announce(signals.invoice_paid, invoice)
        _wake_refund_hooks(invoice, now)
        return
    attention.ask(result.code, now, invoice, invoice=invoice, **result.params)
    if result.code in (Code.AMOUNT_CHANGED, Code.PAID_AFTER_CANCEL):
        attention.close(_HOOKS, now, "the order asks for another amount now", invoice=invoice)
        change(invoice, "not_applied", origin, now, paid_slot=None, next_hook_at=None)
        return
    tries = invoice.hook_tries + 1
    again = schedule.back_off(now, tries) if result.retried else None
    change(
        invoice,
        "hook_failed",
        origin,
        now,
        params={"code": result.code},
        hook_tries=tries,
        next_hook_at=again,
    )


def _wake_refund_hooks(invoice: Invoice, now: datetime) -> None:
    """Refunds done before the order heard of the payment are told now."""
    invoice.refunds.filter(state="done", handled_at=None).update(next_hook_at=now)
