from __future__ import annotations

from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_sadadpay import money
from tests.money.strategies import amounts, any_fils, exact_fils


@pytest.mark.parametrize(
    ("given_amount", "kept"),
    [
        ("1.250", "1.250"),
        ("1.25", "1.250"),
        (" 7 ", "7.000"),
        (7, "7.000"),
        (Decimal("0.001"), "0.001"),
        (Decimal("-2.5"), "-2.500"),
        (Decimal("1E+3"), "1000.000"),
        ("1.2500000000000000000000000000000000000000000000000000000000000000000000", "1.250"),
        ("١٢.٥", "12.500"),
        ("999999999999.999", "999999999999.999"),
        ("-0", "0.000"),
    ],
)
def test_an_amount_of_at_most_three_places_is_taken_as_it_is(given_amount: Any, kept: str) -> None:
    assert str(money.parse(given_amount)) == kept


@pytest.mark.parametrize("value", [1.25, 0.0, True, False, None, b"1", [1], float("nan")])
def test_floats_booleans_and_other_types_are_refused_by_name(value: Any) -> None:
    with pytest.raises(money.MoneyError, match=r"^price: give a Decimal, int or text, not "):
        money.parse(value, what="price")


@pytest.mark.parametrize("text", ["", "abc", "1,250", "1.2.3", "٫", "1.250 KWD", "\ud800", "0x10"])
def test_text_that_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(money.MoneyError) as refused:
        money.parse(text)
    assert str(refused.value) == "amount: this text is not a number"


@pytest.mark.parametrize(
    "value",
    [
        "NaN", "sNaN", "Infinity", "-Infinity", Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"),
        "1000000000000", "-1000000000000", Decimal("999999999999.9991"), "1E+999999999",
        pytest.param(10**5000, id="endless"),
    ],
)  # fmt: skip
def test_what_no_money_column_holds_is_refused(value: Any) -> None:
    with pytest.raises(money.MoneyError, match=r"not an amount of at most 15 digits"):
        money.parse(value)


@given(any_fils, st.integers(1, 10**9 - 1))
def test_a_fourth_place_is_refused_never_rounded(fils: int, more: int) -> None:
    text = f"{fils // 1000}.{fils % 1000:03d}{more:09d}"
    with pytest.raises(money.MoneyError, match=r"three places|15 digits"):
        money.parse(text)


def test_a_fourth_place_is_refused_however_small_or_long() -> None:
    for text in ("1E-999999999", "0." + "1" * 5000):
        with pytest.raises(money.MoneyError, match=r"^amount: .{1,41} has more than three places"):
            money.parse(text)


@given(amounts, st.integers(0, 40))
def test_nothing_is_lost_between_an_amount_and_its_text(amount: Decimal, zeros: int) -> None:
    assert money.parse(str(amount) + "0" * zeros) == amount
    assert money.parse(amount).as_tuple().exponent == -3


@given(amounts)
def test_a_thread_with_a_small_precision_changes_no_amount(amount: Decimal) -> None:
    with localcontext(Context(prec=2, traps=[Inexact])):
        assert str(money.parse(amount)) == f"{amount:.3f}"
        assert Fraction(money.fils(amount)) == exact_fils(amount)
        assert money.from_reply(amount) == (None if amount < 0 else amount)
        assert money.convert(amount, Decimal(1)) == amount
        assert money.show(amount) == f"{amount:,.3f} KWD"


@given(any_fils)
def test_fils_and_back(count: int) -> None:
    amount = money.from_fils(count)
    assert money.fils(amount) == count
    assert Fraction(amount) == Fraction(count, 1000)
    assert amount.as_tuple().exponent == -3


@pytest.mark.parametrize(
    "text", ["0.0001", "1.0005", "NaN", "sNaN", "Infinity", "1E+60", "1E-999999", f"1.{'0' * 70}1"]
)
def test_what_is_no_whole_number_of_fils_has_none(text: str) -> None:
    with pytest.raises(money.MoneyError, match=r"is not a whole number of fils"):
        money.fils(Decimal(text))


@pytest.mark.parametrize("text", ["12.5", "12.500", "1.25E+1", "12.50000000"])
def test_fils_do_not_depend_on_how_an_amount_is_written(text: str) -> None:
    assert money.fils(Decimal(text)) == 12_500


# Replies


@settings(max_examples=300)
@given(st.integers(0, 999_999_999_999_999), st.integers(-(10**12), 10**12))
def test_a_reply_within_a_tenth_of_a_fils_is_that_fils(count: int, noise: int) -> None:
    value = Decimal(f"{count}E-3") + Decimal(f"{noise}E-16")  # at most 0.0001 away
    assert money.from_reply(value) == money.from_fils(count)


@settings(max_examples=300)
@given(st.integers(0, 999_999_999_999_998), st.integers(10**12 + 1, 9 * 10**12 - 1))
def test_a_reply_further_away_is_no_amount(count: int, noise: int) -> None:
    assert money.from_reply(Decimal(f"{count}E-3") + Decimal(f"{noise}E-16")) is None


@pytest.mark.parametrize(
    ("reply", "amount"),
    [
        (None, None),
        (Decimal("NaN"), None),
        (Decimal("Infinity"), None),
        (Decimal(-1), None),
        (Decimal("-0.0011"), None),
        (Decimal(1000000000000), None),
        (Decimal("1E+50"), None),
        (Decimal("-1E+50"), None),
        (Decimal("4.7555"), None),
        (Decimal("4.7551"), Decimal("4.755")),
        (Decimal("18.000000128746034"), Decimal("18.000")),
        (Decimal("999999999999.99900001"), Decimal("999999999999.999")),
    ],
)
def test_replies_seen_and_imagined(reply: Decimal | None, amount: Decimal | None) -> None:
    assert money.from_reply(reply) == amount


def test_float_noise_just_below_nothing_is_nothing() -> None:
    assert str(money.from_reply(Decimal("-0.00000000000000007"))) == "0.000"
    assert str(money.from_reply(Decimal("-0"))) == "0.000"
