"""SQLite in a file, in WAL mode, as a small shop runs it: threads and other processes see the same rows."""

from __future__ import annotations

from typing import Any

from tests.settings.base import *  # noqa: F403 - a settings module is its base and a few changes
from tests.settings.folder import run_folder

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(run_folder() / "shop.sqlite3"),
        "TEST": {"NAME": str(run_folder() / "test.sqlite3")},
        # synchronous=OFF: a test database need not survive a power cut, and fsync costs most of the time.
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;", "timeout": 20},
    },
}
