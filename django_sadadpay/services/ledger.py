"""The ledger: the one way in which an invoice's columns change, so that replaying its rows gives the stored
state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.hidden import hide
from django_sadadpay.models import Invoice, InvoiceEvent
from django_sadadpay.models.invoice import as_fact

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Source = InvoiceEvent.Source


@dataclass(frozen=True)
class Origin:
    """Who or what causes a change."""

    source: str
    by: AbstractBaseUser | None = None

    @property
    def user(self) -> Any:
        """For a foreign key to whatever the project's user model is."""
        return self.by

    @property
    def by_name(self) -> str:
        return "" if self.by is None else str(self.by.get_username())[:150]


@dataclass(frozen=True)
class Fetch:
    """When a getbyid reply was fetched, by the database's clock."""

    began: datetime
    ended: datetime


def change(
    invoice: Invoice,
    kind: str,
    origin: Origin,
    now: datetime,
    *,
    fetch: Fetch | None = None,
    params: dict[str, Any] | None = None,
    **values: Any,
) -> InvoiceEvent | None:
    """Set columns of a locked invoice and append the ledger row.

    Columns that are not tracked (schedules, marks) are saved without a ledger row when nothing tracked
    changed and
    there are no ``params``.
    """
    values = hide(values)  # Sadad's raw reply may be among them
    changes = _apply(invoice, values)
    if values:
        invoice.save(update_fields=list(values))
    if not changes and params is None:
        return None
    return append(invoice, kind, origin, now, fetch=fetch, params=params, changes=changes)


def append(
    invoice: Invoice,
    kind: str,
    origin: Origin,
    now: datetime,
    *,
    fetch: Fetch | None = None,
    params: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> InvoiceEvent:
    return InvoiceEvent.objects.create(
        invoice=invoice,
        at=now,
        kind=kind,
        source=origin.source,
        changes=changes or {},
        params=params or {},
        fetch_began_at=fetch.began if fetch else None,
        fetch_ended_at=fetch.ended if fetch else None,
        by=origin.user,
        by_name=origin.by_name,
    )


def created(invoice: Invoice, origin: Origin, now: datetime) -> InvoiceEvent:
    """The first row: every tracked fact, so that a replay needs nothing else."""
    changes = {name: [None, as_fact(getattr(invoice, name))] for name in Invoice.TRACKED}
    return append(invoice, "created", origin, now, changes=changes)


def _apply(invoice: Invoice, values: dict[str, Any]) -> dict[str, Any]:
    changes = {}
    for name, value in values.items():
        old, new = as_fact(getattr(invoice, name)) if name in Invoice.TRACKED else None, value
        setattr(invoice, name, new)
        if name in Invoice.TRACKED and old != as_fact(new):
            changes[name] = [old, as_fact(new)]
    return changes
