"""Dates that come again and money in parts: nothing is lost, whatever the calendar says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.emulator.recurrence import WORDS, date_after, kuwait_date, midnight, shares

STARTS = st.dates(date(2000, 1, 1), date(2200, 12, 31))
COUNTS = st.integers(0, 400)


@pytest.mark.parametrize(
    ("word", "count", "day"),
    [
        ("Daily", 1, date(2027, 2, 1)),
        ("Weekly", 2, date(2027, 2, 14)),
        ("Monthly", 1, date(2027, 2, 28)),
        ("Monthly", 2, date(2027, 3, 31)),
        ("Monthly", 13, date(2028, 2, 29)),
        ("Quarterly", 1, date(2027, 4, 30)),
        ("Yearly", 1, date(2028, 1, 31)),
    ],
)
def test_month_ends_stay_in_their_month_and_come_back(word: str, count: int, day: date) -> None:
    assert date_after(date(2027, 1, 31), word, count) == day


def test_leap_day_comes_every_year_on_the_last_of_february() -> None:
    leap = date(2028, 2, 29)
    assert [date_after(leap, "Yearly", count) for count in (1, 4)] == [date(2029, 2, 28), date(2032, 2, 29)]


@given(STARTS, st.sampled_from(WORDS), COUNTS)
def test_dates_rise_and_keep_the_day_of_the_start(start: date, word: str, count: int) -> None:
    here, after = date_after(start, word, count), date_after(start, word, count + 1)

    assert here < after
    if word in ("Monthly", "Quarterly", "Yearly"):
        last = (here + timedelta(days=1)).month != here.month
        assert here.day == start.day or (last and here.day < start.day)


@given(STARTS, COUNTS)
def test_quarters_and_years_are_made_of_months(start: date, count: int) -> None:
    assert date_after(start, "Quarterly", count) == date_after(start, "Monthly", 3 * count)
    assert date_after(start, "Yearly", count) == date_after(start, "Monthly", 12 * count)


@given(st.integers(0, 10**12), st.integers(1, 500))
def test_parts_add_up_and_differ_by_one_fils_at_most(fils: int, count: int) -> None:
    parts = shares(fils, count)

    assert (len(parts), sum(parts)) == (count, fils)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] in (0, 1)


def test_day_begins_in_kuwait_three_hours_before_greenwich() -> None:
    assert midnight(date(2026, 11, 23)) == datetime(2026, 11, 22, 21, tzinfo=UTC).timestamp()


@given(STARTS)
def test_midnight_is_the_first_instant_of_its_date(day: date) -> None:
    assert kuwait_date(midnight(day)) == day
    assert kuwait_date(midnight(day) - 1) == day - timedelta(days=1)
