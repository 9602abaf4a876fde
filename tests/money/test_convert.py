from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import assume, given, settings

from django_sadadpay import money
from tests.money.strategies import exact_fils, positive_amounts, rates


@settings(max_examples=500)
@given(positive_amounts, rates)
def test_a_foreign_amount_is_rounded_half_up_to_the_fils(amount: Decimal, rate: Decimal) -> None:
    exact = exact_fils(amount) * Fraction(rate)
    assume(exact <= 999_999_999_999_999)
    assert money.fils(money.convert(amount, rate)) == floor(exact + Fraction(1, 2))


@pytest.mark.parametrize(
    ("amount", "rate", "kwd"),
    [
        ("18.000", "0.31", "5.580"),  # the sample of contract 3.2
        ("1.000", "0.3075", "0.308"),
        ("1.000", "0.3074", "0.307"),
        ("1.000", "0.307499999", "0.307"),
        ("0.001", "0.499999999", "0.000"),
        ("0.001", "0.5", "0.001"),
        ("999999999999.999", "1", "999999999999.999"),
    ],
)
def test_examples(amount: str, rate: str, kwd: str) -> None:
    assert str(money.convert(Decimal(amount), Decimal(rate))) == kwd


@given(positive_amounts)
def test_the_rate_one_changes_nothing(amount: Decimal) -> None:
    assert money.convert(amount, Decimal(1)) == amount


@pytest.mark.parametrize("rate", ["0", "-0.31", "NaN", "Infinity"])
def test_a_rate_that_is_no_positive_number_is_refused(rate: str) -> None:
    with pytest.raises(money.MoneyError, match=r"^rate: .* is not a positive number"):
        money.convert(Decimal(1), Decimal(rate))


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity"])
def test_an_amount_that_is_no_number_is_refused(amount: str) -> None:
    with pytest.raises(money.MoneyError, match=r"^amount: .* is not a number"):
        money.convert(Decimal(amount), Decimal(1))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_result_that_no_column_holds_is_refused(sign: int) -> None:
    with pytest.raises(money.MoneyError, match=r"is too large"):
        money.convert(sign * Decimal("999999999999.999"), Decimal("1.000000001"))
