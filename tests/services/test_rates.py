from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay import conf
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.gateway.records import CurrencyRate as Record
from django_sadadpay.models import CurrencyRate
from django_sadadpay.registry import DraftError
from django_sadadpay.services import clock, rates
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.testing.gateway import Sadad

pytestmark = pytest.mark.django_db(transaction=True)
ASK = "Common/getcurrencies"


def account() -> conf.Account:
    return conf.current().account("default")


def rate(code: str = "USD") -> Decimal:
    return rates.rate(account(), code, clock.now())


def stored(code: str = "USD", value: str = "0.25", hours: float = 0, **values: Any) -> CurrencyRate:
    fetched = clock.now() - timedelta(hours=hours)
    row = {"environment": "sandbox", "code": code, "rate": Decimal(value), "fetched_at": fetched}
    made: CurrencyRate = CurrencyRate.objects.create(**{**row, **values})
    return made


def test_a_fresh_rate_costs_no_call(sadad: Sadad) -> None:
    stored(hours=23.9)
    assert rate() == Decimal("0.25")
    assert sadad.calls() == []


def test_a_missing_rate_costs_one_call_that_brings_them_all(sadad: Sadad) -> None:
    assert rate() == Decimal("0.31")
    assert rate("BHD") == Decimal("0.815")
    assert sadad.calls() == [ASK]


def test_a_stale_rate_is_fetched_anew(sadad: Sadad) -> None:
    stored(hours=24.1)
    assert rate() == Decimal("0.31")
    assert sadad.calls() == [ASK]
    assert CurrencyRate.objects.get(code="USD").fetched_at >= clock.now() - timedelta(minutes=1)


def test_how_old_a_rate_may_be_is_a_setting(sadad: Sadad, settings: Any) -> None:
    stored(hours=3)
    settings.SADADPAY = {**settings.SADADPAY, "RATE_MAX_AGE_HOURS": 2}
    assert rate() == Decimal("0.31")


@pytest.mark.parametrize("hours", [None, 25])
def test_without_sadad_a_missing_or_stale_rate_stops_the_checkout(sadad: Sadad, hours: int | None) -> None:
    if hours:
        stored(hours=hours)
    sadad.control.faults.add(ASK, "error_before")
    with pytest.raises(TryAgain, match="rates_old"):
        rate()


def test_without_sadad_a_fresh_rate_goes_on_working(sadad: Sadad) -> None:
    sadad.control.faults.add(ASK, "error_before")
    stored(hours=20)
    assert rate() == Decimal("0.25")


@pytest.mark.parametrize("old", [False, True])
def test_a_currency_that_sadad_does_not_list_is_a_fault_of_the_draft(sadad: Sadad, old: bool) -> None:
    if old:  # it was listed once
        stored("XTS", hours=48)
    with pytest.raises(DraftError, match="XTS has no exchange rate at Sadad") as raised:
        rate("XTS")
    assert raised.value.field == "currency"
    assert sadad.calls() == [ASK]


def test_sandbox_rates_are_not_used_live(sadad: Sadad) -> None:
    stored(environment="live")
    assert rate() == Decimal("0.31")


def test_refreshing_counts_the_rates_and_overwrites_old_ones(sadad: Sadad) -> None:
    row = stored(value="9")
    sadad.control.set_rate("USD", 0.3071, 2)
    assert rates.refresh(account()) == CurrencyRate.objects.count() >= 9
    row.refresh_from_db()
    assert row.rate == Decimal("0.3071")


@pytest.mark.parametrize("useless", [1e9, 999999999.9999999, 1e-10])
def test_a_rate_that_no_column_holds_is_left_out(sadad: Sadad, useless: float) -> None:
    sadad.control.set_rate("USD", useless, 2)
    with pytest.raises(DraftError):
        rate()
    assert rate("EUR") == Decimal("0.335")


@pytest.mark.parametrize(
    ("code", "value"), [("USD", "0"), ("USD", "-1"), ("USD", "NaN"), ("DOLLAR", "0.31"), ("", "0.31")]
)
def test_a_row_that_makes_no_sense_is_left_out(code: str, value: str) -> None:
    records = (Record(code, Decimal(value), 2, {}), Record("eur", Decimal("0.335"), 2, {}))
    assert rates._store("sandbox", records, clock.now()) == 1
    assert CurrencyRate.objects.get().code == "EUR"


def test_float_noise_is_cut_at_nine_places(sadad: Sadad) -> None:
    sadad.control.set_rate("USD", 0.30750000000000005, 2)
    assert rate() == Decimal("0.3075")


# In the background


def test_nobody_asks_for_rates_while_no_foreign_currency_is_in_use(sadad: Sadad) -> None:
    assert not rates.refresh_if_due(account(), clock.now())
    assert sadad.calls() == []


def test_rates_in_use_are_refreshed_before_a_checkout_has_to_wait(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    stored(hours=5.9)
    assert not rates.refresh_if_due(account(), clock.now())
    sadad_clock(3600)
    assert rates.refresh_if_due(account(), clock.now())
    assert not rates.refresh_if_due(account(), clock.now())
    assert sadad.calls() == [ASK]


def test_a_background_refresh_that_fails_says_so(sadad: Sadad) -> None:
    stored(hours=7)
    sadad.control.faults.add(ASK, "cut_before")
    with pytest.raises(SadadError):
        rates.refresh_if_due(account(), clock.now())
