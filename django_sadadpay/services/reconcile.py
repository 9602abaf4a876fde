"""Reconcile: everything that is due, the longest overdue first, within a budget; safe to run twice at once
(money-flow 7).

The rows are the queue. Each kind of work says which rows are due and what to do with one; a row is claimed
by moving its due
time on, so that two runs never do the same thing at the same moment.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import QuerySet

from django_sadadpay import conf
from django_sadadpay.gateway.errors import AuthenticationError, NotFound, SadadError
from django_sadadpay.models import (
    InstallmentPlan,
    Invoice,
    InvoiceEvent,
    Mark,
    Refund,
    Subscription,
    WebhookEvent,
)
from django_sadadpay.models.base import AccountRow
from django_sadadpay.services import (
    applying,
    cancelling,
    clock,
    failing,
    gateway,
    hooks,
    inbox,
    keys,
    opening,
    orphans,
    plans,
    rates,
    refunds,
    schedule,
    subscriptions,
    transactions,
    transitions,
)
from django_sadadpay.services.errors import PaymentError
from django_sadadpay.services.ledger import Origin, change
from django_sadadpay.services.points import point
from django_sadadpay.services.verify import look_and_finish

State, Closing = Invoice.State, Invoice.Closing
logger = logging.getLogger("django_sadadpay")
MARK = "reconcile"
_ORIGIN = Origin(InvoiceEvent.Source.RECONCILE)
_BATCH = 200


@dataclass
class Report:
    """What a run did. ``left`` says whether more was due when the budget ended."""

    done: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    left: bool = False
    #: Accounts and environments whose keys Sadad refused in this run.
    refused: set[tuple[str, str]] = field(default_factory=set)
    #: Rows on which an earlier run failed: by model and primary key.
    failing: set[tuple[str, int]] = field(default_factory=set)

    def count(self, kind: str, ok: bool) -> None:
        table = self.done if ok else self.failed
        table[kind] = table.get(kind, 0) + 1


@dataclass(frozen=True)
class _Kind:
    """A kind of work: rows whose ``due`` column has passed, and what is done with one."""

    name: str
    rows: Callable[[], QuerySet[Any]]
    due: str
    work: Callable[[int], object]
    #: A claimed row is due again after this, if its worker dies; None: the work claims its row itself.
    again: timedelta | None = timedelta(minutes=5)


def run(*, max_calls: int | None = None, max_seconds: int | None = None) -> Report:
    """Work until nothing is due or the budget ends (``RECONCILE_MAX_CALLS``, ``RECONCILE_MAX_SECONDS``).

    :raises InsideTransaction: a transaction is open.
    """
    transactions.ensure_outside()
    config, began = conf.current(), time.monotonic()
    budget = _Budget(
        max_calls or config.reconcile_max_calls, began + (max_seconds or config.reconcile_max_seconds)
    )
    report = Report(failing=failing.subjects())
    with gateway.watch(budget.count):
        _rates(report)
        subscriptions.arm()
        plans.arm()
        for kind, pk in _due(budget, report):
            _one(kind, pk, report)
    report.calls, report.seconds = budget.calls, time.monotonic() - began
    _mark(report)
    return report


def is_late(now: datetime) -> timedelta | None:
    """How long no run has finished, if that is too long while something is due; None when all is well."""
    row = Mark.objects.filter(name=MARK).first()
    limit = timedelta(seconds=conf.current().reconcile_late_after)
    oldest = min((due for due in (_oldest(kind) for kind in _KINDS) if due is not None), default=None)
    if oldest is None or now - oldest < limit:
        return None
    last = row.at if row is not None and row.at is not None else oldest
    return now - last if now - last > limit else None


def pending(now: datetime) -> dict[str, int]:
    """How many rows of each kind are due."""
    return {kind.name: kind.rows().filter(**{f"{kind.due}__lte": now}).count() for kind in _KINDS}


@dataclass
class _Budget:
    max_calls: int
    until: float
    calls: int = 0

    def count(self, _endpoint: str) -> None:
        self.calls += 1

    @property
    def is_spent(self) -> bool:
        return self.calls >= self.max_calls or time.monotonic() >= self.until


def _due(budget: _Budget, report: Report) -> Iterator[tuple[_Kind, int]]:
    """What is due now, over all kinds, the longest overdue first; read again until nothing or no budget is
    left.
    """
    seen: set[tuple[int, int]] = set()
    while True:
        now = clock.now()
        batches = [_batch(kind, now, report) for kind in _KINDS]
        merged = list(heapq.merge(*batches, key=lambda item: item.due))[:_BATCH]
        fresh = [item for item in merged if (item.index, item.pk) not in seen]
        for item in fresh:
            if budget.is_spent:
                report.left = True
                return
            # once a run: a row that stays due must not keep the others waiting
            seen.add((item.index, item.pk))
            if item.account not in report.refused and _claim(item, now):
                yield _KINDS[item.index], item.pk
        if not fresh:
            return


@dataclass(frozen=True)
class _Item:
    """A row that is due."""

    due: datetime
    index: int
    pk: int
    account: tuple[str, str]


def _batch(kind: _Kind, now: datetime, report: Report) -> list[_Item]:
    index = _KINDS.index(kind)
    rows = kind.rows().filter(**{f"{kind.due}__lte": now}).order_by(kind.due, "pk")
    for account, environment in report.refused:  # theirs stay due: they would fill every batch
        rows = rows.exclude(account=account, environment=environment)
    values = rows.values_list(kind.due, "pk", "account", "environment")[:_BATCH]
    return [_Item(due, index, pk, (account, environment)) for due, pk, account, environment in values]


def _claim(item: _Item, now: datetime) -> bool:
    """Move the row's due time on; False when another run was quicker."""
    kind = _KINDS[item.index]
    if kind.again is None:
        return True
    rows, until = kind.rows().filter(pk=item.pk, **{kind.due: item.due}), now + kind.again
    return bool(transactions.run(lambda: rows.update(**{kind.due: until})))


def _oldest(kind: _Kind) -> datetime | None:
    row: datetime | None = (
        kind.rows().exclude(**{kind.due: None}).order_by(kind.due).values_list(kind.due, flat=True).first()
    )
    return row


def _one(kind: _Kind, pk: int, report: Report) -> None:
    """One row; a failure is its own and never stops the others."""
    point("reconcile.claimed")
    try:
        kind.work(pk)
    except Exception as error:  # noqa: BLE001 - one poisoned row must not end every run at the same place
        report.count(kind.name, ok=False)
        logger.warning("reconcile: %s %s: %s", kind.name, pk, type(error).__name__)
        if isinstance(error, AuthenticationError):
            _note_keys(kind.rows().get(pk=pk), error, report)
        elif failing.is_unforeseen(error):
            _note_failure(kind, pk, error)
    else:
        point("reconcile.worked")
        report.count(kind.name, ok=True)
        if failing.named(kind.rows().model, pk) in report.failing:
            failing.over(kind.rows().get(pk=pk))


def _note_failure(kind: _Kind, pk: int, error: Exception) -> None:
    row = kind.rows().filter(pk=pk).first()
    if row is not None:
        failing.note(row, kind.due, error)


def _note_keys(row: AccountRow, error: AuthenticationError, report: Report) -> None:
    """Refused keys are refused for every row: the account's others wait for the next run, without a call
    each.
    """
    keys.note(row, error)
    if error.endpoint.startswith("User/"):
        report.refused.add((row.account, row.environment))


def _rates(report: Report) -> None:
    for account in {a.environment: a for a in conf.current().accounts.values()}.values():
        try:
            if rates.refresh_if_due(account, clock.now()):
                report.count("rates", ok=True)
        except (SadadError, PaymentError):
            report.count("rates", ok=False)


def _mark(report: Report) -> None:
    detail = {"done": report.done, "failed": report.failed, "calls": report.calls, "left": report.left}
    values = {"at": clock.now(), "detail": detail}
    transactions.run(lambda: Mark.objects.update_or_create(name=MARK, defaults=values))


# Kinds of work


def _check_invoice(pk: int) -> None:
    """Look at one invoice, as its state asks for; whatever comes of it, it is due again by its age."""
    invoice = Invoice.objects.get(pk=pk)
    if gateway.is_parked(invoice):
        transactions.run(partial(_postpone, pk, timedelta(days=1)))
        return
    try:
        _check(invoice)
    except NotFound:
        hooks.run(partial(cancelling.vanished, pk, _ORIGIN))
    except (SadadError, PaymentError):
        transactions.run(partial(_reschedule, pk))
        raise


def _check(invoice: Invoice) -> None:
    if invoice.state == State.NEW:
        _check_new(invoice)
    elif invoice.state == State.SUPERSEDING:
        cancelling.finish(invoice.pk, _ORIGIN)
    elif invoice.state == State.UNKNOWN:
        orphans.resolve(invoice, _ORIGIN)
    else:
        _check_known(invoice)


def _postpone(pk: int, pause: timedelta) -> None:
    invoice = transactions.lock(Invoice, pk)
    invoice.next_check_at = clock.now() + pause
    invoice.save(update_fields=["next_check_at"])


def _reschedule(pk: int) -> None:
    invoice = transactions.lock(Invoice, pk)
    transitions.reschedule(invoice, clock.now())
    invoice.save(update_fields=["next_check_at"])


def _check_new(invoice: Invoice) -> None:
    """Its maker died, or is still at it."""
    if invoice.busy_until is not None and invoice.busy_until > clock.now():
        return
    if invoice.sadad_id is None:
        orphans.resolve(orphans.mark_unknown(invoice.pk, _ORIGIN), _ORIGIN)
    else:
        opening.give_up_if_stuck(look_and_finish(invoice, _ORIGIN), _ORIGIN)


def _check_known(invoice: Invoice) -> None:
    row = look_and_finish(invoice, _ORIGIN)
    now = clock.now()
    if row.is_adopted:
        _check_adopted(row, now)
    elif row.state == State.OPEN and now > row.expires_at + schedule.DELETE_AFTER:
        transactions.run(partial(_mark_expiring, row.pk))
        point("reconcile.expiring")
        row = cancelling.delete(row, _ORIGIN)
        if row.state == State.OPEN and not cancelling.is_doubtful(row):
            hooks.run(partial(_expire_anyway, row.pk))
    elif _is_stray(row):
        cancelling.finish(
            transactions.run(lambda: transitions.withdraw(row.pk, _ORIGIN, Closing.PAID)).pk, _ORIGIN
        )


def _check_adopted(row: Invoice, now: datetime) -> None:
    """What Sadad made is not ours to delete: it ends here once nobody watches it any more."""
    over = row.state == State.OPEN and now > row.expires_at + schedule.WATCH
    if over and not cancelling.is_doubtful(row):
        hooks.run(partial(_expire_anyway, row.pk))


def _is_stray(invoice: Invoice) -> bool:
    """Still open though its object is paid: the process that should have withdrawn it died."""
    return invoice.state == State.OPEN and transitions.paid_elsewhere(invoice)


def _mark_expiring(pk: int) -> None:
    invoice = transactions.lock(Invoice, pk)
    if invoice.state == State.OPEN and not invoice.closing:
        invoice.closing = Closing.EXPIRY
        invoice.save(update_fields=["closing"])


def _expire_anyway(pk: int) -> None:
    """Sadad keeps it payable and does not delete it: it ends here, and stays watched."""
    invoice, now = transactions.lock(Invoice, pk), clock.now()
    if invoice.state == State.OPEN:
        transitions.close(invoice, State.EXPIRED, _ORIGIN, now)
        transitions.reschedule(invoice, now)
        change(invoice, "expired", _ORIGIN, now, next_check_at=invoice.next_check_at)


def _check_refund(pk: int) -> None:
    row = Refund.objects.get(pk=pk)
    if row.state == Refund.State.REQUESTED:
        refunds.send_waiting(row.invoice_id, _ORIGIN)
    else:
        refunds.look_at(pk, _ORIGIN)


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        "event", WebhookEvent.objects.all, "next_try_at", partial(inbox.process, origin=_ORIGIN), again=None
    ),
    _Kind("invoice", Invoice.objects.all, "next_check_at", _check_invoice),
    _Kind("refund", Refund.objects.all, "next_check_at", _check_refund),
    _Kind("hook", Invoice.objects.all, "next_hook_at", lambda pk: applying.retry(pk, _ORIGIN)),
    _Kind("subscription", Subscription.objects.all, "next_check_at", subscriptions.check),
    _Kind("plan", InstallmentPlan.objects.all, "next_check_at", plans.check),
    _Kind("refund_hook", Refund.objects.all, "next_hook_at", refunds.retry_hook),
)
