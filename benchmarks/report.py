"""The table that people read and the JSON file that programs read. Both say the same."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import django
from django.db import connection

from benchmarks.measuring import Result

FOLDER = Path(__file__).parent / "results"
Row = dict[str, Any]


def rows(floors: list[Result], results: list[Result]) -> list[Row]:
    """Ratios to both floors of the same run; the rate is only the machine's word of today."""
    a, b = (floor.each for floor in floors)
    return [
        {
            "name": one.name,
            "sql": one.sql,
            "transactions": one.transactions,
            "sql_each": round(one.sql / one.units, 2),
            "times_floor_a": round(one.each / a, 2),
            "times_floor_b": round(one.each / b, 2),
            "per_second": round(1 / one.each, 1),
        }
        for one in (*floors, *results)
    ]


def list_rows(found: dict[int, list[Result]]) -> list[Row]:
    """Each page at each size; ``times_smallest`` compares it with the same page of the smallest table."""
    smallest = {one.name: one.each for one in found[min(found)]}
    return [
        {
            "name": one.name,
            "invoices": size,
            "sql": one.sql,
            "transactions": one.transactions,
            "times_smallest": round(one.each / smallest[one.name], 2),
            "milliseconds": round(one.each * 1000, 1),
        }
        for size, results in found.items()
        for one in results
    ]


def circumstances(options: dict[str, Any]) -> Row:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        (version,) = cursor.fetchone()
    return {
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": f"{connection.vendor} {version}",
        "durability": "synchronous=NORMAL" if connection.vendor == "sqlite" else _fsync(),
        "gateway": "in memory, no HTTP",
        **options,
    }


def _fsync() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        (value,) = cursor.fetchone()
    return f"fsync={value}"


def show(data: Row) -> None:
    print(", ".join(f"{name} {value}" for name, value in data["circumstances"].items()))
    print()
    _table(data["operations"])
    for name in ("lists", "mirrors", "memory", "migrations"):
        if data[name]:
            print()
            _table(data[name])


def _table(lines: list[Row]) -> None:
    titles = list(lines[0])
    cells = [titles, *([str(value) for value in line.values()] for line in lines)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(titles))]
    for row in cells:
        first = row[0].ljust(widths[0])
        print(
            "  ".join([first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])
        )


def keep(data: Row, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {file}", file=sys.stderr)
