"""Many new rows in one statement, fast: a first pull makes a million.

On PostgreSQL the rows go as one JSON text, which its ``json_populate_recordset`` reads by the columns' own
types: about twice as fast as ``bulk_create``, which turns each value of 30 columns into an array's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from django_sadadpay.models import Mirror
from django_sadadpay.services import transactions


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        # Django's own form of a moment has no microseconds.
        return o.isoformat() if isinstance(o, date) else super().default(o)


_encode = _Encoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def insert(rows: Sequence[Mirror]) -> None:
    """Make the rows, which are of one kind and have different Sadad ids, and give them their primary keys.

    :raises IntegrityError: one of them is there already; then none was made, and the transaction is void.
    """
    if not rows:
        return
    connection = connections[transactions.alias()]
    if connection.vendor == "postgresql":
        _insert_json(connection, rows)
    else:
        type(rows[0])._base_manager.using(connection.alias).bulk_create(rows)


def _insert_json(connection: BaseDatabaseWrapper, rows: Sequence[Mirror]) -> None:
    meta = type(rows[0])._meta
    fields = [f for f in meta.concrete_fields if not f.primary_key]
    quote = connection.ops.quote_name
    table, key, sadad_id = quote(meta.db_table), quote(str(meta.pk.column)), quote("sadad_id")
    columns = ", ".join(quote(str(f.column)) for f in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns}"  # noqa: S608 - names of our own columns
            f" FROM json_populate_recordset(NULL::{table}, %s) RETURNING {sadad_id}, {key}",
            [_text(fields, rows)],
        )
        keys = dict(cursor.fetchall())
    for row in rows:
        row.pk = keys[row.sadad_id]
        row._state.adding, row._state.db = False, connection.alias


def _text(fields: Sequence[models.Field[Any, Any]], rows: Sequence[Mirror]) -> str:
    names = [(f.column, f.attname) for f in fields]
    return _encode([{column: getattr(row, name) for column, name in names} for row in rows])
