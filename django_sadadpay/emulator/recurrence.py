"""Dates that come again, and money cut into parts: pure arithmetic in Kuwait dates and whole fils.

The recurrence words are the panel's own (contract 10); how Sadad counts month ends is assumed here.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta

from django_sadadpay.emulator.wire import KUWAIT, local_time

DAYS = {"Daily": 1, "Weekly": 7}
MONTHS = {"Monthly": 1, "Quarterly": 3, "Yearly": 12}
WORDS = (*DAYS, *MONTHS)


def date_after(start: date, word: str, count: int) -> date:
    """``start`` and ``count`` periods. The 31st falls on a shorter month's last day and comes back after it.

    So it is counted from the start, never from the date before. Raises KeyError for an unknown word.
    """
    if word in DAYS:
        return start + timedelta(days=DAYS[word] * count)
    years, month = divmod(start.month - 1 + MONTHS[word] * count, 12)
    year = start.year + years
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def shares(fils: int, count: int) -> list[int]:
    """``fils`` in ``count`` parts that add up to it again: they differ by one fils, the larger ones first."""
    part, left = divmod(fils, count)
    return [part + (position < left) for position in range(count)]


def kuwait_date(seconds: float) -> date:
    """The date on Kuwait's calendar at an instant (seconds since the epoch)."""
    return local_time(seconds).date()


def midnight(day: date) -> float:
    """The instant, in seconds since the epoch, at which a day begins in Kuwait."""
    return datetime.combine(day, time(), KUWAIT).timestamp()
