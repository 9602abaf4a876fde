from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from django_sadadpay import conf
from django_sadadpay.services import gateway
from django_sadadpay.services.errors import InsideTransaction, Refused
from django_sadadpay.testing.factories import InvoiceFactory
from django_sadadpay.testing.gateway import Sadad

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_gateway_call_inside_a_transaction() -> None:
    """Switched off here: these tests call inside a transaction to see it refused."""


def client() -> Any:
    return gateway.client_for(conf.current().account("default"))


def test_inside_a_transaction_sadad_is_not_called(sadad: Sadad) -> None:
    client().warm()
    before = sadad.calls()
    with transaction.atomic(), pytest.raises(InsideTransaction):
        client().invoices.getbyid("68141")
    assert sadad.calls() == before


def test_not_even_for_a_token(sadad: Sadad) -> None:
    with transaction.atomic():
        with pytest.raises((InsideTransaction, RuntimeError)):
            client().warm()
    assert sadad.calls() == []


def test_whoever_watches_hears_of_every_call_of_its_block_only(sadad: Sadad) -> None:
    outer: list[str] = []
    inner: list[str] = []
    with gateway.watch(outer.append):
        client().warm()
        with gateway.watch(inner.append):
            client().common.getcurrencies()
        client().common.getcurrencies()
    client().common.getcurrencies()
    assert inner == ["Common/getcurrencies"]
    assert outer == sadad.calls()[:-1]


def test_a_watch_ends_with_an_error_too(sadad: Sadad) -> None:
    heard: list[str] = []
    with pytest.raises(ValueError, match="stop"), gateway.watch(heard.append):
        raise ValueError("stop")
    client().common.getcurrencies()
    assert heard == []


def test_a_call_that_is_refused_is_not_counted() -> None:
    heard: list[str] = []
    with gateway.watch(heard.append), transaction.atomic(), pytest.raises(InsideTransaction):
        gateway.before_call("Invoice/getbyid")
    assert heard == []


@pytest.mark.parametrize("values", [{"environment": "live"}, {"account": "closed"}])
def test_a_row_of_another_environment_or_account_is_parked(values: dict[str, str]) -> None:
    row = InvoiceFactory.build(**values)
    assert gateway.is_parked(row)
    with pytest.raises(Refused, match="parked"):
        gateway.client_of(row)


def test_a_row_of_the_accounts_environment_is_not(sadad: Sadad) -> None:
    row = InvoiceFactory.build()
    assert not gateway.is_parked(row)
    gateway.client_of(row).common.getcurrencies()
    assert sadad.calls() == ["Common/getcurrencies"]
