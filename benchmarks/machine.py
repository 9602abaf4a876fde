"""On what, and when, something was measured: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def describe() -> dict[str, str | int]:
    """Cores, memory, system, Python and the day. Nothing that names this machine."""
    return {
        "cores": os.cpu_count() or 0,
        "memory_gib": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "day": datetime.now(UTC).date().isoformat(),
    }


def _memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0  # no Linux
    kilobytes = next(line.split()[1] for line in lines if line.startswith("MemTotal:"))
    return round(int(kilobytes) / 1024**2)
