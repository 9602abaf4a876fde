"""Invoices made in Sadad's panel that are for an object of the shop: linked to it by their reference.

Only settlement changes payment facts here too: the row is open and unpaid at first, and what Sadad says of it
goes through the same comparison of id, reference and amount as any other (money-flow 4).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction

from django_sadadpay import conf, money
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.coerce import KUWAIT
from django_sadadpay.gateway.errors import AuthenticationError, RateLimited, SadadError
from django_sadadpay.gateway.paging import Page
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Invoice, InvoiceEvent, InvoiceLine
from django_sadadpay.registry import DraftError, Payable, payables
from django_sadadpay.services import (
    adoption,
    clock,
    drafts,
    facts,
    opening,
    patience,
    plain,
    schedule,
    settlement,
    snapshots,
    transactions,
)
from django_sadadpay.services.drafts import Plan
from django_sadadpay.services.errors import NothingToPay, PaymentError, Refused
from django_sadadpay.services.ledger import Origin, change, created
from django_sadadpay.services.pulling import Change, Taken
from django_sadadpay.services.verify import finish_after

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger("django_sadadpay")
State = Invoice.State
_PULL = Origin(InvoiceEvent.Source.RECONCILE)
#: Words of an invoice that is worth having: it is paid, or can be.
_ALIVE = facts.PAID_WORDS | {facts.UNPAID}


def adopt(obj: models.Model, sadad_id: str, *, name: str = "", by: AbstractBaseUser | None = None) -> Invoice:
    """Link the invoice with this Sadad id to a shop's object, and settle what it says.

    :param name: the payable's registered name, where a model has several.
    :return: its row; the same one, however often it is asked for. A payment counts for the object if the
        amount is what is due.
    :raises InsideTransaction: a transaction is open.
    :raises Refused: ``adopt_currency`` or ``adopt_amount``: it asks for other money than the object;
        ``nothing_to_pay``. :raises DraftError: the object's draft cannot be used.
    :raises SadadError: Sadad has no such invoice, or could not be asked.
    """
    transactions.ensure_outside()
    payable = payables.get(name) if name else payables.for_object(obj)
    if payable is None:
        raise LookupError(f"no payable is registered as {name!r}")
    account = conf.current().account(payable.account(obj))
    return _adopt(
        payable, obj, account, sadad_id, Origin(InvoiceEvent.Source.STAFF if by else _PULL.source, by)
    )


def _adopt(payable: Payable[Any], obj: Any, account: conf.Account, sadad_id: str, origin: Origin) -> Invoice:
    known = _rows(account).filter(sadad_id=sadad_id).first()
    if known is not None and not _is_free(known):
        return known
    try:
        plan = drafts.plan(payable, obj, clock.now())
    except NothingToPay:
        raise Refused("nothing_to_pay") from None
    place = Invoice(account=account.name, environment=account.environment)
    snapshot = patience.call(partial(snapshots.fetch, place, sadad_id))
    _check(plan, snapshot.record)
    invoice = transactions.run(partial(_make, plan, snapshot.record, origin))
    row = settlement.settle(invoice.pk, snapshot, origin).invoice
    finish_after(row, origin)
    return row


def _rows(account: conf.Account) -> models.QuerySet[Invoice]:
    rows: models.QuerySet[Invoice] = Invoice.objects.filter(
        account=account.name, environment=account.environment
    )
    return rows


def _check(plan: Plan, record: InvoiceRecord) -> None:
    """It asks for what the object asks for: in the shop's currency, to the fils."""
    if (record.currency or money.KWD).upper() != plan.currency:
        raise Refused("adopt_currency")
    asked = record.amount if plan.currency == money.KWD else record.alt_amount
    if money.from_reply(asked) != plan.shop_amount or not money.from_reply(record.amount):
        raise Refused("adopt_amount")


def _is_free(invoice: Invoice) -> bool:
    """Taken over before for nobody (``adoption``), and not paid yet: it can still be linked."""
    return not invoice.payable and invoice.made_from == adoption.PANEL and invoice.state == State.OPEN


def _make(plan: Plan, record: InvoiceRecord, origin: Origin) -> Invoice:
    """The row; one that another process made meanwhile is as good. It takes no open slot: when the basket
    changes, checkout would delete at Sadad what is not ours.
    """
    rows = _rows(plan.account).filter(sadad_id=record.id)
    known, columns = rows.first(), _columns(plan, record)
    if known is None:
        try:
            with transaction.atomic(using=transactions.alias()):
                return _create(plan, record, columns, origin)
        except IntegrityError:
            known = rows.get()
    known = transactions.lock(Invoice, known.pk)
    if _is_free(known):
        columns = {name: value for name, value in columns.items() if name != "kind"}  # Sadad's type: the same
        change(known, "claimed", origin, clock.now(), params={"payable": plan.payable.name}, **columns)
    return known


def _create(plan: Plan, record: InvoiceRecord, columns: dict[str, Any], origin: Origin) -> Invoice:
    now = clock.now()
    invoice: Invoice = Invoice.objects.create(
        **columns,
        account=plan.account.name,
        environment=plan.account.environment,
        reference=opening.new_reference(plan.shop_reference),
        state=State.OPEN,
        made_from=adoption.PANEL,
        sadad_id=record.id,
        created_at=min(record.created_at or now, now),
        expires_at=record.expires_at or now + schedule.WATCH,
        next_check_at=now,
    )
    InvoiceLine.objects.bulk_create(_lines(invoice, plan))
    created(invoice, origin, now)
    return invoice


def _columns(plan: Plan, record: InvoiceRecord) -> dict[str, Any]:
    amount = money.from_reply(record.amount) or Decimal(0)
    return {
        "ref_number": plain.text(record.ref_number, 200),
        "shop_reference": plan.shop_reference,
        "payable": plan.payable.name,
        "object_id": plan.object_id,
        "object_key": plan.object_key,
        "purpose": plan.purpose,
        "shop_currency": plan.currency,
        "shop_amount": plan.shop_amount,
        "rate": plan.rate if plan.currency == money.KWD else round(amount / plan.shop_amount, 9),
        "amount": amount,
        "lines_digest": plan.digest,
        "language": plan.language,
        "kind": plain.text(record.type, 30) or plan.kind,
        "customer": _customer(plan, record),
        "request": {**plan.request, "return_url": "", "expiry_date": ""},
    }


def _customer(plan: Plan, record: InvoiceRecord) -> dict[str, str]:
    name, mobile, email = record.customer_name, record.customer_mobile, record.customer_email
    theirs = {
        "name": plain.text(name, 200),
        "mobile": plain.text(mobile, 50),
        "email": plain.text(email, 254),
    }
    return theirs if theirs["name"] else plan.customer


def _lines(invoice: Invoice, plan: Plan) -> list[InvoiceLine]:
    """The object's own: what the panel wrote on it stands in the raw reply."""
    return [
        InvoiceLine(
            invoice=invoice,
            position=place,
            name=line.name,
            quantity=line.quantity,
            amount=line.amount,
            supplier_id=line.supplier_id,
        )
        for place, line in enumerate(plan.lines, 1)
    ]


class Invoices:
    """Sadad's list of invoices. Implements ``pull.Source``: those that a payable finds by their reference."""

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

    def take(self, rows: Sequence[Mapping[str, Any]]) -> Taken:
        """:raises AuthenticationError: Sadad does not let us read on."""
        taken = Taken()
        read = [InvoiceRecord.from_wire(row, self._reply) for row in rows]
        records = {record.id: record for record in read if record.id and not self._is_older(record)}
        taken.count("unreadable", sum(not record.id for record in read))
        here = _rows(self._account).filter(sadad_id__in=list(records))
        held = here.exclude(payable="", made_from=adoption.PANEL, state=State.OPEN)
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
        rows = _rows(self._account).filter(reference__in=words, made_from="")
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
        found = self._found(record.ref_number.strip()) if word in _ALIVE else []
        if len(found) != 1:
            return "failed" if found else "foreign"
        ((payable, obj),) = found
        if not self._dry_run:
            _adopt(payable, obj, self._account, record.id, _PULL)
        return "new"

    def _found(self, reference: str) -> list[tuple[Payable[Any], Any]]:
        """Objects that the shop knows by this reference, in payables that are paid to this account."""
        found = []
        for payable in payables if reference else ():
            obj = payable.find(reference)
            if obj is not None and payable.account(obj) == self._account.name:
                found.append((payable, obj))
        return found
