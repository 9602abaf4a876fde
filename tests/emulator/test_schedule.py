"""An instalment plan's arithmetic: no fils is lost, dates rise, late fees grow by the day or the month."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.emulator.protocol import Refusal
from django_sadadpay.emulator.recurrence import WORDS
from django_sadadpay.emulator.schedule import MOST, Lateness, Part, Terms, manual, regular

START = date(2027, 1, 31)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    count = draw(st.integers(1, 60))
    rest = draw(st.integers(count, 10**9))
    down, balloon = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    start = draw(st.dates(date(2000, 1, 1), date(2200, 12, 31)))
    return Terms(rest + down + balloon, down, balloon, count, start)


@given(terms(), st.sampled_from(WORDS))
def test_schedule_adds_up_to_the_fils_and_its_dates_and_numbers_rise(plan: Terms, word: str) -> None:
    parts = regular(plan, word)

    assert sum(part.fils for part in parts) == plan.fils
    assert all(part.fils > 0 for part in parts)
    assert parts[0].due == plan.start
    assert [part.due for part in parts] == sorted({part.due for part in parts})
    assert [part.number for part in parts] == sorted({part.number for part in parts})
    assert len(parts) == plan.count + bool(plan.down) + bool(plan.balloon)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.integers(0, 10**6), st.integers(-5, 5))
def test_own_instalments_are_taken_as_they_are_or_refused_by_one_fils(
    amounts: list[int], down: int, wrong: int
) -> None:
    own = [(fils, START + timedelta(days=day)) for day, fils in enumerate(amounts, start=1)]
    plan = Terms(sum(amounts) + down + wrong, down, 0, len(own), START)

    if wrong:
        with pytest.raises(Refusal, match="ScheduleTotalNotEqualInstalllemntTotal"):
            manual(plan, own)
    else:
        parts = manual(plan, own)
        assert [(part.fils, part.due) for part in parts if part.number] == own
        assert sum(part.fils for part in parts) == plan.fils


def test_down_payment_comes_first_and_the_balloon_last() -> None:
    assert regular(Terms(10_000, 1_000, 2_001, 2, START), "Monthly") == [
        Part(0, 1_000, START),
        Part(1, 3_500, date(2027, 2, 28)),
        Part(2, 3_499, date(2027, 3, 31)),
        Part(3, 2_001, date(2027, 4, 30)),
    ]


def test_own_instalments_follow_a_down_payment_at_the_start() -> None:
    parts = manual(Terms(10, 4, 0, 1, START), [(6, date(2027, 3, 1))])
    assert parts == [Part(0, 4, START), Part(1, 6, date(2027, 3, 1))]


@pytest.mark.parametrize(
    ("plan", "error_key"),
    [
        (Terms(10, 6, 5, 1, START), "ScheduleTotalNotEqualInstalllemntTotal"),
        (Terms(10, 5, 5, 1, START), "ScheduleTotalNotEqualInstalllemntTotal"),
        (Terms(2, 0, 0, 3, START), "ScheduleTotalNotEqualInstalllemntTotal"),
        (Terms(10, 0, 0, 0, START), "InvalidInstallmentCount"),
        (Terms(10**6, 0, 0, MOST + 1, START), "InvalidInstallmentCount"),
    ],
)
def test_plan_with_nothing_left_for_an_instalment_is_refused(plan: Terms, error_key: str) -> None:
    with pytest.raises(Refusal, match=error_key):
        regular(plan, "Monthly")


@pytest.mark.parametrize(
    ("plan", "own", "error_key"),
    [
        (Terms(10, 0, 4, 1, START), [(6, START)], "InvalidBalloonAmount"),
        (Terms(10, 0, 0, 2, START), [(10, START)], "InvalidInstallmentCount"),
        (Terms(10, 0, 0, 2, START), [(5, START), (5, START)], "InvalidDueDate"),
        (Terms(10, 5, 0, 1, START), [(5, START)], "InvalidDueDate"),
    ],
)
def test_own_instalments_that_make_no_schedule_are_refused(
    plan: Terms, own: list[tuple[int, date]], error_key: str
) -> None:
    with pytest.raises(Refusal, match=error_key):
        manual(plan, own)


@pytest.mark.parametrize(
    ("kind", "value", "days", "fils"),
    [
        ("NoLateFees", "9", 100, 0),
        ("FixedPerDay", "0.250", 3, 0),
        ("FixedPerDay", "0.250", 4, 250),
        ("FixedPerDay", "0.250", 13, 2_500),
        ("FixedPerMonth", "2", 4, 2_000),
        ("FixedPerMonth", "2", 33, 2_000),
        ("FixedPerMonth", "2", 34, 4_000),
        ("PercentagePerMonth", "1.5", 4, 150),
        ("PercentagePerMonth", "0.005", 4, 1),
        ("PercentagePerMonth", "1.5", -40, 0),
    ],
)
def test_late_fees_start_after_the_days_of_grace(kind: str, value: str, days: int, fils: int) -> None:
    late = Lateness(kind, Decimal(value), grace=3)
    assert late.fees(10_000, START, START + timedelta(days=days)) == fils
