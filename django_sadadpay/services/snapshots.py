"""A snapshot: a getbyid reply with the database times between which it was fetched."""

from __future__ import annotations

from dataclasses import dataclass

from django_sadadpay.gateway.errors import OutcomeUnknown
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models.base import AccountRow
from django_sadadpay.services import clock, gateway
from django_sadadpay.services.ledger import Fetch


@dataclass(frozen=True)
class Snapshot:
    """``record`` is what Sadad said; ``fetch`` when it was asked and when it had answered."""

    record: InvoiceRecord
    fetch: Fetch


def fetch(
    row: AccountRow, sadad_id: str, *, deadline: float | None = None, ask_again: bool = True
) -> Snapshot:
    """Ask Sadad for one invoice; a reply for another id is thrown away and asked for once more (money-flow
    4).

    :param deadline: seconds for each call, at most.
    :param ask_again: False where one call is all that is allowed (the return view).
    :raises SadadError: as the gateway says; :raises Refused: ``parked``.
    """
    try:
        return _fetch(row, sadad_id, deadline)
    except OutcomeUnknown:
        if not ask_again:
            raise
        return _fetch(row, sadad_id, deadline)


def _fetch(row: AccountRow, sadad_id: str, deadline: float | None) -> Snapshot:
    client = gateway.client_of(row)
    began = clock.now()
    record = client.invoices.getbyid(sadad_id, deadline=deadline)
    return Snapshot(record, Fetch(began, clock.now()))
