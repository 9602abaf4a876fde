"""Hands the rows of one phase of a push to the threads that ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django_sadadpay.models import Mirror
from django_sadadpay.services.finding import Lists
from django_sadadpay.services.kinds import Kind

#: Rows claimed with one statement; a killed worker leaves at most so many to be looked for.
_GROUP = 8


@dataclass
class Budget:
    """How many rows, and until when (seconds, by this process's clock), a run may begin."""

    limit: int | None = None
    until: float | None = None

    @property
    def is_spent(self) -> bool:
        return self.limit == 0 or (self.until is not None and time.monotonic() >= self.until)

    def take(self, wanted: int) -> int:
        """How many of ``wanted`` rows may be taken; they count."""
        if self.is_spent:
            return 0
        if self.limit is None:
            return wanted
        taken = min(wanted, self.limit)
        self.limit -= taken
        return taken


class Feed:
    """The rows of one phase, handed out in groups to the threads that ask."""

    def __init__(self, kind: Kind, batches: Iterator[list[Any]], budget: Budget, most: int) -> None:
        """:param most: threads that may ask."""
        self.kind, self.lists, self._budget = kind, Lists(), budget
        self._lock = threading.Lock()
        self._batches, self._rows = batches, next(batches, [])
        self._ahead: list[Any] | None = None
        self._closed = False
        #: The budget ended before the rows did.
        self.is_cut = False
        #: Where only a person could look, no row is claimed before its turn.
        self._size = _GROUP if kind.key else 1
        #: Threads worth starting; none where there are no rows.
        self.threads = min(most, -(-len(self._rows) // self._size))

    def next(self) -> list[Mirror]:
        with self._lock:
            if self._closed:
                return []
            if not self._rows:
                self._rows = self._following() if self._ahead is None else self._ahead
                self._ahead = None
            taken = self._budget.take(min(self._share(), len(self._rows)))
            self.is_cut = self.is_cut or (not taken and bool(self._rows))
            group, self._rows = self._rows[:taken], self._rows[taken:]
            return group

    def _share(self) -> int:
        """Rows for one thread. The last ones are spread, so that none has four to do while others wait."""
        left = len(self._rows) // self.threads
        if left >= self._size:
            return self._size
        if self._ahead is None:
            self._ahead = self._following()
        return self._size if self._ahead else max(left, 1)

    def _following(self) -> list[Any]:
        return next(self._batches, [])

    def close(self) -> None:
        """Nobody gets another group."""
        self._closed = True
