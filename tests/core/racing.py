"""Threads that start together, each with database connections of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
_PATIENCE = 60.0


def race(call: Callable[[], T], threads: int = 8) -> list[T]:
    """``call`` in so many threads at once; what each gave. The first error of any of them is raised."""
    gate = threading.Barrier(threads, timeout=_PATIENCE)

    def one() -> T:
        try:
            gate.wait()
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(one) for _ in range(threads)]
        return [each.result(_PATIENCE) for each in running]
