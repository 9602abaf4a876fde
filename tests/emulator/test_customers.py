"""The merchant's customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant

SARA = {
    "name": "Sara",
    "ref_Number": "C-1",
    "mobile": "+96550000001",
    "email": "sara@example.com",
    "bank_Id": 3,
    "account_Holder_Name": "Sara A",
    "account_Number": "123",
    "iban": "KW81CBKU0000000000001234560101",
    "other": "x",
}


@pytest.fixture
def sara(merchant: Merchant) -> int:
    return int(merchant.make("Customer", **SARA)["id"])


def ids(merchant: Merchant, **query: Any) -> list[int]:
    reply = merchant.ask("GET", "Customer/getall", params=query)
    return [row["id"] for row in reply["response"] or []]


def test_customer_reads_as_it_was_written(merchant: Merchant, sara: int) -> None:
    found = merchant.ask("GET", "Customer/getbyid", params={"id": sara})["response"]
    (row,) = merchant.ask("GET", "Customer/getall")["response"]

    assert found.pop("createDate") == row.pop("createDate") != ""
    assert found == row == {"id": sara, "code": "CUS-00001", **SARA}


def test_customer_without_a_name_is_refused(merchant: Merchant, sara: int) -> None:
    body = {**SARA, "name": ""}
    assert merchant.error("POST", "Customer/insert", json=body) == "CustomerNameRequired"
    assert merchant.error("PUT", "Customer/update", json={**body, "id": sara}) == "CustomerNameRequired"


@pytest.mark.parametrize(
    "query",
    [
        {"name": "SAR"},
        {"mobile": "0001"},
        {"email": "sara@"},
        {"refNumber": "c-1"},
        {"ref_Number": "C-1", "name": "sara"},
    ],
)
def test_customers_are_filtered(merchant: Merchant, sara: int, query: dict[str, str]) -> None:
    other = merchant.make("Customer", name="Noura")["id"]
    assert ids(merchant) == [other, sara]
    assert ids(merchant, **query) == [sara]


def test_customer_with_an_active_subscription_is_not_deleted(merchant: Merchant, sara: int) -> None:
    template = {"nameEn": "Monthly", "amount": "5", "billPeriod": "Monthly"}
    number = merchant.make("SubscriptionTemplate", **template)["id"]
    subscription = merchant.make("Subscription", templateId=number, customerId=sara)["id"]

    refused = merchant.error("DELETE", "Customer/delete", params={"id": sara})
    merchant.ask("DELETE", "Subscription/delete", params={"id": subscription})

    assert refused == "CustomerCannotBeDeleted"
    assert merchant.ask("DELETE", "Customer/delete", params={"id": sara})["errorKey"] is None
