"""The benchmarks run, and their counts are true. How fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from benchmarks import report, stub
from benchmarks.cases import Case, cases
from benchmarks.measuring import Unsteady, count_steadily, measure
from tests.shop.models import Order


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a quick run on small tables prints and writes."""
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    small = ["--quick", "--rounds", "1", "--rows", "20", "40", "--pulled", "200", "--memory", "100"]
    command = [sys.executable, "-m", "benchmarks", *small, "--json", str(file)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_a_quick_run_prints_what_it_writes(quick: tuple[str, dict[str, Any]]) -> None:
    printed, written = quick
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    tables = ("operations", "lists", "mirrors", "memory", "migrations")
    for row in (row for table in tables for row in written[table]):
        assert " ".join(str(value) for value in row.values()) in lines
    assert len(written["operations"]) == 9
    assert {row["invoices"] for row in written["lists"]} == {20, 40}


def test_every_row_is_a_ratio_to_both_floors(quick: tuple[str, dict[str, Any]]) -> None:
    a, b, *ours = quick[1]["operations"]
    assert (a["times_floor_a"], b["times_floor_b"]) == (1.0, 1.0)
    assert all(row["times_floor_a"] > 0 and row["times_floor_b"] > 0 for row in ours)


def test_a_list_takes_the_same_statements_at_every_size(quick: tuple[str, dict[str, Any]]) -> None:
    counts: dict[str, set[int]] = {}
    for row in quick[1]["lists"]:
        counts.setdefault(row["name"], set()).add(row["sql"])
    assert all(len(each) == 1 for each in counts.values()), counts


def test_a_mirrored_object_takes_a_part_of_a_statement(quick: tuple[str, dict[str, Any]]) -> None:
    each = {row["name"].partition(",")[0]: row["sql_each"] for row in quick[1]["mirrors"]}
    assert each["pull"] <= 0.1  # of two hundred; of thousands, tests/mirrors/test_pull_sizes.py
    assert each["push"] <= 2


def counted(operation: Callable[[], object]) -> int:
    """Statements as the cursor sees them, without those that open and end transactions."""
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        operation()
    around = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")
    return len([sql for sql in seen if not sql.startswith(around)])


@pytest.mark.django_db(transaction=True)
def test_the_counts_are_those_of_the_database_s_cursor() -> None:
    with stub.installed() as sadad:
        ours = cases(sadad, reconciled=2)
        results = measure(ours, rounds=1, repeats=1)
        own = [counted(case.prepare()) for case in ours]
    rows = report.rows(results[:2], results[2:])
    assert [row["sql"] for row in rows] == own
    assert all(count > 0 for count in own)


@pytest.mark.django_db(transaction=True)
def test_an_operation_that_takes_other_statements_each_time_is_told() -> None:
    case = Case("grows", lambda: lambda: [Order.objects.create(amount=1), list(_each())])
    with pytest.raises(Unsteady, match="grows"):
        count_steadily(case)


def _each() -> Any:
    for pk in Order.objects.values_list("pk", flat=True):
        yield Order.objects.get(pk=pk)
