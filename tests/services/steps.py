"""What a service leaves behind on its way: the points it passes, the ledger rows it writes."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import pytest

from django_sadadpay.models import Invoice
from django_sadadpay.services import clock, points


def watch(monkeypatch: pytest.MonkeyPatch, prefix: str) -> list[str]:
    """The points that begin with ``prefix``, in the order in which they are passed from now on."""
    passed: list[str] = []
    for label in points.POINTS:
        if label.startswith(prefix):
            monkeypatch.setitem(points.armed, label, partial(passed.append, label))
    return passed


def ledger(invoice: Invoice, prefix: str = "") -> list[tuple[str, str, str, Any]]:
    """Kind, source, by whom, and particulars of the ledger rows whose kind begins with ``prefix``."""
    rows = invoice.events.filter(kind__startswith=prefix).order_by("pk")
    return [(row.kind, row.source, row.by_name, row.params) for row in rows]


def stop_clock(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The database's clock stands still from now on, so that what is reckoned from it can be told exactly."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment
