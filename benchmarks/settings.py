"""The test project's settings, on SQLite in WAL mode as a shop runs it, or on PostgreSQL."""

from __future__ import annotations

import os
from typing import Any

from tests.settings import base
from tests.settings.base import *  # noqa: F403 - a settings module is its base and a few changes
from tests.settings.folder import run_folder
from tests.settings.server import database

DATABASE = "SADADPAY_BENCH_DATABASE"
INSTALLED_APPS = [*base.INSTALLED_APPS, "benchmarks.floor"]
if os.environ.get("SADADPAY_BENCH_PEERS"):
    from benchmarks.peer_settings import *  # noqa: F403 - as above

    INSTALLED_APPS += ["djstripe"]
LOGGING_CONFIG = None  # what is measured is not what a console takes

DATABASES: dict[str, dict[str, Any]]
if os.environ.get(DATABASE) == "postgres":
    # A name of its own: the suite may be at work on the same server.
    server = database("SADADPAY_TEST_POSTGRES", "postgresql")
    DATABASES = {"default": {**server, "TEST": {"NAME": "sadadpay_bench"}}}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(run_folder() / "bench.sqlite3"),
            "TEST": {"NAME": str(run_folder() / "bench-run.sqlite3")},
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                "timeout": 20,
            },
        },
    }
