"""Checkout: one open invoice for an object and purpose, however many tabs ask (money-flow 3).

Decide under the lock and commit; call Sadad; decide again. The steps of a decision are data
(:class:`Step`), so that no lock
is ever held while Sadad is asked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError

from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.models import Invoice, InvoiceEvent
from django_sadadpay.registry import DraftError, Payable, payables
from django_sadadpay.services import (
    attention,
    cancelling,
    clock,
    drafts,
    gateway,
    keys,
    links,
    opening,
    orphans,
    schedule,
    transactions,
    transitions,
)
from django_sadadpay.services.drafts import Plan
from django_sadadpay.services.errors import AlreadyPaid, NeedsAttention, OutcomePending, Refused, TryAgain
from django_sadadpay.services.ledger import Origin, change
from django_sadadpay.services.points import point

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.http import HttpRequest

State, Closing, Source = Invoice.State, Invoice.Closing, InvoiceEvent.Source
#: A lost answer gives the slot to one more row; a second lost answer is left to background work.
_INSERTS = 2
_ROUNDS = 8
#: Another request is making the invoice: wait for it this long, looking this often (seconds).
_PATIENCE, _PAUSE = 8.0, 0.2


@dataclass(frozen=True)
class Step:
    """What the decision came to: ``hand_out``, ``send``, ``read_back``, ``replace``, ``lost``, ``wait``."""

    do: str
    invoice: Invoice | None = None


def checkout(obj: Any, *, request: HttpRequest | None = None, name: str = "") -> Invoice:
    """The invoice with which ``obj`` is paid now; ``invoice.pay_url`` is where the buyer goes. Idempotent.

    At most two gateway calls when a new invoice is made (insert, getbyid), none when the open one is good.

    :param obj: an instance of a registered model; for a payable without a model its key, with ``name``.
    :param request: for ``Payable.can_pay`` and, without ``SITE_URL``, for absolute addresses.
    :raises InsideTransaction: a transaction is open. :raises AlreadyPaid, NothingToPay, NeedsAttention:
        nothing to do.
    :raises Refused: here (bad draft) or by Sadad. :raises TryAgain: surely nothing was done.
    :raises OutcomePending: another request is at it, or unknown.
    """
    transactions.ensure_outside()
    payable = _payable(obj, name)
    plan = _plan(payable, obj, request)
    origin = Origin(Source.CHECKOUT)
    inserts, patience = 0, time.monotonic() + _PATIENCE
    for _ in range(_ROUNDS + int(_PATIENCE / _PAUSE)):
        began = time.monotonic()
        step = _decide(plan, request, origin, may_send=inserts < _INSERTS)
        if step.do == "hand_out" and step.invoice is not None:
            return step.invoice
        if step.do == "wait":
            _wait(patience)
            continue
        if step.do == "send":
            inserts += 1
        try:
            row = _act(step, began, origin)
        except OutcomePending:
            if step.do != "send" or inserts >= _INSERTS:
                raise
        else:
            if row is not None and row.is_paid:
                return row  # paid before it was even shown: by webhook or in the panel
    raise OutcomePending


def cancel(invoice: Invoice, *, by: AbstractBaseUser | None = None) -> Invoice:
    """Delete an open invoice at Sadad and read back what became of it.

    :raises AlreadyPaid: a payment was faster. :raises Refused: it is not open, or Sadad did not cancel it.
    :raises TryAgain: Sadad could not be asked; it is tried again in the background.
    """
    transactions.ensure_outside()
    origin = Origin(Source.STAFF if by else Source.SHOP, by)
    row = transactions.run(lambda: _withdraw_open(invoice.pk, origin))
    try:
        row = cancelling.finish(row.pk, origin)
    except SadadError as error:
        raise TryAgain(invoice=row) from error
    if row.is_paid:
        raise AlreadyPaid(invoice=row)
    if row.state in Invoice.PAYABLE:
        raise Refused("cannot_cancel", invoice=row)
    return row


def _withdraw_open(pk: int, origin: Origin) -> Invoice:
    row = transitions.withdraw(pk, origin, Closing.CANCEL)
    if row.is_paid:
        raise AlreadyPaid(invoice=row)
    if row.state != State.SUPERSEDING:
        raise Refused("not_open", invoice=row)
    return row


def _payable(obj: Any, name: str) -> Payable[Any]:
    payable = payables.get(name) if name else payables.for_object(obj)
    if payable is None:
        raise Refused("not_payable")
    return payable


def _plan(payable: Payable[Any], obj: Any, request: HttpRequest | None) -> Plan:
    if not payable.can_pay(obj, request):
        raise Refused("not_payable")
    try:
        return drafts.plan(payable, obj, clock.now())
    except DraftError as error:
        raise Refused("bad_draft", field=error.field) from error


# Decide


def _decide(plan: Plan, request: HttpRequest | None, origin: Origin, *, may_send: bool) -> Step:
    """One look at the object's rows, in one transaction, without any call."""
    held = Invoice.objects.filter(open_slot=plan.slot).values_list("pk", flat=True).first()
    if held is None and not may_send:
        raise OutcomePending  # what was sent did not become an open invoice; background work finds out why
    if held is None:
        return _start(plan, request, origin)
    return transactions.run(lambda: _decide_held(held, plan, origin))


def _start(plan: Plan, request: HttpRequest | None, origin: Origin) -> Step:
    _warm(plan)

    def block() -> Step:
        _refuse_if_settled(plan)
        return Step(
            "send", opening.create(plan, partial(links.return_url, request=request), origin, clock.now())
        )

    try:
        return transactions.run(block)
    except IntegrityError:
        return Step("again")  # another request has taken the slot; look at its row


def _warm(plan: Plan) -> None:
    """A token before the row: a gateway that cannot be reached leaves nothing behind."""
    try:
        gateway.client_for(plan.account).warm()
    except SadadError as error:
        keys.note(Invoice(account=plan.account.name, environment=plan.account.environment), error)
        raise TryAgain from error


def _refuse_if_settled(plan: Plan) -> None:
    """:raises AlreadyPaid, NeedsAttention: no new link while a payment counts, or waits for a person
    (money-flow 3.7).
    """
    paid = Invoice.objects.filter(paid_slot=plan.slot).first()
    if paid is not None and paid.handled_at is not None:
        raise AlreadyPaid(invoice=paid)
    # The purpose is compared here: MariaDB would take "Deposit" for "deposit".
    rows = [row for row in Invoice.objects.filter(object_key=plan.object_key) if row.slot == plan.slot]
    waiting = attention.blocking(rows)
    if waiting is not None:
        raise NeedsAttention(invoice=waiting)
    if paid is not None:
        raise AlreadyPaid(invoice=paid)


def _decide_held(pk: int, plan: Plan, origin: Origin) -> Step:
    invoice = transactions.lock(Invoice, pk)
    now = clock.now()
    if invoice.open_slot != plan.slot:
        return Step("again")
    _refuse_if_settled(plan)
    if gateway.is_parked(invoice):
        return _park(invoice, origin, now)
    if invoice.busy_until is not None and invoice.busy_until > now:
        return Step("wait")
    if transitions.may_be_paid(invoice):
        return _set_aside(invoice, origin, now)
    if invoice.state == State.OPEN:
        return _decide_open(invoice, plan, origin, now)
    return _resume(invoice, now)


def _decide_open(invoice: Invoice, plan: Plan, origin: Origin, now: datetime) -> Step:
    if _is_same(invoice, plan) and now < invoice.expires_at - schedule.LAST_HOUR:
        return Step("hand_out", invoice)
    change(
        invoice,
        "withdrawn",
        origin,
        now,
        params={"why": Closing.BASKET},
        state=State.SUPERSEDING,
        closing=Closing.BASKET,
        busy_until=now + schedule.BUSY,
        next_check_at=now + schedule.BUSY,
    )
    return Step("replace", invoice)


def _is_same(invoice: Invoice, plan: Plan) -> bool:
    """A new rate, name or language does not matter to who pays what (money-flow 3.1)."""
    return (
        invoice.account == plan.account.name
        and invoice.shop_currency == plan.currency
        and invoice.shop_amount == plan.shop_amount
        and invoice.lines_digest == plan.digest
    )


def _resume(invoice: Invoice, now: datetime) -> Step:
    """Nobody is at it any more: the process died. Go on from what the row says."""
    step = Step("replace" if invoice.state == State.SUPERSEDING else "read_back", invoice)
    if invoice.state == State.NEW and invoice.sadad_id is None:
        return Step("lost", invoice)
    invoice.busy_until = now + schedule.BUSY
    invoice.save(update_fields=["busy_until"])
    return step


def _set_aside(invoice: Invoice, origin: Origin, now: datetime) -> Step:
    """Sadad called it paid in a reply that was not believed, and a person has dealt with that: it is only
    watched.
    """
    change(invoice, "set_aside", origin, now, state=State.CANCELLED, open_slot=None, closing=Closing.PAID)
    transitions.reschedule(invoice, now)
    invoice.save(update_fields=["next_check_at"])
    return Step("again")


def _park(invoice: Invoice, origin: Origin, now: datetime) -> Step:
    """Its account now works in the other environment: the link is never handed out again, and Sadad not
    asked.
    """
    values: dict[str, Any] = {"open_slot": None, "busy_until": None, "next_check_at": now + timedelta(days=1)}
    change(invoice, "parked", origin, now, state=State.CANCELLED, error_code="parked", **values)
    return Step("again")


# Act


def _act(step: Step, began: float, origin: Origin) -> Invoice | None:
    """Do what was decided; a row comes back when it was made or read."""
    if step.invoice is None:
        return None
    if step.do == "send":
        return _send(step.invoice, began, origin)
    if step.do == "read_back":
        return opening.read_back(step.invoice, origin)
    if step.do == "lost":
        orphans.mark_unknown(step.invoice.pk, origin)
    else:
        _replace(step.invoice, origin)
    return None


def _send(invoice: Invoice, began: float, origin: Origin) -> Invoice:
    paid = Invoice.objects.filter(paid_slot=invoice.slot).first()
    if paid is not None:  # settled between our decision and our commit; see transitions.withdraw_others
        opening.abandon(invoice.pk, origin)
        raise AlreadyPaid(invoice=paid)
    point("insert.reserved")
    return opening.send(invoice, time.monotonic() - began, origin)


def _replace(invoice: Invoice, origin: Origin) -> None:
    try:
        row = cancelling.finish(invoice.pk, origin)
    except SadadError as error:
        opening.release(invoice.pk)
        raise TryAgain(invoice=invoice) from error
    if row.is_paid:
        raise AlreadyPaid(invoice=row) if row.is_applied else NeedsAttention(invoice=row)
    if row.state == State.SUPERSEDING:
        opening.release(row.pk)
        raise NeedsAttention(invoice=row)


def _wait(patience: float) -> None:
    if time.monotonic() > patience:
        raise OutcomePending
    time.sleep(_PAUSE)
