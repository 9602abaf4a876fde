"""Look: ask Sadad about one invoice and settle what it says. Never inside a transaction."""

from __future__ import annotations

from django_sadadpay.models import Invoice
from django_sadadpay.services import settlement, snapshots
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.points import point

#: A snapshot that another fetch overtook is asked for again; after that the other one is newer anyway.
TRIES = 3


def look(invoice: Invoice, origin: Origin, *, deadline: float | None = None, tries: int = TRIES) -> Invoice:
    """The invoice as it is after settling a fresh reply.

    :param deadline: seconds for each gateway call.
    :raises SadadError: Sadad did not answer usably. :raises Refused: ``parked`` or ``no_sadad_id``.
    """
    if invoice.sadad_id is None:
        raise Refused("no_sadad_id", invoice=invoice)
    settled, ask_again = settlement.Settled(invoice, stale=True), tries > 1
    while settled.stale and tries > 0:
        snapshot = snapshots.fetch(invoice, invoice.sadad_id, deadline=deadline, ask_again=ask_again)
        point("settle.fetched")
        settled = settlement.settle(invoice.pk, snapshot, origin)
        tries -= 1
    return settled.invoice
