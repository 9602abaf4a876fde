"""MariaDB through PyMySQL: `python -m tests.servers.mariadb -- pytest` starts a private one."""

from __future__ import annotations

import pymysql

from tests.settings.base import *  # noqa: F403 - a settings module is its base and a few changes
from tests.settings.server import database

# Django asks for mysqlclient's version; PyMySQL stands in for it without a C compiler.
pymysql.version_info = (2, 2, 8, "final", 0)
pymysql.install_as_MySQLdb()

DATABASES = {"default": database("SADADPAY_TEST_MARIADB", "mysql", charset="utf8mb4")}
