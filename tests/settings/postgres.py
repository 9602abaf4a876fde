"""PostgreSQL: `python -m tests.servers.postgres -- pytest` starts a private one."""

from __future__ import annotations

from tests.settings.base import *  # noqa: F403 - a settings module is its base and a few changes
from tests.settings.server import database

DATABASES = {"default": database("SADADPAY_TEST_POSTGRES", "postgresql")}
