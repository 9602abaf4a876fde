from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from django_sadadpay import money
from tests.money.strategies import LARGEST_FILS, positive_amounts

small = st.integers(0, 9)
weights = st.lists(
    st.one_of(small, st.integers(0, LARGEST_FILS)).map(money.from_fils), min_size=1, max_size=30
)


def shares(total: Decimal, by: list[Decimal]) -> list[Fraction]:
    """Each exact share, in fils."""
    mass = sum(map(Fraction, by))
    return [Fraction(total) * 1000 * Fraction(weight) / mass for weight in by]


@settings(max_examples=300)
@given(positive_amounts, weights)
def test_the_parts_add_up_exactly_and_none_is_a_fils_off(total: Decimal, by: list[Decimal]) -> None:
    assume(any(by))
    parts = [money.fils(part) for part in money.split(total, by)]
    assert sum(parts) == money.fils(total)
    assert len(parts) == len(by)
    for part, share in zip(parts, shares(total, by), strict=True):
        assert abs(part - share) < 1


@settings(max_examples=300)
@given(positive_amounts, weights)
def test_who_has_the_larger_remainder_gets_the_fils_and_of_equals_the_earlier(
    total: Decimal, by: list[Decimal]
) -> None:
    assume(any(by))
    parts = [money.fils(part) for part in money.split(total, by)]
    rest = [share % 1 for share in shares(total, by)]
    got = [part > share for part, share in zip(parts, shares(total, by), strict=True)]
    order = sorted(range(len(by)), key=lambda i: (-rest[i], i))
    assert [got[i] for i in order] == sorted(got, reverse=True)


@settings(max_examples=200)
@given(positive_amounts, weights, st.data())
def test_the_order_of_the_lines_decides_between_equal_remainders_only(
    total: Decimal, by: list[Decimal], data: st.DataObject
) -> None:
    assume(any(by))
    order = data.draw(st.permutations(range(len(by))))
    parts = money.split(total, by)
    turned = dict(zip(order, money.split(total, [by[i] for i in order]), strict=True))
    rest = [share % 1 for share in shares(total, by)]
    for i, part in enumerate(parts):
        equals = rest.count(rest[i]) > 1
        assert abs(turned[i] - part) <= (Decimal("0.001") if equals else 0)


@given(positive_amounts, weights)
def test_a_zero_weight_bears_nothing(total: Decimal, by: list[Decimal]) -> None:
    assume(any(by))
    parts = money.split(total, by)
    assert all(part == 0 for part, weight in zip(parts, by, strict=True) if weight == 0)
    assert all(part >= 0 for part in parts)


@given(weights)
def test_lines_that_add_up_to_the_total_keep_their_own_amounts(by: list[Decimal]) -> None:
    total = money.from_fils(sum(money.fils(weight) for weight in by))
    assert money.split(total, by) == by


def test_a_discount_of_one_fils_over_three_equal_lines() -> None:
    ten = [Decimal("10.000")] * 3
    assert money.split(Decimal("29.999"), ten) == [Decimal("10.000"), Decimal("10.000"), Decimal("9.999")]


def test_nothing_over_nothing_is_nothing() -> None:
    assert money.split(Decimal(0), []) == []
    assert money.split(Decimal(0), [Decimal(0), Decimal(0)]) == [Decimal(0), Decimal(0)]


@pytest.mark.parametrize("by", [[], [Decimal(0)]])
def test_something_over_nothing_is_refused(by: list[Decimal]) -> None:
    with pytest.raises(money.MoneyError, match=r"cannot be split over nothing"):
        money.split(Decimal("0.001"), by)


def test_negative_amounts_and_weights_are_refused() -> None:
    with pytest.raises(money.MoneyError, match=r"is negative and cannot be split"):
        money.split(Decimal(-1), [Decimal(1)])
    with pytest.raises(money.MoneyError, match=r"is negative and cannot bear a share"):
        money.split(Decimal(1), [Decimal(2), Decimal(-1)])


def test_a_weight_that_is_no_whole_fils_is_refused() -> None:
    with pytest.raises(money.MoneyError, match=r"not a whole number of fils"):
        money.split(Decimal(1), [Decimal("0.0005")])
