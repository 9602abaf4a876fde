"""One at a time, by a name, until the transaction ends: for work that must hold no row which others lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from django_sadadpay.models import Mark
from django_sadadpay.services import transactions


@contextmanager
def held(name: str) -> Iterator[None]:
    """Hold ``name``; who else asks for it waits for our commit. The first statement of its transaction.

    It is a row that is made and taken away in one transaction: nobody ever sees it, nothing is left of a
    process that dies, and no other lock of ours can be in a circle with it.
    """
    connection = connections[transactions.alias()]
    rows = Mark._base_manager.using(connection.alias)
    target = ["name"] if connection.features.supports_update_conflicts_with_target else None
    rows.bulk_create([Mark(name=name)], update_conflicts=True, unique_fields=target, update_fields=["count"])
    yield
    rows.filter(name=name).delete()
