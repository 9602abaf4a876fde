"""The experiments' figures for the results page: kept where ``SADADPAY_FIRE_RESULTS`` names a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import django
from django.db import connection

from benchmarks.machine import describe


def keep(name: str, row: dict[str, Any]) -> None:
    """Add a row to ``{name}-{database}.json``, in place of an older one of the same name."""
    folder = os.environ.get("SADADPAY_FIRE_RESULTS")
    if not folder:
        return
    file = Path(folder) / f"{name}-{connection.vendor}.json"
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    rows = [one for one in rows if one["name"] != row["name"]] + [row]
    found = {"circumstances": _circumstances(), "rows": rows}
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _circumstances() -> dict[str, Any]:
    version = ".".join(str(part) for part in connection.get_database_version())
    return {**describe(), "django": django.get_version(), "database": f"{connection.vendor} {version}"}
