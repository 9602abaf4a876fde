"""Rows on which background work fails as nobody foresaw: a person is told; it is tried later and later."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, models

from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.models import Attention, Invoice, Mirror, Refund, WebhookEvent
from django_sadadpay.models.base import AccountRow
from django_sadadpay.services import attention, clock, transactions
from django_sadadpay.services.errors import PaymentError

Code = Attention.Code
_SOON, _LATEST = timedelta(minutes=5), timedelta(days=1)


def is_unforeseen(error: Exception) -> bool:
    """Neither Sadad's answer, nor one of our own errors, nor a database that is away for a while."""
    return not isinstance(error, (SadadError, PaymentError, OperationalError, InterfaceError))


def note(row: AccountRow, due: str, error: Exception) -> None:
    """Ask a person, and move the row's ``due`` column on: by as long as it has failed, at most a day."""
    transactions.run(partial(_note, type(row), row.pk, due, type(error).__name__))


def over(row: AccountRow) -> None:
    """It worked."""
    transactions.run(lambda: attention.close((Code.WORK_FAILED,), clock.now(), "it worked", **_subject(row)))


def subjects() -> set[tuple[str, int]]:
    """Model and primary key of the rows that have failed, so that a run need not ask for each."""
    return {_named(case) for case in _cases()}


def named(model: type[models.Model], pk: int) -> tuple[str, int]:
    return model._meta.model_name or "", pk


def _named(case: Attention) -> tuple[str, int]:
    for name, pk in (
        ("invoice", case.invoice_id),
        ("refund", case.refund_id),
        ("webhookevent", case.event_id),
    ):
        if pk is not None:
            return name, pk
    name, _, pk_text = case.subject.partition(":")
    return name, int(pk_text)


def _subject(row: AccountRow) -> dict[str, Any]:
    """How a case names the row."""
    if isinstance(row, Mirror):
        return {"mirror": row}
    names = {Invoice: "invoice", Refund: "refund", WebhookEvent: "event"}
    return {names[type(row)]: row}


def _note(model: type[AccountRow], pk: int, due: str, error: str) -> None:
    row, now = transactions.lock(model, pk), clock.now()
    attention.ask(Code.WORK_FAILED, now, row, error=error, **_subject(row))
    if getattr(row, due) is None:
        return  # the work itself has ended it
    case = next((case for case in _cases() if _named(case) == named(model, pk)), None)
    # Dismissed: somebody knows of it.
    pause = _LATEST if case is None else min(max(now - case.created_at, _SOON), _LATEST)
    setattr(row, due, now + pause)
    row.save(update_fields=[due])


def _cases() -> models.QuerySet[Attention]:
    return Attention.objects.filter(resolved_at=None, code=Code.WORK_FAILED)
