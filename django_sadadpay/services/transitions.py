"""An invoice's states other than paid (money-flow 2, 3): what a reading moves, who is told, when to look
again.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.dispatch import Signal

from django_sadadpay import signals
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.services import attention, clock, hooks, schedule, transactions
from django_sadadpay.services.facts import EXPIRED, PAID_WORDS, Reading
from django_sadadpay.services.ledger import Origin, change

State, Closing = Invoice.State, Invoice.Closing
#: The buyer can no longer pay these through us; a payment found on one is not applied without a look at
#: what is due.
DEAD = (State.CANCELLED, State.EXPIRED, State.REFUSED, State.UNKNOWN, State.LOST)


def follow(invoice: Invoice, reading: Reading, origin: Origin, now: datetime) -> None:
    """Take over what the newest fetch says of an unpaid invoice that is locked."""
    if reading.cancelled or reading.word == EXPIRED:
        _end(invoice, reading, origin, now)
    elif invoice.state == State.NEW:
        # A payment that was applied meanwhile wants this link withdrawn before anybody sees it.
        state = State.SUPERSEDING if invoice.closing else State.OPEN
        change(invoice, "opened", origin, now, state=state, error_code="", busy_until=None)


def _end(invoice: Invoice, reading: Reading, origin: Origin, now: datetime) -> None:
    if invoice.state == State.UNKNOWN:
        change(invoice, "given_up", origin, now, state=State.LOST)
    elif invoice.state in Invoice.PAYABLE:
        close(invoice, _ended_as(invoice, reading), origin, now)


def _ended_as(invoice: Invoice, reading: Reading) -> str:
    if invoice.closing:
        return State.EXPIRED if invoice.closing == Closing.EXPIRY else State.CANCELLED
    return State.EXPIRED if reading.word == EXPIRED else State.CANCELLED


def close(invoice: Invoice, state: str, origin: Origin, now: datetime) -> None:
    """End a locked invoice that can no longer be paid, free its slot, and tell the shop if it is the shop's
    business.
    """
    told = invoice.closing in ("", Closing.CANCEL, Closing.EXPIRY) and not may_be_paid(invoice)
    change(invoice, str(state), origin, now, state=state, open_slot=None, busy_until=None)
    if told and not paid_elsewhere(invoice) and not _can_be_paid_by_another(invoice):
        _tell(invoice, state, now)


def _can_be_paid_by_another(invoice: Invoice) -> bool:
    """One that was taken over holds no open slot: the order may have a link of its own meanwhile."""
    return Invoice.objects.filter(open_slot=invoice.slot).exclude(pk=invoice.pk).exists()


def _tell(invoice: Invoice, state: str, now: datetime) -> None:
    hook, signal = (
        (hooks.expired, signals.invoice_expired)
        if state == State.EXPIRED
        else (hooks.cancelled, signals.invoice_cancelled)
    )
    result = hook(invoice)
    if result.code in (Attention.Code.HOOK_FAILED, Attention.Code.CANNOT_FULFIL):
        error = result.params.get("error", "CannotFulfil")
        attention.ask(Attention.Code.END_HOOK_FAILED, now, invoice, invoice=invoice, error=error)
    announce(signal, invoice)


def announce(signal: Signal, invoice: Invoice, **extra: object) -> None:
    """Send after commit; a receiver that raises is logged by Django and disturbs nobody."""
    send = partial(signal.send_robust, sender=Invoice, invoice=invoice, **extra)
    transaction.on_commit(send, using=transactions.alias(), robust=True)


def may_be_paid(invoice: Invoice) -> bool:
    """Sadad called it paid in a reply that differed from ours: whatever a person made of that, it is no
    unpaid invoice.

    It is not handed out again, and the order is not told that it ran out.
    """
    codes = (Attention.Code.MISMATCH, Attention.Code.ID_CONFLICT)
    rows = invoice.attention.filter(code__in=codes)
    return any(str(row.params.get("status", "")).casefold() in PAID_WORDS for row in rows)


def lose(invoice: Invoice, origin: Origin, now: datetime) -> None:
    """Nobody knows what became of a row in the making: it gives up its slot; its link was shown to nobody."""
    change(
        invoice,
        "unknown",
        origin,
        now,
        state=State.UNKNOWN,
        open_slot=None,
        closing=Closing.ORPHAN,
        busy_until=None,
        next_check_at=now + schedule.MINUTE,
    )


def paid_elsewhere(invoice: Invoice) -> bool:
    return Invoice.objects.filter(paid_slot=invoice.slot).exclude(pk=invoice.pk).exists()


def holder_of_id(invoice: Invoice, sadad_id: str) -> Invoice | None:
    """Another row of the account and environment that holds this Sadad id."""
    rows = Invoice.objects.filter(account=invoice.account, environment=invoice.environment, sadad_id=sadad_id)
    return rows.exclude(pk=invoice.pk).first()


def withdraw_others(paid: Invoice, origin: Origin) -> None:
    """After a payment was applied, mark the object's newer open invoice for deletion. Not inside a
    transaction.

    ``checkout`` looks for an applied payment after it has committed its row, so that one of the two always
    sees the other.
    """
    for pk in Invoice.objects.filter(open_slot=paid.slot).exclude(pk=paid.pk).values_list("pk", flat=True):
        transactions.run(partial(withdraw, pk, origin, Closing.PAID))


def withdraw(pk: int, origin: Origin, why: str) -> Invoice:
    """Mark an invoice for deletion at Sadad, in the caller's transaction; background work finishes it if
    nobody else does.
    """
    invoice = transactions.lock(Invoice, pk)
    now = clock.now()
    if invoice.state == State.OPEN:
        change(
            invoice,
            "withdrawn",
            origin,
            now,
            params={"why": why},
            state=State.SUPERSEDING,
            closing=why,
            next_check_at=now,
        )
    elif invoice.state == State.NEW and not invoice.closing:
        change(invoice, "withdrawn", origin, now, params={"why": why}, closing=why)
    elif invoice.state == State.SUPERSEDING and why == Closing.CANCEL:
        change(
            invoice, "withdrawn", origin, now, params={"why": why}, closing=why
        )  # a person waits for the answer
    return invoice


def reschedule(invoice: Invoice, now: datetime) -> None:
    """Set when reconcile looks at the row next; None once nothing more can happen to it."""
    invoice.next_check_at = _next_check(invoice, now)


def _next_check(invoice: Invoice, now: datetime) -> datetime | None:
    state = invoice.state
    if state == State.PAID:
        in_doubt = _is_fresh_doubt(invoice, now)
        paid = invoice.recorded_at or invoice.created_at
        return now + schedule.MINUTE if in_doubt else schedule.next_paid_check(now, paid)
    if state in DEAD and not is_watched(invoice, now):
        return None
    # never in the past: a row that stays as it is must not keep a run busy with itself
    thinning = schedule.next_unpaid_check(now, invoice.created_at)
    return max(invoice.busy_until or now, thinning) if state in Invoice.PAYABLE else thinning


def _is_fresh_doubt(invoice: Invoice, now: datetime) -> bool:
    """A second look soon tells; not if looks fail, or a person was asked already."""
    if invoice.doubt is None or invoice.doubt.get("asked") or invoice.fetch_ended_at is None:
        return False
    return now - invoice.fetch_ended_at < schedule.HOUR


def is_watched(invoice: Invoice, now: datetime) -> bool:
    """Until 7 days after its expiry a payment on a dead invoice is looked for (money-flow 3.5)."""
    known = invoice.sadad_id is not None or invoice.state == State.UNKNOWN
    return known and now < invoice.expires_at + schedule.WATCH
