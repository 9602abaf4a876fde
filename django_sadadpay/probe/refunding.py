"""Giving back what a person paid for the probe: once, and never sent again."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django_sadadpay.gateway import outgoing

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.envelope import Reply
    from django_sadadpay.probe.calling import Caller
    from django_sadadpay.probe.journal import Entry, Journal

#: Contract 3.10
PAID = frozenset({"Paid", "Deposited", "Refunded", "WaitingRefund"})


def refund(caller: Caller, journal: Journal, entry: Entry) -> Reply | None:
    """Ask once for all that was to be paid.

    It is in the journal before it is sent; without an answer it stays ``intended``, and whoever reads the
    journal next only looks. Turned away unread (its token, too many calls), it was never asked for.
    """
    if entry.refund or not entry.pay:
        raise AssertionError("a refund is sent once, and only of what the probe was paid")
    journal.write(entry.mark, refund="intended")
    row = caller.endpoints["Refund/insert"]
    values = {
        "invoice_id": entry.id,
        "amount": Decimal(entry.pay),
        "refund_type": "DeductFromBalance",
        "currency_code": "KWD",
    }
    reply = caller.send(row.name, body=outgoing.to_wire(row, values))
    if reply is not None and not reply.lost:
        journal.note(entry.mark, refund=_outcome(reply, row))
    return reply


def _outcome(reply: Reply, row: Endpoint) -> str:
    if not reply.failed:
        return "done"
    if reply.error_key in row.refusals:
        return "refused"
    return "" if reply.refuses_token or reply.status == 429 else "intended"
