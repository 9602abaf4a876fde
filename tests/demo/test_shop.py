"""The tests in ``shop/``, with the example's own settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_example_shop_passes_its_own_tests(tmp_path: Path) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "example_project.settings", "SHOP_FOLDER": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/demo/shop"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_the_example_shop_passes_its_checks_and_has_all_migrations(tmp_path: Path) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "example_project.settings", "SHOP_FOLDER": str(tmp_path)}
    for arguments in (
        ["check", "--fail-level", "WARNING"],
        ["makemigrations", "--check", "--dry-run", "shop"],
    ):
        command = [sys.executable, "-m", "example_project.manage", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
