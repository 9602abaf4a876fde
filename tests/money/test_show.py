from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given

from django_sadadpay import money
from tests.money.strategies import amounts


@pytest.mark.parametrize(
    ("amount", "english", "arabic"),
    [
        ("1234.5", "1,234.500 KWD", "1,234.500 د.ك"),
        ("1.250", "1.250 KWD", "1.250 د.ك"),
        ("0", "0.000 KWD", "0.000 د.ك"),
        ("-0.000", "0.000 KWD", "0.000 د.ك"),
        ("-1234567.891", "-1,234,567.891 KWD", "-1,234,567.891 د.ك"),
        ("1E+3", "1,000.000 KWD", "1,000.000 د.ك"),
        ("999999999999.999", "999,999,999,999.999 KWD", "999,999,999,999.999 د.ك"),
    ],
)
def test_dinars_have_three_places_in_both_languages(amount: str, english: str, arabic: str) -> None:
    assert money.show(Decimal(amount)) == english
    assert money.show(Decimal(amount), "kwd", "ar") == arabic
    assert money.show(Decimal(amount), "KWD", "ar-KW") == arabic


@given(amounts)
def test_what_is_shown_reads_back_as_the_same_amount(amount: Decimal) -> None:
    number, sign = money.show(amount).rsplit(" ", 1)
    assert sign == "KWD"
    assert Decimal(number.replace(",", "")) == amount
    assert len(number.rsplit(".", 1)[1]) == 3


@pytest.mark.parametrize("language", ["en", "ar", "de"])
def test_django_never_localises_it(language: str) -> None:
    with translation.override(language):
        assert money.show(Decimal("1234.5")) == "1,234.500 KWD"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("12.5", "USD", "12.50 USD"),
        ("12.505", "USD", "12.505 USD"),  # never rounded away
        ("1500", "JPY", "1,500 JPY"),
        ("1500.5", "jpy", "1,500.5 JPY"),
        ("1.5", "BHD", "1.500 BHD"),
        ("2", "XYZ", "2.00 XYZ"),
    ],
)
def test_other_currencies_have_their_own_places(amount: str, currency: str, shown: str) -> None:
    assert money.show(Decimal(amount), currency) == shown
    assert money.show(Decimal(amount), currency, "ar") == shown


def test_a_number_that_is_none_is_shown_as_such() -> None:
    assert money.show(Decimal("NaN")) == "NaN KWD"


def test_places_follow_iso_4217() -> None:
    places = [money.places(code) for code in ("KWD", "omr", "USD", "JPY", "unheard of")]
    assert places == [3, 3, 2, 0, 2]
