"""The database's clock: one clock for all web and worker machines, whatever their own say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import DurationField, Value
from django.db.models.functions import Now

from django_sadadpay.services.transactions import alias

if TYPE_CHECKING:
    from django.db.models.sql.compiler import SQLCompiler

_SQL = {
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
}
_shift = timedelta(0)


def now() -> datetime:
    """The database's time, aware UTC; milliseconds on SQLite, microseconds elsewhere. One SQL statement."""
    connection = connections[alias()]
    with connection.cursor() as cursor:
        cursor.execute(_SQL[connection.vendor])
        (value,) = cursor.fetchone()
    return _aware(value) + _shift


def sql_now() -> Any:
    """The same clock inside a statement, for a condition that must not be a moment old."""
    return UtcNow() if not _shift else UtcNow() + Value(_shift, output_field=DurationField())


class UtcNow(Now):
    """Django stores UTC on MariaDB, but its Now() there is the session's local time."""

    def as_mysql(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **extra)


def shift(seconds: float) -> None:
    """Move the clock of this process for tests: relative; ``shift_reset()`` puts it right again."""
    global _shift  # noqa: PLW0603 - a process has one clock
    _shift += timedelta(seconds=seconds)


def shift_reset() -> None:
    global _shift  # noqa: PLW0603 - a process has one clock
    _shift = timedelta(0)


def _aware(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
