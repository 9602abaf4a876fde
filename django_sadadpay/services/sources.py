"""The rows of the shop's objects: which kind they are, and how they are locked."""

from __future__ import annotations

from typing import Any

from django.db import connections, models
from django.db.models import F

from django_sadadpay.models import Mirror
from django_sadadpay.registry import Mirrored, mirrors
from django_sadadpay.services import kinds, transactions
from django_sadadpay.services.kinds import Kind


def kind_of(mirrored: Mirrored[Any]) -> Kind:
    if mirrored.draft is None:
        raise TypeError(f"{mirrored.name} makes no draft")
    return kinds.of_draft(mirrored.draft)


def mirrored_of(obj: models.Model, name: str) -> Mirrored[Any]:
    found = mirrors.get(name) if name else mirrors.for_object(obj)
    if found is None:
        raise LookupError(f"no mirror is registered as {name!r}")
    return found


def locked(kind: Kind, key: str) -> list[Mirror]:
    """The object's rows, in any account and environment, locked until the transaction ends."""
    connection = connections[transactions.alias()]
    rows = kind.model._base_manager.using(connection.alias).filter(source_key=key).order_by("pk")
    if connection.vendor == "sqlite":
        rows.update(source_key=F("source_key"))  # takes the write lock at once, as transactions.lock does
        return list(rows)
    if connection.features.has_select_for_no_key_update:
        return list(rows.select_for_update(no_key=True))
    return list(rows.select_for_update())
