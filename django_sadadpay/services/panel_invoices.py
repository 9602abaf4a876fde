"""Sadad's list of invoices, as ``pull`` walks it: what a payable finds by its reference is linked."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from django.db import models

from django_sadadpay import conf
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.coerce import KUWAIT
from django_sadadpay.gateway.errors import AuthenticationError, RateLimited, SadadError
from django_sadadpay.gateway.paging import Page
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Invoice, InvoiceEvent
from django_sadadpay.registry import DraftError, Payable, payables
from django_sadadpay.services import adopting, adoption, facts, patience, plain, settlement, snapshots
from django_sadadpay.services.errors import PaymentError
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.lists import Change, Taken
from django_sadadpay.services.verify import finish_after

logger = logging.getLogger("django_sadadpay")
_PULL = Origin(InvoiceEvent.Source.RECONCILE)
#: Words of an invoice that is worth having: it is paid, or can be.
_ALIVE = facts.PAID_WORDS | {facts.UNPAID}


class Invoices:
    """Implements ``pull.Source``."""

    def __init__(
        self, account: conf.Account, client: SadadClient, since: date | None, *, dry_run: bool
    ) -> None:
        self._account, self._client, self._since, self._dry_run = account, client, since, dry_run
        self._reply = client.endpoints["Invoice/getall"].reply

    def pages(self, skip: int) -> Iterator[Page]:
        filters: dict[str, Any] = {}
        if self._since is not None:
            filters["create_date_from"] = self._since.isoformat()
        return self._client.invoices.pages(skip=skip, **filters)

    def take(self, rows: Sequence[Mapping[str, Any]], began: datetime) -> Taken:
        """:raises AuthenticationError: Sadad does not let us read on."""
        taken = Taken()
        read = [InvoiceRecord.from_wire(row, self._reply) for row in rows]
        records = {record.id: record for record in read if record.id and not self._is_older(record)}
        taken.count("unreadable", sum(not record.id for record in read))
        here = self._rows().filter(sadad_id__in=list(records))
        held = here.exclude(payable="", made_from=adoption.PANEL, state=Invoice.State.OPEN)
        known = set(held.values_list("sadad_id", flat=True))
        taken.count("unchanged", len(known))
        unknown = [record for sadad_id, record in records.items() if sadad_id not in known]
        ours = self._ours(unknown)
        for record in unknown:
            self._one(record, ours.get(record.ref_number.strip()), taken)
        return taken

    def finish(self, total: int | None) -> Taken:
        """Invoices that vanish are reconcile's business."""
        return Taken()

    def _is_older(self, record: InvoiceRecord) -> bool:
        """A filter may be ignored (contract 3.4)."""
        if self._since is None or record.created_at is None:
            return False
        return record.created_at.astimezone(KUWAIT).date() < self._since

    def _ours(self, records: Sequence[InvoiceRecord]) -> dict[str, int]:
        """Rows of ours by the reference that they sent: their id was never learned."""
        words = {record.ref_number.strip() for record in records} - {""}
        rows = self._rows().filter(reference__in=words, made_from="")
        return dict(rows.values_list("reference", "pk"))

    def _one(self, record: InvoiceRecord, pk: int | None, taken: Taken) -> None:
        try:
            what = self._settle(record, pk) if pk is not None else self._find(record)
        except (RateLimited, AuthenticationError):
            raise
        except (SadadError, PaymentError, DraftError) as error:
            logger.warning("pull: invoice %s: %s", record.id, type(error).__name__)
            what = "failed"
        taken.count(what)
        if self._dry_run and what in ("new", "matched"):
            taken.changes.append(
                Change(what, "invoice", record.id, "ref_number", "", plain.text(record.ref_number, 60))
            )

    def _settle(self, record: InvoiceRecord, pk: int) -> str:
        """The insert of this row was not answered, or its answer named another invoice."""
        if self._dry_run:
            return "matched"
        place = Invoice(account=self._account.name, environment=self._account.environment)
        snapshot = patience.call(partial(snapshots.fetch, place, record.id))
        row = settlement.settle(pk, snapshot, _PULL).invoice
        finish_after(row, _PULL)
        return "matched" if row.sadad_id == record.id else "conflict"

    def _find(self, record: InvoiceRecord) -> str:
        word = facts.word(record)  # a list's word only says whether it is worth a look
        reference = record.ref_number.strip()
        found = self._found(reference) if word in _ALIVE else []
        if len(found) != 1:
            return "failed" if found else "foreign"
        ((payable, obj),) = found
        if not self._dry_run:
            adopting.link(payable, obj, record.id, _PULL, reference=reference, asks=patience.call)
        return "new"

    def _found(self, reference: str) -> list[tuple[Payable[Any], Any]]:
        """Objects that the shop knows by this reference, in payables that are paid to this account."""
        found = []
        for payable in payables if reference else ():
            obj = payable.find(reference)
            if obj is not None and payable.account(obj) == self._account.name:
                found.append((payable, obj))
        return found

    def _rows(self) -> models.QuerySet[Invoice]:
        account = self._account
        rows: models.QuerySet[Invoice] = Invoice.objects.filter(
            account=account.name, environment=account.environment
        )
        return rows
