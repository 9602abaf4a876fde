"""Ask Sadad about an invoice now, settle what it says, and finish what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.models import Invoice, InvoiceEvent
from django_sadadpay.services import cancelling, clock, telling, transactions
from django_sadadpay.services.errors import PaymentError, Refused, TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.looking import look

if TYPE_CHECKING:
    from datetime import timedelta

    from django.contrib.auth.models import AbstractBaseUser

Source = InvoiceEvent.Source


def verify(invoice: Invoice, *, by: AbstractBaseUser | None = None) -> Invoice:
    """The invoice after asking Sadad (Invoice/getbyid, contract 3.2).

    :raises InsideTransaction: a transaction is open. :raises Refused: it has no Sadad id, is parked, or
        Sadad does not know it.
    :raises TryAgain: Sadad could not be asked.
    """
    transactions.ensure_outside()
    origin = Origin(Source.STAFF if by else Source.SHOP, by)
    try:
        return look_and_finish(invoice, origin)
    except NotFound as error:
        raise Refused("not_found", invoice=invoice) from error
    except SadadError as error:
        raise TryAgain(invoice=invoice) from error


def look_and_finish(invoice: Invoice, origin: Origin, *, deadline: float | None = None) -> Invoice:
    """Look, then delete what the payment made superfluous.

    :raises SadadError: the look failed. Deleting is tried again in the background.
    """
    row = look(invoice, origin, deadline=deadline)
    finish_after(row, origin)
    return row


def finish_after(invoice: Invoice, origin: Origin) -> None:
    """Delete the object's newer invoice if this payment withdrew it, tell of the bill that it pays; a failure
    is left to reconcile.
    """
    if not invoice.is_applied:
        return
    telling.of(invoice)
    try:
        cancelling.finish_withdrawn(invoice.slot, origin)
    except (SadadError, PaymentError):
        pass  # the row is the queue: next_check_at is set, reconcile goes on


def claim_look(invoice: Invoice, pause: timedelta) -> bool:
    """True for one caller in each ``pause``, over all processes (the return view's limit)."""

    def block() -> bool:
        row, now = transactions.lock(Invoice, invoice.pk), clock.now()
        if row.looked_at is not None and now - row.looked_at < pause:
            return False
        row.looked_at = now
        row.save(update_fields=["looked_at"])
        return True

    return transactions.run(block)
