"""Retention: blank what names a person, never an amount, a state or a ledger row (DESIGN rule 13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from django_sadadpay import conf
from django_sadadpay.models import (
    Customer,
    InstallmentPlan,
    Invoice,
    InvoiceEvent,
    Mark,
    Mirror,
    PaymentAttempt,
    Subscription,
    WebhookEvent,
)
from django_sadadpay.services import clock, transactions
from django_sadadpay.services.ledger import Origin, append
from django_sadadpay.services.personal import BLANKS, Person, holding, naming
from django_sadadpay.services.retention import why_event, why_invoice, why_mirror

MARK = "purge"
#: Rows in one transaction: their locks are held for a moment only, between two webhook calls.
_BATCH = 50
_MIRRORS: tuple[type[Mirror], ...] = (Subscription, InstallmentPlan, Customer)
_ORIGIN = Origin(InvoiceEvent.Source.SHOP)


@dataclass
class Report:
    """What a run did, in rows: ``blanked`` by model, ``kept`` by (model, why it is still needed)."""

    blanked: Counter[str] = field(default_factory=Counter)
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Report) -> None:
        self.blanked += other.blanked
        self.kept += other.kept


@dataclass(frozen=True)
class _Order:
    """What was asked for. ``person`` and ``account`` narrow it; ``days`` None: of any age."""

    days: int | None
    person: Person | None
    account: str
    dry_run: bool
    #: Webhook calls that were dealt with together with their invoice.
    seen: set[int] = field(default_factory=set)


def purge(
    *, older_than: int | None = None, person: str = "", account: str = "", dry_run: bool = False
) -> Report:
    """Blank personal data in rows that are old enough and that nothing needs any more.

    :param older_than: days since the row was made; by default ``RETENTION_DAYS``, for a person any age.
    :param person: an e-mail address, a phone number (7 digits or more), or else an order's number or our
        reference: only what belongs to them.
    :param account: only this account's rows.
    :param dry_run: say what would be done, and do nothing.
    :raises InsideTransaction: a transaction is open. :raises ValueError: ``person`` is blank text.
    :raises TryAgain: the database stayed locked; what was blanked until then stays blanked.
    """
    transactions.ensure_outside()
    days = older_than if older_than is not None or person else conf.current().retention_days
    order = _Order(days, Person.of(person) if person else None, account, dry_run)
    report = Report()
    for batch in _invoices(order):
        report.add(_batch(partial(_invoice_batch, batch, order), order))
    for batch in _events(order):
        report.add(_batch(partial(_event_batch, batch, order), order))
    for model in _MIRRORS:
        for batch in _mirrored(model, order):
            report.add(_batch(partial(_mirror_batch, model, batch, order), order))
    if not dry_run:
        transactions.run(partial(_mark, report))
    return report


def _batch(block: Any, order: _Order) -> Report:
    report: Report = block() if order.dry_run else transactions.run(block)
    return report


# Invoices, with their payment attempts


def _invoices(order: _Order) -> Iterator[list[int]]:
    attempts = holding(PaymentAttempt).filter(invoice=OuterRef("pk"))
    rows = holding(Invoice, Q(Exists(attempts)))
    if order.person is not None:
        theirs = Q(Exists(naming(PaymentAttempt, order.person).filter(invoice=OuterRef("pk"))))
        rows = rows.filter(pk__in=naming(Invoice, order.person, theirs).values("pk"))
    return _batches(_old(rows, "created_at", order))


def _invoice_batch(pks: list[int], order: _Order) -> Report:
    report = Report()
    for pk in pks:  # in ascending order: two runs at once never wait for each other in a circle
        invoice = _get(Invoice, pk, order)
        if order.person is not None and not _is_theirs(invoice, order.person):
            continue
        why = why_invoice(invoice, clock.now())
        if why:
            report.kept[Invoice.__name__, why] += 1
        else:
            _blank_invoice(invoice, report, order)
    return report


def _is_theirs(invoice: Invoice, person: Person) -> bool:
    """The database's search is coarse: a phone's last digits are in many a number."""
    return person.is_named_by(invoice) or any(person.is_named_by(row) for row in invoice.attempts.all())


def _blank_invoice(invoice: Invoice, report: Report, order: _Order) -> None:
    attempts = holding(PaymentAttempt).filter(invoice=invoice)
    report.blanked[PaymentAttempt.__name__] += attempts.count()
    report.blanked[Invoice.__name__] += 1
    if order.person is not None:
        _blank_events_of(invoice, report, order)
    if order.dry_run:
        return
    PaymentAttempt.objects.filter(invoice=invoice).update(**BLANKS[PaymentAttempt])
    Invoice.objects.filter(pk=invoice.pk).update(**BLANKS[Invoice])
    append(invoice, "purged", _ORIGIN, clock.now(), params={"fields": sorted(BLANKS[Invoice])})


def _blank_events_of(invoice: Invoice, report: Report, order: _Order) -> None:
    """A call for a person's invoice is theirs, whether or not its body names them."""
    same_id = Q(account=invoice.account, environment=invoice.environment, sadad_id=invoice.sadad_id or "–")
    rows = holding(WebhookEvent).filter(Q(invoice=invoice) | same_id)
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        order.seen.add(pk)
        _blank_event(_get(WebhookEvent, pk, order), report, order)


# The inbox


def _events(order: _Order) -> Iterator[list[int]]:
    rows = holding(WebhookEvent)
    if order.person is not None:
        rows = rows.filter(pk__in=naming(WebhookEvent, order.person).values("pk"))
    return _batches(_old(rows, "received_at", order))


def _event_batch(pks: list[int], order: _Order) -> Report:
    report = Report()
    for pk in (pk for pk in pks if pk not in order.seen):
        event = _get(WebhookEvent, pk, order)
        if order.person is None or order.person.is_named_by(event):
            _blank_event(event, report, order)
    return report


def _blank_event(event: WebhookEvent, report: Report, order: _Order) -> None:
    why = why_event(event)
    if why:
        report.kept[WebhookEvent.__name__, why] += 1
        return
    report.blanked[WebhookEvent.__name__] += 1
    if not order.dry_run:
        WebhookEvent.objects.filter(pk=event.pk).update(**BLANKS[WebhookEvent])


# What is mirrored


def _mirrored(model: type[Mirror], order: _Order) -> Iterator[list[int]]:
    rows = holding(model)
    if order.person is None:
        rows = rows.filter(state=Mirror.State.DELETED)  # the others are in use, however old they are
    else:
        rows = rows.filter(pk__in=naming(model, order.person).values("pk"))
    return _batches(_old(rows, "synced_at", order))


def _mirror_batch(model: type[Mirror], pks: list[int], order: _Order) -> Report:
    report = Report()
    for pk in pks:
        row = _get(model, pk, order)
        if order.person is not None and not order.person.is_named_by(row):
            continue
        why = why_mirror(row)
        if why:
            report.kept[model.__name__, why] += 1
            continue
        report.blanked[model.__name__] += 1
        if not order.dry_run:
            model._base_manager.filter(pk=pk).update(**BLANKS[model])
    return report


# What they share


def _old(rows: QuerySet[Any], age: str, order: _Order) -> QuerySet[Any]:
    if order.account:
        rows = rows.filter(account=order.account)
    if order.days is not None:
        until = clock.now() - timedelta(days=order.days)
        rows = rows.filter(Q(**{f"{age}__lte": until}) | Q(**{f"{age}__isnull": True}))
    return rows


def _batches(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """Primary keys, ascending; each batch is read when the one before it is done."""
    last = 0
    while pks := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        yield pks
        last = pks[-1]


def _get(model: Any, pk: int, order: _Order) -> Any:
    return model.objects.get(pk=pk) if order.dry_run else transactions.lock(model, pk)


def _mark(report: Report) -> None:
    """Who has to account for retention sees when it last ran, and what it did."""
    detail = {"blanked": dict(report.blanked), "kept": sum(report.kept.values())}
    Mark.objects.update_or_create(name=MARK, defaults={"at": clock.now(), "detail": detail})
