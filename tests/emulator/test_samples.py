"""The emulator answers the two kept sandbox requests as the real sandbox did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.conftest import sample

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant

#: What differs by nature: random, or the time and place of the call.
OWN = ("key", "url", "qr", "short_url", "createDate")


def shape(value: Any) -> Any:
    """Names and types; whole and broken numbers are both a JSON number."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "number" if type(value) in (int, float) else type(value).__name__


def replay(merchant: Merchant) -> list[tuple[Any, Any]]:
    """Both requests in the order in which they were really sent: (insert reply, getbyid reply) of each."""
    pairs = []
    for number in (1, 2):
        inserted = merchant.ask("POST", "Invoice/insert", json=sample(f"invoice-insert-request-{number}"))
        query = {"id": inserted["response"]["invoiceId"]}
        pairs.append((inserted, merchant.ask("GET", "Invoice/getbyid", params=query)))
    return pairs


@pytest.mark.parametrize("number", [1, 2])
def test_insert_answers_exactly_as_the_sandbox_did(merchant: Merchant, number: int) -> None:
    assert replay(merchant)[number - 1][0] == sample(f"invoice-insert-reply-{number}")


@pytest.mark.parametrize("number", [1, 2])
def test_getbyid_has_every_field_of_the_sandbox_with_its_type(merchant: Merchant, number: int) -> None:
    assert shape(replay(merchant)[number - 1][1]) == shape(sample(f"invoice-getbyid-reply-{number}"))


@pytest.mark.parametrize("number", [1, 2])
def test_getbyid_has_the_sandbox_s_own_values_too(merchant: Merchant, number: int) -> None:
    ours = replay(merchant)[number - 1][1]["response"]
    theirs = sample(f"invoice-getbyid-reply-{number}")["response"]

    assert {k: v for k, v in ours.items() if k not in OWN} == {
        k: v for k, v in theirs.items() if k not in OWN
    }


def test_key_and_links_are_made_as_in_the_samples(merchant: Merchant) -> None:
    first, second = (reply["response"] for _, reply in replay(merchant))

    assert first["key"].endswith("68141")
    assert len(first["key"]) == 13
    assert first["key"][:8] != second["key"][:8]
    assert first["url"] == first["short_url"] == f"{merchant.emulator.pay_url}/{first['key']}"
    assert first["qr"] == f"{merchant.emulator.base_url}/qr/{first['key']}/download"
    assert len(first["shortLink"]) == 50


def test_foreign_amount_has_the_noise_of_the_documented_sample(merchant: Merchant) -> None:
    items = [{"name": "Box", "quantity": 1, "amount": "5.58"}]
    invoice = merchant.read(merchant.insert(amount="5.580", currency_Code="USD", items=items))

    assert invoice["amount"] == 5.58
    assert invoice["alt_Amount"] == 18.000000128746034
    assert invoice["items"][0]["alt_Amount"] == 18.000000128746034
