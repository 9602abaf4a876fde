"""Time and statements of an operation. Cases take turns, so that a slow minute is everybody's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.cases import Case, Operation

_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass
class Result:
    """``sql`` and ``transactions`` are exact counts of one run; ``seconds`` are of each run."""

    name: str
    units: int
    sql: int
    transactions: int
    seconds: list[float] = field(default_factory=list)

    @property
    def each(self) -> float:
        """Seconds for one invoice: the median, which a burst of others' work does not move."""
        return median(self.seconds) / self.units


class Unsteady(Exception):
    """An operation took another number of statements the second time: its count would mean nothing."""


def count(operation: Operation) -> tuple[int, int]:
    """Statements and transaction statements of one run."""
    with CaptureQueriesContext(connection) as seen:
        operation()
    texts = [query["sql"] for query in seen.captured_queries]
    around = sum(text.startswith(_TRANSACTION) for text in texts)
    return len(texts) - around, around


def count_steadily(case: Case) -> tuple[int, int]:
    """:raises Unsteady: two runs differ."""
    case.prepare()()  # what is done once for a process: tokens, caches
    first, second = count(case.prepare()), count(case.prepare())
    if first != second:
        raise Unsteady(f"{case.name}: {first} and then {second} statements")
    return first


def measure(cases: Sequence[Case], rounds: int, repeats: int) -> list[Result]:
    """``rounds`` times each case in turn, ``repeats`` runs of it at a time (one, where it is about many)."""
    results = [Result(case.name, case.units, *count_steadily(case)) for case in cases]
    for _ in range(rounds):
        for case, result in zip(cases, results, strict=True):
            for _ in range(repeats if case.units == 1 else 1):
                operation = case.prepare()
                began = time.perf_counter()
                operation()
                result.seconds.append(time.perf_counter() - began)
    return results
