"""Mirrors: what it takes to pull a merchant's customers, to push them, and to make our tables."""

from __future__ import annotations

import copy
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.test import override_settings

from benchmarks.mirrored import Customers, Inserts, installed
from django_sadadpay.models import Customer
from django_sadadpay.registry import CustomerDraft
from django_sadadpay.services import mirroring, pull, push

_AROUND = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
LATENCY, CONCURRENCY = 0.05, 8
Row = dict[str, Any]


@dataclass
class Statements:
    """Statements of all threads, without those that open and end transactions."""

    count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def note(self, execute: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith(_AROUND):
            with self._lock:
                self.count += 1
        return execute(sql, *rest)


@contextmanager
def counting() -> Iterator[Statements]:
    """Count on this thread's connection and on those of threads that begin meanwhile."""
    seen = Statements()

    def opened(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(seen.note)

    connection_created.connect(opened)
    try:
        with connection.execute_wrapper(seen.note):
            yield seen
    finally:
        connection_created.disconnect(opened)


@dataclass(frozen=True)
class Spent:
    """Seconds of a run; ``busy``: of our process and its database session, whatever else the machine did."""

    seconds: float
    busy: float


def spend(call: Callable[[], object]) -> Spent:
    session, cpu, began = _session(), time.process_time(), time.perf_counter()
    call()
    seconds = time.perf_counter() - began
    return Spent(seconds, time.process_time() - cpu + _session() - session)


def _session() -> float:
    """CPU seconds of the database's process for us, where it is one on this machine (PostgreSQL on Linux)."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            words = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def measure_sync(objects: int, pushed: int) -> list[Row]:
    """Each operation's best of three turns: what others do on the machine only makes it slower."""
    return [*_pull(objects), max((_push(pushed) for _ in range(3)), key=lambda row: row["per_second"])]


def _pull(objects: int) -> list[Row]:
    sadad = Customers(objects)
    names = ("pull, new", "pull, unchanged", "pull, changed")
    best: dict[str, Row] = {}
    with installed(sadad):
        for turn in range(3):
            Customer.objects.all().delete()
            for name in names:
                if name == "pull, changed":
                    sadad.word = f" {turn}"
                sadad.make_all()
                with counting() as seen:
                    spent = spend(partial(_expect, objects, name))
                row = _row(name, objects, seen.count, spent)
                best[name] = max(best.get(name, row), row, key=lambda each: each["per_second"])
    Customer.objects.all().delete()
    return [best[name] for name in names]


def _expect(objects: int, name: str) -> None:
    (counted,) = pull.run(resources=["customers"]).lists
    if counted.counts != {name.removeprefix("pull, "): objects}:
        raise AssertionError(f"{name}: {counted.counts} {counted.error}")


def _row(name: str, objects: int, sql: int, spent: Spent) -> Row:
    return {
        "name": name,
        "objects": objects,
        "sql_each": round(sql / objects, 4),
        "per_second": round(objects / spent.seconds),
        "per_busy_second": round(objects / spent.busy) if spent.busy else None,
    }


def _push(objects: int) -> Row:
    """``CONCURRENCY`` calls at once, each of them 50 ms: the gateway is what limits it, if we do not."""
    with installed(Inserts(), latency=LATENCY), override_settings(SADADPAY=_concurrent()):
        push.run()  # the token
        for number in range(objects):
            mirroring.create(CustomerDraft(name=f"Customer {number}", reference=str(number)))
        with counting() as seen:
            spent = spend(_push_all)
    done = Customer.objects.filter(state="synced").count()
    if done != objects:
        raise AssertionError(f"push did {done} of {objects}")
    Customer.objects.all().delete()
    return _row(f"push, {CONCURRENCY} at once, {LATENCY * 1000:.0f} ms each", objects, seen.count, spent)


def _push_all() -> None:
    push.run()


def _concurrent() -> dict[str, Any]:
    return {**copy.deepcopy(settings.SADADPAY), "PUSH_CONCURRENCY": CONCURRENCY}


def measure_migrate(app: str) -> Row:
    """Seconds to make an app's tables where Django's own stand already."""
    call_command("migrate", app, "zero", verbosity=0)
    spent = spend(lambda: call_command("migrate", app, verbosity=0))
    return {
        "name": f"migrate {app}",
        "seconds": round(spent.seconds, 2),
        "busy_seconds": round(spent.busy, 2),
    }


def measure_memory(sizes: list[int]) -> list[Row]:
    """The peak of Python's memory in a pull of unchanged customers, by size. Slow: it is traced."""
    rows = []
    for size in sizes:
        with installed(Customers(size, kept=False)):
            pull.run(resources=["customers"])
            tracemalloc.start()
            _expect(size, "pull, unchanged")
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        rows.append({"name": "pull, unchanged", "objects": size, "peak_megabytes": round(peak / 1e6, 2)})
        print(rows[-1], flush=True)  # the next size may take minutes
    while pks := list(Customer.objects.values_list("pk", flat=True)[:5000]):  # delete() loads what it deletes
        Customer.objects.filter(pk__in=pks).delete()
    connections.close_all()
    return rows
