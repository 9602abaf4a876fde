"""What is to go at Sadad while others there need it, by our rows: their wish may be older than the shop's.

A deleted category sets its products' foreign key by an UPDATE that sends no signal (SET_NULL and the like).
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django_sadadpay import conf
from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import attention, clock, due, kinds, mirroring, transactions
from django_sadadpay.services.kinds import Kind

_MOST = 1000


def free(kind: Kind, account: conf.Account, now: datetime) -> bool:
    """Draft anew whatever keeps rows from going; a person is asked about what still needs them.

    :return: whether something was drafted anew.
    """
    rows = due.in_the_way(kind, account, now)
    return sum(_free(row) for row in rows) > 0


def _free(row: Mirror) -> int:
    """Each in a transaction of its own: a shop's request that saves one of them waits for that one only."""
    again = [one for one in _needing(row) if one.source]
    for one in again:
        transactions.run(partial(_again, type(one), one.pk))
    transactions.run(partial(_ask, type(row), row.pk))
    return len(again)


def _again(model: type[Mirror], pk: int) -> None:
    row = model._base_manager.using(transactions.alias()).filter(pk=pk).first()
    if row is not None:
        mirroring.again(row)


def _needing(row: Mirror) -> list[Mirror]:
    found: list[Mirror] = []
    for model, lookup in kinds.dependants(kinds.of(row)):
        rows = model._base_manager.using(transactions.alias())
        found += rows.filter(**{lookup: row}, wanted=Mirror.Wanted.PRESENT).distinct()[:_MOST]
    return found


def _ask(model: type[Mirror], pk: int) -> None:
    row: Any = transactions.lock(model, pk)
    needed = _counts(row)
    if row.is_wanted or not needed:
        return
    row.error, row.error_params = "needed", {}
    row.save(update_fields=["error", "error_params"])
    code = Attention.Code.MIRROR_NEEDED
    attention.ask(code, clock.now(), row, mirror=row, kind=row.kind, others=needed)


def _counts(row: Mirror) -> dict[str, int]:
    """How many of which kind."""
    counts: dict[str, int] = {}
    for one in _needing(row):
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return counts
