"""Wake whoever pushes, once for a transaction and after it. The rows are the queue: a wake-up may be lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from django.db import transaction

from django_sadadpay.models import Mirror
from django_sadadpay.services import transactions

logger = logging.getLogger("django_sadadpay")
Runner = Callable[[Sequence[Mirror]], None]
#: Set by ``AppConfig.ready``: the surfaces know of tasks, services do not.
_runner: Runner | None = None


def connect(runner: Runner | None) -> None:
    """Who is told of the rows that a transaction marked."""
    global _runner  # noqa: PLW0603 - a process has one
    _runner = runner


def after_commit(row: Mirror) -> None:
    """Wake the runner when the open transaction commits; with a rolled-back savepoint the wish goes too."""
    connection = transaction.get_connection(transactions.alias())
    for _sids, wake, _robust in reversed(connection.run_on_commit):
        if isinstance(wake, _Wake):
            wake.rows.append(row)
            return
    transaction.on_commit(_Wake(row), using=connection.alias, robust=True)


class _Wake:
    def __init__(self, row: Mirror) -> None:
        self.rows = [row]

    def __call__(self) -> None:
        """Never an error to whoever saved: what is not pushed now is due all the same."""
        if _runner is None:
            return
        try:
            _runner(self.rows)
        except Exception as error:  # noqa: BLE001 - a broker that is down must not fail a request that has committed
            logger.warning("push was not woken: %s", type(error).__name__)
