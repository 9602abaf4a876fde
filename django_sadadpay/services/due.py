"""Which mirrored rows are due, in which order, and what keeps a row waiting."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from django_sadadpay import conf
from django_sadadpay.models import Mirror, ProductLink, ProductLinkItem
from django_sadadpay.services import kinds, storing, transactions
from django_sadadpay.services.kinds import KINDS, Kind

Wanted = Mirror.Wanted
_BATCH = 100


def batches(
    kind: Kind,
    account: conf.Account,
    wanted: str,
    now: datetime,
    only: Collection[int] | None,
    *,
    forced: bool,
) -> Iterator[list[Any]]:
    """Rows that a call can bring further, a hundred at a time, oldest first; each is given once.

    Whatever stays as it is when its turn has come does not keep those behind it waiting.

    :param only: primary keys; None: all. :param forced: whether or not they are due.
    """
    rows = _ready(_rows(kind).filter(storing.to_do(now), _free(now), wanted=wanted), kind, wanted)
    rows = rows.filter(account=account.name, environment=account.environment)
    if only is not None:
        rows = rows.filter(pk__in=only)
    rows = rows.order_by("pk") if forced else rows.filter(next_try_at__lte=now).order_by("next_try_at", "pk")
    behind, size = Q(), _BATCH
    while size == _BATCH:
        batch = list(rows.filter(behind)[:_BATCH])
        if batch:
            yield batch
            behind = Q(pk__gt=batch[-1].pk)
            if not forced:
                at = batch[-1].next_try_at
                behind = Q(next_try_at__gt=at) | (Q(next_try_at=at) & behind)
        size = len(batch)


def wishes(kind: Kind, account: conf.Account, now: datetime) -> Collection[str]:
    """What is wanted of rows whose time has come, ready or not: one cheap question spares both phases."""
    mine = _plain(kind, account).filter(next_try_at__lte=now)
    return set(mine.order_by().values_list("wanted", flat=True).distinct())


def pending(now: datetime) -> dict[str, int]:
    """How many rows of each kind are due."""
    return {kind.name: _rows(kind).filter(next_try_at__lte=now).count() for kind in KINDS}


def is_any(before: datetime) -> bool:
    """Whether a row of an account in use has been due since ``before``."""
    accounts = conf.current().accounts.values()
    return any(
        _plain(kind, account).filter(next_try_at__lte=before).exists()
        for account in accounts
        for kind in KINDS
    )


def in_the_way(kind: Kind, account: conf.Account, now: datetime) -> list[Any]:
    """Rows that are to go, and which others that are wanted still need. Those that a person was asked about
    are left out.
    """
    found: list[Any] = []
    for model, lookup in kinds.dependants(kind):
        others = model._base_manager.using(transactions.alias())
        needing = others.filter(**{lookup: models.OuterRef("pk")}, wanted=Wanted.PRESENT)
        mine = _plain(kind, account).filter(models.Exists(needing), next_try_at__lte=now)
        mine = mine.filter(wanted=Wanted.ABSENT, sending="").exclude(error="needed")
        found += [row for row in mine.order_by("pk")[:_BATCH] if row not in found]
    return found


def _plain(kind: Kind, account: conf.Account) -> models.QuerySet[Any]:
    rows = kind.model._base_manager.using(transactions.alias())
    return rows.filter(account=account.name, environment=account.environment)


def _rows(kind: Kind) -> models.QuerySet[Any]:
    """With what a call needs of their parents and children."""
    rows = kind.model._base_manager.using(transactions.alias())
    if kind.model is ProductLink:
        return ProductLink._base_manager.using(transactions.alias()).prefetch_related("items__product")
    return rows.select_related(*kind.model.PARENTS) if kind.model.PARENTS else rows.all()


def _free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def _ready(due: models.QuerySet[Any], kind: Kind, wanted: str) -> models.QuerySet[Any]:
    """Without rows whose parents are not at Sadad, or which others still need there."""
    if wanted == Wanted.PRESENT:
        for name in kind.model.PARENTS:
            due = due.filter(Q(**{name: None}) | Q(**{f"{name}__sadad_id__isnull": False}))
        if kind.model is ProductLink:
            # An EXISTS, not a join: a link that lists nothing has no product without an id.
            items = ProductLinkItem._base_manager.using(transactions.alias())
            missing = items.filter(link_id=models.OuterRef("pk"), product__sadad_id__isnull=True)
            due = due.exclude(models.Exists(missing))
        return due
    for model, lookup in kinds.dependants(kind):
        others = model._base_manager.using(transactions.alias())
        there = others.filter(**{lookup: models.OuterRef("pk")}, sadad_id__isnull=False)
        due = due.exclude(models.Exists(there))
    return due
