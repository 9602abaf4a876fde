"""Delete an invoice at Sadad and read back what became of it (money-flow 3.4, 3.6)."""

from __future__ import annotations

from functools import partial

from django_sadadpay.gateway.errors import AuthenticationError, NotFound, OutcomeUnknown, Rejected
from django_sadadpay.models import Attention, Invoice, InvoiceEvent
from django_sadadpay.services import (
    attention,
    clock,
    gateway,
    hooks,
    keys,
    schedule,
    transactions,
    transitions,
)
from django_sadadpay.services.ledger import Origin, change
from django_sadadpay.services.looking import look
from django_sadadpay.services.points import point

State, Closing = Invoice.State, Invoice.Closing
_DOUBTFUL = (Attention.Code.MISMATCH, Attention.Code.ID_CONFLICT, Attention.Code.UNKNOWN_STATUS)


def delete(invoice: Invoice, origin: Origin) -> Invoice:
    """Ask Sadad to delete it, then read it back and settle; whatever the answer was, only what is read back
    counts.

    :raises SadadError: Sadad could not be asked, or not be read back; the row stays as it is and is tried
        again.
    """
    point("delete.calling")
    try:
        gateway.client_of(invoice).invoices.delete(_id(invoice))
    except (Rejected, NotFound, OutcomeUnknown):
        pass  # refused (it may be paid) or a lost answer: reading it back tells which
    except AuthenticationError as error:
        if error.endpoint.startswith("User/"):
            raise
        keys.note(invoice, error)  # this account may not delete: refused like any other
    point("delete.answered")
    row = look(invoice, origin)
    point("delete.read")
    return row


def finish(pk: int, origin: Origin) -> Invoice:
    """Finish a withdrawn invoice: delete it, and free the slot even if Sadad keeps it payable; it stays
    watched.

    :raises SadadError: as :func:`delete`.
    """
    invoice = Invoice.objects.get(pk=pk)
    if invoice.state != State.SUPERSEDING:
        return invoice
    try:
        invoice = delete(invoice, origin)
    except NotFound:
        return hooks.run(partial(vanished, pk, origin))
    if invoice.state == State.SUPERSEDING and not is_doubtful(invoice):
        invoice = hooks.run(partial(_give_up, pk, origin))
    return invoice


def is_doubtful(invoice: Invoice) -> bool:
    """What Sadad said of it could not be believed or understood: nothing is given up on such a word."""
    return invoice.attention.filter(resolved_at=None, code__in=_DOUBTFUL).exists()


def vanished(pk: int, origin: Origin) -> Invoice:
    """Sadad does not know it any more after we deleted it, or long after it ran out: it can be paid no
    longer.

    A person is asked all the same (wrong keys look alike), and the row stays watched.
    """
    invoice, now = transactions.lock(Invoice, pk), clock.now()
    attention.ask(Attention.Code.INVOICE_NOT_FOUND, now, invoice, invoice=invoice)
    over = invoice.state == State.OPEN and now > invoice.expires_at + schedule.DELETE_AFTER
    if invoice.state == State.SUPERSEDING:
        transitions.close(invoice, State.CANCELLED, origin, now)
    elif over:
        transitions.close(invoice, State.EXPIRED, origin, now)
    elif invoice.state == State.NEW and now - invoice.created_at > schedule.BUSY:
        transitions.lose(invoice, origin, now)
    transitions.reschedule(invoice, now)
    invoice.save(update_fields=["next_check_at"])
    return invoice


def finish_withdrawn(slot: str, origin: Origin) -> None:
    """Finish what a payment of the object withdrew (transitions.withdraw_others)."""
    rows = Invoice.objects.filter(open_slot=slot, state=State.SUPERSEDING, closing=Closing.PAID)
    for pk in rows.values_list("pk", flat=True):
        finish(pk, origin)


def _give_up(pk: int, origin: Origin) -> Invoice:
    """Still unpaid and Sadad will not delete it: the buyer's link is ours no longer, but it stays watched."""
    invoice = transactions.lock(Invoice, pk)
    if invoice.state == State.SUPERSEDING:
        now = clock.now()
        if invoice.closing == Closing.CANCEL:
            # A person asked for the cancellation and must not be told that it worked.
            change(invoice, "not_cancelled", origin, now, state=State.OPEN, closing="", busy_until=None)
            if origin.source == InvoiceEvent.Source.RECONCILE:
                attention.ask(Attention.Code.CANCEL_REFUSED, now, invoice, invoice=invoice)
        else:
            transitions.close(invoice, State.CANCELLED, origin, now)
        transitions.reschedule(invoice, now)
        invoice.save(update_fields=["next_check_at"])
    return invoice


def _id(invoice: Invoice) -> str:
    return invoice.sadad_id or ""
