"""When a row is looked at next: often while it is young, thinning with age. Data, to be read at a glance."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

KUWAIT = timezone(timedelta(hours=3), "Asia/Kuwait")  # no daylight saving since 1945
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

#: (while younger than, look again after)
_UNPAID = (
    (10 * MINUTE, 2 * MINUTE),
    (HOUR, 5 * MINUTE),
    (6 * HOUR, 15 * MINUTE),
    (DAY, HOUR),
    (None, 6 * HOUR),
)
_PAID = ((DAY, 6 * HOUR), (14 * DAY, DAY), (90 * DAY, 7 * DAY))
_BACK_OFF = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY)

#: Rows that the buyer can no longer pay through us are watched this long after their expiry (money-flow 3.5).
WATCH = 7 * DAY
#: An invoice still unpaid this long after its last day is deleted at Sadad (money-flow 3.6).
DELETE_AFTER = DAY
#: A link is not handed out in its last hour (money-flow 3.1).
LAST_HOUR = HOUR
#: A process that makes or deletes an invoice owns it for this long: longer than all its calls together.
BUSY = timedelta(seconds=120)


def next_unpaid_check(now: datetime, created: datetime) -> datetime:
    return now + next(pause for age, pause in _UNPAID if age is None or now - created < age)


def next_paid_check(now: datetime, paid: datetime) -> datetime | None:
    """Refunds made in Sadad's panel send no webhook (contract 5): a paid invoice is looked at for 90 days."""
    return next((now + pause for age, pause in _PAID if now - paid < age), None)


def back_off(now: datetime, tries: int) -> datetime:
    """After the first failure a minute, then longer, at most a day."""
    return now + _BACK_OFF[min(max(tries, 1), len(_BACK_OFF)) - 1]


def end_of(day: date) -> datetime:
    """The end of a Kuwaiti day, aware UTC."""
    return datetime.combine(day, time(), KUWAIT).astimezone(UTC) + DAY


def kuwait_day(moment: datetime) -> date:
    return moment.astimezone(KUWAIT).date()
