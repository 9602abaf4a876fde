"""Stored tokens while keys change or rows are tampered with: sales go on (money-flow 8)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from django_sadadpay import checkout
from django_sadadpay.models import GatewayToken, Invoice
from django_sadadpay.services import crypto
from django_sadadpay.testing.gateway import Sadad
from tests.views.buying import changed, make_order

pytestmark = pytest.mark.django_db(transaction=True)
FETCHES = ("User/GenerateAccessToken", "User/GenerateRefreshToken")


def sale() -> Invoice:
    return checkout(make_order())


def fetched(sadad: Sadad) -> list[int]:
    return [len(sadad.calls(name)) for name in FETCHES]


def keys(settings: Any, *given: str) -> None:
    settings.SADADPAY = changed(ENCRYPTION_KEYS=list(given))


def test_keys_are_rotated_and_the_old_one_dropped_in_the_middle_of_sales(sadad: Sadad, settings: Any) -> None:
    keys(settings, "old")
    sale()
    before = fetched(sadad)
    keys(settings, "new", "old")
    sale()
    assert fetched(sadad) == before  # read with the old key, nothing was fetched
    keys(settings, "new")
    assert sale().state == "open"
    assert fetched(sadad)[0] == before[0] + 1  # thrown away and fetched anew, no error
    row = GatewayToken.objects.get()
    assert crypto.decrypt(row.access)
    keys(settings, "old")
    assert crypto.decrypt(row.access) is None


@pytest.mark.parametrize("column", ["access", "refresh"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "gAAAAA",
        "é" * 50,
        "\u202e",
        "A" * 5000,
        Fernet(Fernet.generate_key()).encrypt(b"forged").decode(),
    ],
    ids=["empty", "short", "half", "not ASCII", "override", "long", "another's"],
)
def test_a_row_that_was_tampered_with_costs_a_new_token_and_no_sale(
    column: str, value: str, sadad: Sadad
) -> None:
    sale()
    GatewayToken.objects.update(**{column: value})
    assert sale().state == "open"
    assert crypto.decrypt(GatewayToken.objects.get().access)


def test_tokens_that_change_places_are_found_out(sadad: Sadad) -> None:
    """A refresh token in the place of the access token is refused by Sadad; the next one is fetched."""
    sale()
    row = GatewayToken.objects.get()
    GatewayToken.objects.update(access=row.refresh, fetched_at="2026-01-01T00:00:00Z")
    assert sale().state == "open"
