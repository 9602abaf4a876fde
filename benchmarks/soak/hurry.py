"""Ten minutes in one: what the shop waits for is divided by ``FACTOR``, so that hours of trouble fit in.

Deadlines, leases, back-off and the schedule of unpaid invoices keep their ratios to one another; what is
counted in days stays, and the clock is moved past it once the faults have stopped (``SHIFT``). What takes the
machine its time (SQL, HTTP) does not shrink with it: the shop is under more pressure, not less.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django_sadadpay import views
from django_sadadpay.gateway import tokens
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.services import checkout, clock, reconcile, refunds, schedule

FACTOR = 10
#: Seconds by which this process's clock is ahead.
SHIFT = "SOAK_CLOCK_SHIFT"

#: Where a pause or a deadline stands, in seconds or as a timedelta.
PAUSES: tuple[tuple[Any, str], ...] = (
    (tokens, "LEASE_SECONDS"),
    (tokens, "RENEWAL_SECONDS"),
    (tokens, "FRESH_SECONDS"),
    (schedule, "BUSY"),
    (schedule, "MINUTE"),
    (checkout, "_PATIENCE"),
    (refunds, "_SEND_WITHIN"),
    (views, "_LOOK_PAUSE"),
)


_DAY = timedelta(days=1)


def apply() -> None:
    """For the whole process, once: when Django is set up."""
    for module, name in PAUSES:
        setattr(module, name, shorter(getattr(module, name)))
    defaults: dict[str, Any] = SadadClient.__init__.__kwdefaults__ or {}
    defaults["deadline"] = shorter(defaults["deadline"])
    _shorten_schedules()
    clock.shift(float(os.environ.get(SHIFT, "0")))


def shorter(value: Any) -> Any:
    """A tenth; whole numbers stay whole, since some go into SQL as such."""
    return value // FACTOR if isinstance(value, int) else value / FACTOR


def _shorten_schedules() -> None:
    """What is counted in days stays."""
    table = vars(schedule)
    table["_UNPAID"] = tuple((age and shorter(age), shorter(pause)) for age, pause in table["_UNPAID"])
    table["_BACK_OFF"] = tuple(shorter(pause) if pause < _DAY else pause for pause in table["_BACK_OFF"])
    kinds = vars(reconcile)
    kinds["_KINDS"] = tuple(
        replace(kind, again=kind.again and shorter(kind.again)) for kind in kinds["_KINDS"]
    )
