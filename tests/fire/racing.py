"""Races with real threads and connections: started together behind a barrier, on whatever database the
settings name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

from django_sadadpay import PaymentError
from django_sadadpay.models import Mark

Job = Callable[[], Any]


def race(*jobs: Job) -> list[Any]:
    """Run all jobs at the same moment, each in a thread and connection of its own; results or errors, in
    order.
    """
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(index: int, job: Job) -> None:
        try:
            connections["default"].ensure_connection()  # opening one takes longer than the race
            barrier.wait(timeout=30)
            results[index] = job()
        except Exception as error:  # noqa: BLE001 - the race's result, judged by the test
            results[index] = error  # type: ignore[call-overload]  # a result or what was raised
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(i, job)) for i, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert not any(thread.is_alive() for thread in threads)
    return results


def unexpected(results: list[Any]) -> list[Any]:
    """What no caller should see: anything but the public errors, and a lock error behind one of those."""
    errors = [result for result in results if isinstance(result, BaseException)]
    return [error for error in errors if not isinstance(error, PaymentError) or _is_about_locks(error)]


def _is_about_locks(error: PaymentError) -> bool:
    # SQLite has one lock for the whole database: a caller may be told to try again, never anything wrong.
    return error.code == "database_busy" and connection.vendor != "sqlite"


def reruns() -> int:
    """How often a transaction met a lock and was run again."""
    return sum(Mark.objects.filter(name="lock_reruns").values_list("count", flat=True))
