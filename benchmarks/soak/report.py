"""The account: what was done, what went wrong on purpose, and whether anything was wrong, lost or doubled."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.soak import memory
from benchmarks.soak.audit import PAID, Finding, Ours, Theirs, counts

FILE = Path(__file__).parents[1] / "results" / "soak.json"
SHOWN = 40  # findings


def books_rows(ours: Ours, theirs: Theirs) -> dict[str, Any]:
    """Both sides in figures."""
    paid = [row for row in theirs.invoices if row["status"] in PAID]
    states = Counter(row["state"] for row in ours.refunds if row["source"] == "shop")
    return {
        "payments_at_sadad": len(paid),
        "payments_here": sum(row["state"] == "paid" for row in ours.invoices),
        "orders": len(ours.orders),
        "orders_paid": sum(row["status"] == "paid" for row in ours.orders),
        "invoices_at_sadad": len(theirs.invoices),
        "kwd_paid": f"{sum(round(row['amount'] * 1000) for row in paid) / 1000:.3f}",
        "refund_rows": dict(sorted(states.items())),
        "refunds_at_sadad": dict(sorted(Counter(row["source"] for row in theirs.refunds).items())),
        "kwd_refunded": f"{sum(row['fils'] for row in theirs.refunds) / 1000:.3f}",
        "refund_inserts": len(theirs.inserts),
        "webhooks": dict(sorted(Counter(row["state"] for row in theirs.webhooks).items())),
        "waiting_for_a_person": dict(sorted(Counter(row["code"] for row in ours.cases).items())),
    }


def circumstances(facts: dict[str, Any]) -> dict[str, Any]:
    import django
    from celery import __version__ as celery_version
    from django.db import connection
    from gunicorn import __version__ as gunicorn_version

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (database,) = cursor.fetchone()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} × {_processor()}",
        "python": platform.python_version(),
        "django": django.get_version(),
        "gunicorn": gunicorn_version,
        "celery": celery_version,
        "postgresql": database,
        **facts,
    }


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def is_good(data: dict[str, Any]) -> bool:
    """Exit code 0: nothing wrong, lost, doubled or stuck, and the memory holds."""
    return not any(data["result"].values()) and data["memory_holds"] is not False


def verdict(findings: list[Finding], rows: list[dict[str, Any]], payments: int) -> dict[str, Any]:
    """``memory_holds`` is None where the run is too short to say."""
    enough = payments >= memory.LEAST and any(row["judged"] for row in rows)
    return {
        "result": counts(findings),
        "memory_holds": memory.holds(rows) if enough else None,
        "findings": [str(finding) for finding in findings],
    }


def show(data: dict[str, Any]) -> None:
    """On the terminal."""
    for title in ("circumstances", "load", "books", "faults", "kills"):
        print(f"\n{title}")
        for name, value in data[title].items():
            print(f"  {name:<28} {value}")
    print("\nmemory (MB of each process, after its first tenth and at its end)")
    for row in data["memory"]:
        mark = "" if row["judged"] else f"   (shown, not judged; the one of {row['of']} that grew most)"
        print(f"  {row['process']:<20} {row['first_tenth_mb']:>8} {row['end_mb']:>8}  × {row['ratio']}{mark}")
    print()
    for line in data["findings"][:SHOWN]:
        print(line)
    if len(data["findings"]) > SHOWN:
        print(f"… and {len(data['findings']) - SHOWN} more")
    print(", ".join(f"{kind} {number}" for kind, number in data["result"].items()), end="")
    print(f"; memory holds: {'too short to say' if data['memory_holds'] is None else data['memory_holds']}")


def keep(data: dict[str, Any], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {file}", file=sys.stderr)
