"""A short soak: the real processes, faults and a kill, and an account that is clean."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.celery


def test_a_short_soak_ends_with_a_clean_account(tmp_path: Path) -> None:
    file = tmp_path / "soak.json"
    small = ["--payments", "20", "--rate", "10", "--kills", "1", "--faults", "0.03", "--workers", "1"]
    command = [sys.executable, "-m", "benchmarks", "soak", *small, "--json", str(file)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    account = json.loads(file.read_text())
    assert account["result"] == {"wrong": 0, "lost": 0, "doubled": 0, "stuck": 0}
    assert account["books"]["payments_at_sadad"] >= 20
    assert account["books"]["payments_here"] == account["books"]["payments_at_sadad"]
    assert account["faults"]["all"] > 0
    assert account["kills"]["killed"] == ["gunicorn worker"]
    assert "wrong 0, lost 0, doubled 0, stuck 0" in done.stdout
