"""Everything but the admin works in a project that does not install it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_shop_without_the_admin_takes_payments(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.admin.without_admin", str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, payment, loaded = done.stdout.splitlines()
    assert payment == "paid 2.345"
    assert loaded == "admin loaded: []"
