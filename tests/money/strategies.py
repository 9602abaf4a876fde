"""Amounts, weights and rates as a shop or Sadad might hand them over."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from django_sadadpay import money

LARGEST_FILS = 999_999_999_999_999
#: Whole fils of anything that a money column holds, extremes included.
any_fils = st.integers(-LARGEST_FILS, LARGEST_FILS) | st.sampled_from([0, 1, -1, LARGEST_FILS, -LARGEST_FILS])
positive_fils = st.integers(0, LARGEST_FILS) | st.integers(0, 1000)
amounts = any_fils.map(money.from_fils)
positive_amounts = positive_fils.map(money.from_fils)
#: What the rates' column holds: nine places, below a thousand million.
rates = st.integers(1, 999_999_999 * 10**9).map(lambda n: Decimal(n).scaleb(-9))


def exact_fils(amount: Decimal) -> Fraction:
    """The amount in fils without any decimal arithmetic."""
    return Fraction(amount) * 1000
