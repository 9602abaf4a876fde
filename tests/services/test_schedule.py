from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.services import schedule
from django_sadadpay.services.schedule import DAY, HOUR, MINUTE

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
ages = st.timedeltas(timedelta(0), timedelta(days=400))


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (-MINUTE, 2 * MINUTE),
        (timedelta(0), 2 * MINUTE),
        (10 * MINUTE, 5 * MINUTE),
        (HOUR, 15 * MINUTE),
        (6 * HOUR, HOUR),
        (DAY, 6 * HOUR),
        (300 * DAY, 6 * HOUR),
    ],
)
def test_an_unpaid_invoice_is_looked_at_less_and_less(age: timedelta, pause: timedelta) -> None:
    assert schedule.next_unpaid_check(NOW, NOW - age) == NOW + pause


@pytest.mark.parametrize(
    ("age", "pause"),
    [(timedelta(0), 6 * HOUR), (DAY, DAY), (14 * DAY, 7 * DAY), (90 * DAY - MINUTE, 7 * DAY)],
)
def test_a_paid_invoice_is_looked_at_for_90_days(age: timedelta, pause: timedelta) -> None:
    assert schedule.next_paid_check(NOW, NOW - age) == NOW + pause


def test_after_90_days_nobody_looks_at_a_paid_invoice_again() -> None:
    assert schedule.next_paid_check(NOW, NOW - 90 * DAY) is None


@given(ages, ages)
def test_the_older_the_longer(one: timedelta, other: timedelta) -> None:
    young, old = sorted((one, other))
    assert schedule.next_unpaid_check(NOW, NOW - young) <= schedule.next_unpaid_check(NOW, NOW - old)


@pytest.mark.parametrize(
    ("tries", "pause"),
    list(enumerate([MINUTE, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, DAY])),
)
def test_failures_are_tried_again_later_and_later_at_most_a_day(tries: int, pause: timedelta) -> None:
    assert schedule.back_off(NOW, tries) == NOW + pause


def test_a_day_ends_at_midnight_in_kuwait() -> None:
    assert schedule.end_of(date(2026, 4, 1)) == datetime(2026, 4, 1, 21, tzinfo=UTC)
    assert schedule.end_of(date(2026, 12, 31)) == datetime(2026, 12, 31, 21, tzinfo=UTC)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_moment_before_its_end_is_still_that_day(day: date) -> None:
    end = schedule.end_of(day)
    assert schedule.kuwait_day(end - timedelta(microseconds=1)) == day
    assert schedule.kuwait_day(end) == day + DAY
    assert end.utcoffset() == timedelta(0)


def test_a_process_may_own_a_row_for_longer_than_its_calls_take() -> None:
    assert schedule.BUSY.total_seconds() > 4 * 20  # insert, a look, getbyid and a delete, 20 s each
