"""Where an amount ends: what the messages say of it, how long it may be, whose precision counts."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, localcontext

import pytest

from django_sadadpay import money


def test_a_type_that_is_no_amount_is_named() -> None:
    with pytest.raises(money.MoneyError, match=r"^price: give a Decimal, int or text, not float$"):
        money.parse(1.25, what="price")  # type: ignore[arg-type]  # what a shop might do


def test_an_amount_with_a_fourth_place_is_shown_as_it_was_given() -> None:
    with pytest.raises(money.MoneyError, match=r"^amount: 1\.2345 has more than three places"):
        money.parse("1.2345")


def test_what_is_no_whole_number_of_fils_is_shown_as_it_was_given() -> None:
    with pytest.raises(money.MoneyError, match=r"^0\.0001 is not a whole number of fils$"):
        money.fils(Decimal("0.0001"))


def test_of_an_endless_number_forty_characters_are_shown() -> None:
    endless = "0." + "1" * 5000
    with pytest.raises(money.MoneyError, match=rf"^amount: {endless[:40]} has"):
        money.parse(endless)
    with pytest.raises(money.MoneyError, match=rf"^{endless[:40]} is not"):
        money.fils(Decimal(endless))


def test_fils_end_below_fifty_one_digits() -> None:
    assert money.fils(Decimal("9" * 50)) == (10**50 - 1) * 1000
    with pytest.raises(money.MoneyError, match=r"is not a whole number of fils"):
        money.fils(Decimal(10) ** 50)


def test_a_thread_with_a_small_precision_makes_the_same_amount_of_fils() -> None:
    with localcontext(Context(prec=2, traps=[Inexact])):
        assert str(money.from_fils(1_234_567)) == "1234.567"


def test_an_amount_too_long_to_be_shown_is_cut_and_never_rounded_up() -> None:
    assert money.show(Decimal("0." + "9" * 61)) == "0.999 KWD"
