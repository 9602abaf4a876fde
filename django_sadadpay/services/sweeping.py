"""Look at every object of a registered model: for changes that no signal told of, and saves cut short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django_sadadpay.models import Mirror
from django_sadadpay.registry import Mirrored
from django_sadadpay.services import transactions
from django_sadadpay.services.mirroring import forget, mirror
from django_sadadpay.services.sources import kind_of

_CHUNK = 100


def mirror_all(mirrored: Mirrored[Any]) -> int:
    """Mark the mirrors of all objects, and want gone those whose object is gone. For what no signal told."""
    changed = mirror(mirrored.objects(), name=mirrored.name)
    return changed + sum(1 for pk in _orphans(mirrored) if forget(mirrored, pk))


def _orphans(mirrored: Mirrored[Any]) -> Iterator[str]:
    """Primary keys of objects that are gone and whose mirror is not."""
    rows = kind_of(mirrored).model._base_manager.using(transactions.alias())
    mine = rows.filter(source=mirrored.name, wanted=Mirror.Wanted.PRESENT).order_by("pk")
    last = 0
    while chunk := list(mine.filter(pk__gt=last).values_list("pk", "object_id")[:_CHUNK]):
        last = chunk[-1][0]
        pks = [pk for _row, pk in chunk]
        objects = mirrored.model._base_manager.using(transactions.alias())
        there = {str(pk) for pk in objects.filter(pk__in=pks).values_list("pk", flat=True)}
        yield from (pk for pk in pks if pk not in there)
