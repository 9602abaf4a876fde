"""Refunds: asked for, sent at most once each, one at a time for an invoice (money-flow 5).

    requested ──► sending ──► done | refused | unknown          unknown ──► done | did_not_happen

What can go wrong between two commits, and what the row says then:
 before ``sending``   nothing was sent; the row waits and is sent by background work
 after ``sending``    it may have been sent; it is never sent again, only looked at
"""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError

from django_sadadpay import money
from django_sadadpay.gateway.client import WARM_SECONDS
from django_sadadpay.gateway.errors import (
    AuthenticationError,
    InvalidRequest,
    Rejected,
    SadadError,
    Unavailable,
)
from django_sadadpay.gateway.records import RefundReceipt
from django_sadadpay.models import Invoice, InvoiceEvent, Refund
from django_sadadpay.models.base import exact
from django_sadadpay.services import clock, gateway, hooks, keys, plain, refund_book, schedule, transactions
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.ledger import Origin, append
from django_sadadpay.services.looking import look
from django_sadadpay.services.points import point

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

State, Source = Refund.State, InvoiceEvent.Source
#: A process that was stopped for longer between its commit and the call does not send (seconds).
_SEND_WITHIN = 30.0


def refund(
    invoice: Invoice,
    amount: Decimal | int | str | None = None,
    *,
    reason: str,
    by: AbstractBaseUser | None = None,
    key: str | None = None,
) -> Refund:
    """Give back ``amount`` KWD, or all that is left. Returns the refund in whatever state it reached.

    :param amount: KWD, at most three places; None: what is left, decided under the lock.
    :param key: the same key gives the same refund, so that a double click refunds once.
    :raises InsideTransaction: a transaction is open.
    :raises Refused: here, before anything was stored: ``not_paid``, ``exceeds_left``, ``nothing_left``,
        ``key_used``, ``parked``.
    """
    transactions.ensure_outside()
    wanted = None if amount is None else _positive(amount)
    origin = Origin(Source.STAFF if by else Source.SHOP, by)
    if gateway.is_parked(invoice):
        raise Refused("parked", invoice=invoice)
    name = _key(key)
    row = transactions.run(lambda: _request(invoice.pk, wanted, plain.text(reason, 250), name, origin))
    point("refund.requested")
    try:
        send_waiting(invoice.pk, origin, asked=row.pk)
    except (TryAgain, DatabaseError, InterfaceError):
        pass  # it is stored, and may be sent: "try again" would be wrong; the row says what is known
    return Refund.objects.get(pk=row.pk)


def left(invoice: Invoice) -> Decimal:
    """What may still be refunded, in KWD; decided again under the lock when it is."""
    return refund_book.left(invoice)


def send_waiting(invoice_pk: int, origin: Origin, *, asked: int | None = None) -> None:
    """Send the waiting refunds of an invoice in turn, until one is in flight or none is left.

    :param asked: the refund whose outcome the caller shows; of any other's refusal a person is told.

    Gateway failures end it quietly: the rows say what is known, and background work goes on.
    """
    while _waiting(invoice_pk):
        since = clock.now()
        try:
            _prepare(invoice_pk, origin)
        except (SadadError, Refused) as error:
            keys.note(Invoice.objects.get(pk=invoice_pk), error)
            transactions.run(partial(_postpone, invoice_pk))
            return
        point("refund.prepared")
        began = time.monotonic()
        row = hooks.run(partial(_claim, invoice_pk, since, origin, asked))
        if row is None:
            return
        if row.state == State.SENDING and not _send(row, began, origin, asked):
            return


def look_at(refund_pk: int, origin: Origin) -> None:
    """Background: a refund whose outcome is unknown is looked at; one left ``sending`` by a dead process
    becomes unknown.

    Whether the look worked or not, the row is looked at again later, and a person is asked when it took too
    long.

    :raises SadadError: Sadad could not be asked. :raises Refused: the row is parked.
    """
    row = Refund.objects.select_related("invoice").get(pk=refund_pk)
    if row.state == State.SENDING:
        transactions.run(partial(_abandoned, refund_pk, row.invoice_id, origin))
        point("refund.abandoned")
    try:
        look(row.invoice, origin)
    finally:
        hooks.run(partial(_next_look, refund_pk, row.invoice_id, origin))


def decide(refund_pk: int, *, happened: bool, by: AbstractBaseUser) -> Refund:
    """A person says what became of an unknown refund; "did not happen" alone frees the amount.

    :raises Refused: ``no_longer_waiting``: it is not unknown any more.
    """

    invoice_pk = _invoice_of(refund_pk)

    def block() -> Refund:
        row, invoice = _locked(refund_pk, invoice_pk)
        if row.state != State.UNKNOWN:
            raise Refused("no_longer_waiting", invoice=invoice)
        now, origin = clock.now(), Origin(Source.STAFF, by)
        state = State.DONE if happened else State.DID_NOT_HAPPEN
        values = {"decided_by": by, "decided_by_name": origin.by_name}
        refund_book.finish(row, invoice, state, origin, now, found="decided", **values)
        refund_book.attribute(invoice, origin, now)
        return row

    return hooks.run(block)


def retry_hook(refund_pk: int) -> None:
    """Call ``Payable.refunded()`` again for a refund of which the order does not know yet."""

    invoice_pk = _invoice_of(refund_pk)

    def block() -> None:
        row, invoice = _locked(refund_pk, invoice_pk)
        refund_book.tell(row, invoice, clock.now())

    transactions.run(block)


# Request


def _positive(amount: Decimal | int | str) -> Decimal:
    try:
        wanted = money.parse(amount)
    except money.MoneyError as error:
        raise Refused("bad_amount", field="amount") from error
    if wanted <= 0:
        raise Refused("bad_amount", field="amount")
    return wanted


def _key(key: str | None) -> str | None:
    """As it is stored, so that no database takes "Form-1" for "form-1"."""
    if not key:
        return None
    if len(key) > 100 or not key.isprintable():
        raise Refused("bad_key", field="key")
    return exact(key)


def _request(pk: int, wanted: Decimal | None, reason: str, key: str | None, origin: Origin) -> Refund:
    invoice, now = transactions.lock(Invoice, pk), clock.now()
    known = invoice.refunds.filter(key=key).first() if key else None
    if known is not None:
        if wanted is not None and wanted != known.amount:
            raise Refused("key_used", field="key", invoice=invoice)
        return known
    if not invoice.is_paid:
        raise Refused("not_paid", invoice=invoice)
    amount = _affordable(invoice, wanted)
    row = Refund.objects.create(
        account=invoice.account,
        environment=invoice.environment,
        invoice=invoice,
        amount=amount,
        reason=reason,
        key=key,
        by=origin.user,
        by_name=origin.by_name,
        created_at=now,
        next_check_at=now,
    )
    params = {"refund": row.pk, "amount": f"{amount:.3f}"}
    append(invoice, "refund_requested", origin, now, params=params)
    return row


def _affordable(invoice: Invoice, wanted: Decimal | None) -> Decimal:
    left = refund_book.left(invoice)
    if left <= 0:
        raise Refused("nothing_left", field="amount", invoice=invoice)
    if wanted is not None and wanted > left:
        raise Refused("exceeds_left", field="amount", invoice=invoice)
    return left if wanted is None else wanted


# Send


def _waiting(invoice_pk: int) -> bool:
    rows = Refund.objects.filter(invoice=invoice_pk)
    if rows.filter(in_flight_slot__isnull=False).exists():
        return False
    return rows.filter(state=State.REQUESTED).exists()


def _prepare(invoice_pk: int, origin: Origin) -> None:
    """All that may fail without a trace: what Sadad says was refunded so far, and a token that lasts."""
    invoice = look(Invoice.objects.get(pk=invoice_pk), origin)
    gateway.client_of(invoice).warm()


def _claim(invoice_pk: int, since: datetime, origin: Origin, asked: int | None = None) -> Refund | None:
    """The oldest waiting refund becomes ``sending`` and takes the invoice's only place in flight.

    :param since: only a reply that was asked for after this, and was believed, is a ground to send.
    """
    invoice, now = transactions.lock(Invoice, invoice_pk), clock.now()
    rows = Refund.objects.filter(invoice=invoice)
    if rows.filter(in_flight_slot__isnull=False).exists():
        return None
    row = rows.filter(state=State.REQUESTED).order_by("pk").first()
    if row is None:
        return None
    if refund_book.is_held(invoice) or invoice.fetch_began_at is None or invoice.fetch_began_at < since:
        _postpone_rows(invoice, now)
        return None
    spent = refund_book.expected(invoice) + row.amount > invoice.paid_amount
    if spent or refund_book.says_refunded(invoice):
        # Refunded in the panel meanwhile: sending it could only give back money that is not there.
        refund_book.finish(row, invoice, State.REFUSED, origin, now, error_code="exceeds_left")
        _tell_refused(row, invoice, now, asked)
        return row
    refund_book.update(
        row,
        state=State.SENDING,
        in_flight_slot=invoice.pk,
        refunded_before=refund_book.expected(invoice),
        sent_at=now,
        next_check_at=now + schedule.BUSY,
    )
    append(invoice, "refund_sending", origin, now, params={"refund": row.pk, "amount": f"{row.amount:.3f}"})
    return row


def _send(row: Refund, began: float, origin: Origin, asked: int | None) -> bool:
    """Send it, once. True when the invoice is free for the next one."""
    point("refund.claimed")
    state, values = _ask(row, began)
    point("refund.answered")
    ended = hooks.run(partial(_end, row.pk, row.invoice_id, state, values, origin, asked))
    point("refund.ended")
    if ended.state == State.DONE:
        try:
            look(ended.invoice, origin)
        except (SadadError, Refused):
            pass  # the refund is done; Sadad's own figure is read by reconcile
    return ended.state != State.UNKNOWN


def _ask(row: Refund, began: float) -> tuple[str, dict[str, str]]:
    """Refund/insert. Only what is surely a refusal, or surely was not sent, ends it as refused."""
    if time.monotonic() - began > _SEND_WITHIN:
        return State.REFUSED, {"error_code": "not_sent"}
    try:
        receipt = _insert(row)
    except (AuthenticationError, InvalidRequest, Unavailable) as error:
        keys.note(row, error)
        return State.REFUSED, {"error_code": "not_sent"}
    except Rejected as error:
        return State.REFUSED if error.refusal else State.UNKNOWN, {
            "error_code": plain.text(error.error_key, 80)
        }
    except SadadError as error:
        return State.UNKNOWN, {"error_code": type(error).__name__}
    return State.DONE, {"sadad_refund_id": plain.text(receipt.refund_id, 60)}


def _insert(row: Refund) -> RefundReceipt:
    client = gateway.client_of(row)
    return client.refunds.insert(row.invoice.sadad_id or "", row.amount, min_token_seconds=WARM_SECONDS)


def _end(
    pk: int, invoice_pk: int, state: str, values: dict[str, str], origin: Origin, asked: int | None = None
) -> Refund:
    row, invoice = _locked(pk, invoice_pk)
    now = clock.now()
    if row.state not in Refund.IN_FLIGHT:
        return row  # resolved by somebody who looked meanwhile
    if state == State.UNKNOWN:
        _to_unknown(row, invoice, origin, now, **values)
    else:
        refund_book.finish(row, invoice, state, origin, now, **values)
        _tell_refused(row, invoice, now, asked)
    refund_book.attribute(invoice, origin, now)
    return row


def _tell_refused(row: Refund, invoice: Invoice, now: datetime, asked: int | None) -> None:
    if row.state == State.REFUSED and row.pk != asked:
        refund_book.ask_refused(row, invoice, now)


def _to_unknown(row: Refund, invoice: Invoice, origin: Origin, now: datetime, **values: str) -> None:
    refund_book.update(row, state=State.UNKNOWN, next_check_at=now + schedule.MINUTE, **values)
    append(invoice, "refund_unknown", origin, now, params={"refund": row.pk, "code": row.error_code})


def _abandoned(refund_pk: int, invoice_pk: int, origin: Origin) -> None:
    row, invoice = _locked(refund_pk, invoice_pk)
    now = clock.now()
    if row.state == State.SENDING and row.sent_at is not None and now - row.sent_at >= schedule.BUSY:
        _to_unknown(row, invoice, origin, now, error_code="abandoned")


def _next_look(refund_pk: int, invoice_pk: int, origin: Origin) -> None:
    row, invoice = _locked(refund_pk, invoice_pk)
    now = clock.now()
    refund_book.attribute(invoice, origin, now)
    row.refresh_from_db(fields=["state"])
    if row.state in Refund.IN_FLIGHT:
        refund_book.update(row, next_check_at=schedule.next_unpaid_check(now, row.sent_at or row.created_at))


def _postpone(invoice_pk: int) -> None:
    _postpone_rows(transactions.lock(Invoice, invoice_pk), clock.now())


def _postpone_rows(invoice: Invoice, now: datetime) -> None:
    for row in Refund.objects.filter(invoice=invoice, state=State.REQUESTED):
        refund_book.update(row, next_check_at=schedule.next_unpaid_check(now, row.created_at))


def _invoice_of(refund_pk: int) -> int:
    """Read before the transaction: its first statement must be its lock (money-flow 9)."""
    return Refund.objects.values_list("invoice", flat=True).get(pk=refund_pk)


def _locked(refund_pk: int, invoice_pk: int) -> tuple[Refund, Invoice]:
    """Refund and invoice, locked in the one order: invoice, then refund."""
    invoice = transactions.lock(Invoice, invoice_pk)
    row = transactions.lock(Refund, refund_pk)
    row.invoice = invoice
    return row, invoice
