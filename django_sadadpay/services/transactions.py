"""Transactions of our own: outside any other, run again after a lock error, never around a network call."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Model

from django_sadadpay.models import Invoice, Mark
from django_sadadpay.services.errors import InsideTransaction, TryAgain

T = TypeVar("T")
V = TypeVar("V", bound=Callable[..., Any])
M = TypeVar("M", bound=Model)
logger = logging.getLogger("django_sadadpay")

TRIES = 5
_SQLSTATES = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_MYSQL = (1020, 1205, 1213)  # record changed, lock wait timeout, deadlock
_RUNS_SQL = ("django.db.models.sql.", "django.db.backends.")


def alias() -> str:
    """The database that holds our models."""
    return router.db_for_write(Invoice)


def open_transactions() -> list[str]:
    """Aliases with an open transaction, over all connections; a test case's own blocks do not count."""
    return [
        connection.alias
        for connection in connections.all(initialized_only=True)
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)
        or _without_autocommit(connection)
    ]


def _without_autocommit(connection: BaseDatabaseWrapper) -> bool:
    """Autocommit off outside of ``atomic``: a transaction is always open, and ``atomic`` commits nothing."""
    connected = connection.connection is not None
    return connected and not connection.autocommit and not connection.atomic_blocks


def outside(view: V) -> V:
    """A view outside any transaction, on every database, whatever ATOMIC_REQUESTS says: it calls Sadad."""
    for name in connections:
        view = transaction.non_atomic_requests(using=name)(view)
    return view


def ensure_outside() -> None:
    """:raises InsideTransaction: any connection of this thread is inside a transaction (money-flow 9)."""
    if open_transactions():
        raise InsideTransaction


def run(block: Callable[[], T]) -> T:
    """``block`` in a durable transaction; run again after a deadlock or lock timeout ("database is locked").

    The block must do nothing but SQL: it may run up to 5 times.

    :raises TryAgain: the database stayed locked; nothing was committed.
    """
    for attempt in range(TRIES):
        if attempt:
            _count_rerun()
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - jitter, not a secret
        try:
            with transaction.atomic(using=alias(), durable=True):
                return block()
        except Exception as error:  # shop code in the block may have wrapped the lock error in one of its own
            if not is_lock_error(error):
                _strip(error)
                raise
    raise TryAgain("database_busy")


def statement(call: Callable[[], T]) -> T:
    """One statement in autocommit; made again after a lock error, which has undone all of it.

    :raises TryAgain: as ``run``. :raises DatabaseError: without the values that it was about.
    """
    for attempt in range(TRIES):
        if attempt:
            _count_rerun()
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - jitter, not a secret
        try:
            return call()
        except Exception as error:  # drivers wrap lock errors in classes of their own
            if not is_lock_error(error):
                _strip(error)
                raise
    raise TryAgain("database_busy")


def _strip(error: Exception) -> None:
    """Take out of a database error the values that it was about; a report of it would name the buyer.

    Django's frames below the line that wrote hold a row's columns as variables, so does the driver's error
    behind it, and PostgreSQL quotes the whole row in the lines after its first.
    """
    if isinstance(error, DatabaseError):
        _cut_below(error.__traceback__)
        error.args = tuple(arg.split("\n")[0] if isinstance(arg, str) else arg for arg in error.args)
        error.__cause__, error.__suppress_context__ = None, True


def _cut_below(trace: TracebackType | None) -> None:
    """End a traceback with the last line outside Django's ORM before SQL was run."""
    outside_orm: TracebackType | None = None
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if module.startswith(_RUNS_SQL) and outside_orm is not None:
            outside_orm.tb_next = None
            return
        if not module.startswith("django.db."):
            outside_orm = trace
        trace = trace.tb_next


def lock(model: type[M], pk: Any) -> M:
    """The row by primary key, locked until the transaction ends; the first statement of one that decides.

    On SQLite an UPDATE takes the write lock at once: a SELECT could not be upgraded while another writes.
    """
    connection = connections[alias()]
    rows = model._base_manager.using(connection.alias)
    if connection.vendor == "sqlite":
        rows.filter(pk=pk).update(**{model._meta.pk.attname: F(model._meta.pk.attname)})
        return rows.get(pk=pk)
    return rows.select_for_update(no_key=connection.features.has_select_for_no_key_update).get(pk=pk)


def lock_all(model: type[M], pks: Collection[Any]) -> dict[Any, M]:
    """The rows by primary key, locked as by :func:`lock`, always in the same order."""
    connection = connections[alias()]
    rows = model._base_manager.using(connection.alias).filter(pk__in=pks).order_by("pk")
    if connection.vendor == "sqlite":
        rows.update(**{model._meta.pk.attname: F(model._meta.pk.attname)})
    else:
        rows = rows.select_for_update(no_key=connection.features.has_select_for_no_key_update)
    return {row.pk: row for row in rows}


def is_lock_error(error: BaseException | None) -> bool:
    """A deadlock or lock timeout anywhere in the chain: the whole transaction is void, and is run again."""
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        if _says_locked(one):
            return True
        seen.add(id(one))
        left += [one.__cause__, one.__context__]
    return False


def _says_locked(error: BaseException) -> bool:
    if getattr(error, "sqlstate", None) in _SQLSTATES or getattr(error, "pgcode", None) in _SQLSTATES:
        return True
    if not isinstance(error, DatabaseError):
        return False
    first = error.args[0] if error.args else ""
    return first in _MYSQL or (isinstance(first, str) and "is locked" in first)


def _count_rerun() -> None:
    """Reruns are shown to staff; the count itself must never get in the way."""
    logger.info("a transaction met a lock and is run again")
    with suppress(DatabaseError, InterfaceError), transaction.atomic(using=alias()):
        row, _ = Mark.objects.get_or_create(name="lock_reruns")
        Mark.objects.filter(pk=row.pk).update(count=F("count") + 1)
