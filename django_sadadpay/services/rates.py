"""Sadad's exchange rates, kept in the database, fetched anew when too old (contract 9, money-flow 10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django_sadadpay import conf
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.gateway.records import CurrencyRate as RateRecord
from django_sadadpay.models import CurrencyRate
from django_sadadpay.registry import DraftError
from django_sadadpay.services import clock, gateway, transactions
from django_sadadpay.services.errors import TryAgain

#: Fetched anew in the background when older than this, so that a checkout seldom waits for it.
REFRESH_AFTER = timedelta(hours=6)


def rate(account: conf.Account, currency: str, now: datetime) -> Decimal:
    """KWD for one unit of ``currency``.

    :raises DraftError: Sadad does not list the currency.
    :raises TryAgain: the stored rate is older than ``RATE_MAX_AGE_HOURS`` and Sadad cannot be asked.
    """
    oldest = now - timedelta(hours=conf.current().rate_max_age_hours)
    row = _row(account, currency)
    if row is None or row.fetched_at < oldest:
        _refresh_or_refuse(account)
        row = _row(account, currency)
    if row is None or row.fetched_at < oldest:
        raise DraftError("currency", f"{currency} has no exchange rate at Sadad")
    return row.rate


def refresh(account: conf.Account) -> int:
    """Fetch all rates and store them; how many there are.

    :raises SadadError: Sadad cannot be asked.
    """
    records = gateway.client_for(account).common.getcurrencies()
    now = clock.now()
    return transactions.run(lambda: _store(account.environment, records, now))


def refresh_if_due(account: conf.Account, now: datetime) -> bool:
    """Fetch when foreign currencies are in use and the rates get old."""
    rows = CurrencyRate.objects.filter(environment=account.environment)
    if not rows.exists() or rows.filter(fetched_at__gte=now - REFRESH_AFTER).exists():
        return False
    refresh(account)
    return True


def _refresh_or_refuse(account: conf.Account) -> None:
    try:
        refresh(account)
    except SadadError as error:
        raise TryAgain("rates_old") from error


def _row(account: conf.Account, currency: str) -> CurrencyRate | None:
    return CurrencyRate.objects.filter(environment=account.environment, code=currency).first()


def _store(environment: str, records: tuple[RateRecord, ...], now: datetime) -> int:
    usable = [r for r in records if len(r.code) == 3 and _fits(r.rate)]
    for record in usable:
        CurrencyRate.objects.update_or_create(
            environment=environment,
            code=record.code.upper(),
            defaults={"rate": record.rate, "fetched_at": now},
        )
    return len(usable)


def _fits(rate: Decimal) -> bool:
    """What the column keeps exactly enough: positive, at most nine digits, float noise cut at nine places."""
    return rate.is_finite() and Decimal("0.000000001") <= rate <= 999_999_999
