"""getall: filters, paging, and the two faults that make it lie."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from django_sadadpay.emulator import wire

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant


def rows(merchant: Merchant, **query: Any) -> list[dict[str, Any]]:
    reply = merchant.ask("GET", "Invoice/getall", params=query)
    assert (reply["isValid"], reply["errorKey"]) == (True, None)
    return list(reply["response"])


def ids(merchant: Merchant, **query: Any) -> list[int]:
    """The ids found, [] for EmptyResult."""
    reply = merchant.ask("GET", "Invoice/getall", params=query)
    if reply["errorKey"] == "EmptyResult":
        assert (reply["isValid"], reply["response"]) == (True, None)
        return []
    return [row["id"] for row in reply["response"]]


@pytest.fixture
def three(merchant: Merchant) -> list[int]:
    first = merchant.insert(
        ref_Number="A-1", amount="5", customer_Mobile="+96550000001", expiry_Date="2030-01-02"
    )
    second = merchant.insert(ref_Number="A-2", amount="7", customer_Email="x@example.com")
    third = merchant.insert(ref_Number="B-3", amount="9", customer_Name="Noura")
    merchant.emulator.control.pay(second, "card")
    return [first, second, third]


def test_whole_list_comes_newest_first_without_paging(merchant: Merchant, three: list[int]) -> None:
    found = rows(merchant)
    assert [row["id"] for row in found] == three[::-1]
    assert "totalCount" not in found[0]
    assert "items" not in found[0]
    assert found[1]["payment_Date"] is not None


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ({"refNumber": "a-1"}, [0]),
        ({"ref_Number": "A-"}, [1, 0]),
        ({"ref_Number": ""}, [2, 1, 0]),
        ({"status": "paid"}, [1]),
        ({"customerName": "nou"}, [2]),
        ({"customerMobile": "0001"}, [0]),
        ({"customerEmail": "example.com"}, [1]),
        ({"paymentMethod": "cccssa"}, [1]),
        ({"amountFrom": "7", "amountTo": "8.999"}, [1]),
        ({"amountFrom": "0"}, [2, 1, 0]),
        ({"code": "INV-"}, [2, 1, 0]),
        ({"invoiceType": "PaymentLink"}, []),
        ({"refNumber": "C"}, []),
        ({"expiryDateFrom": "2030-01-02", "expiryDateTo": "2030-01-02"}, [0]),
        ({"expiryDateFrom": "2030-01-03"}, []),
        ({"unknown": "x"}, [2, 1, 0]),
    ],
)
def test_filters_choose_rows(
    merchant: Merchant, three: list[int], query: dict[str, str], positions: list[int]
) -> None:
    assert ids(merchant, **query) == [three[position] for position in positions]


def test_dates_of_creation_include_both_ends(merchant: Merchant, three: list[int]) -> None:
    made = wire.local_time(merchant.emulator.world.invoices[three[0]].created_at)
    today, yesterday = made.date(), made.date() - timedelta(days=1)
    later = today + timedelta(days=2)

    assert ids(merchant, createDateFrom=yesterday, createDateTo=later) == three[::-1]
    assert ids(merchant, createDateFrom=later) == []
    assert ids(merchant, createDateTo=yesterday - timedelta(days=1)) == []
    assert (
        merchant.ask("GET", "Invoice/getall", params={"createDateFrom": "soon"})["errorKey"]
        == "InvalidDateFormat"
    )


def test_supplier_invoices_are_listed_only_when_asked_for(merchant: Merchant) -> None:
    items = [{"name": "x", "quantity": 1, "amount": "12.5", "supplierId": 4}]
    number = merchant.insert(type="MultiVendorInvoice", items=items)

    assert ids(merchant) == []
    assert ids(merchant, invoiceType="MultiVendorInvoice") == [number]


def test_paging_gives_a_part_and_the_total(merchant: Merchant, three: list[int]) -> None:
    found = rows(merchant, listOptions=json.dumps({"loadingAll": False, "skip": 1, "take": 1}))
    assert [(row["id"], row["totalCount"]) for row in found] == [(three[1], 3)]
    assert ids(merchant, listOptions=json.dumps({"skip": 3, "take": 1})) == []
    assert rows(merchant, listOptions=json.dumps({"loadingAll": True}))[0]["totalCount"] == 3


@pytest.mark.parametrize(
    ("sort", "positions"),
    [
        ({"selector": "Id", "desc": True}, [2, 1, 0]),
        ({"selector": "Id", "desc": False}, [0, 1, 2]),
        ({"selector": "amount", "desc": True}, [2, 1, 0]),
        ({"selector": "createDate"}, [0, 1, 2]),
        ({"selector": "expiry_Date", "desc": True}, [0]),
        ({"selector": "colour"}, [0, 1, 2]),
        (None, [2, 1, 0]),
    ],
)
def test_paging_sorts(merchant: Merchant, three: list[int], sort: Any, positions: list[int]) -> None:
    options = json.dumps({"take": 3, "sort": sort})
    assert ids(merchant, listOptions=options)[: len(positions)] == [three[position] for position in positions]


def test_a_page_has_twenty_rows_when_none_says_how_many(merchant: Merchant) -> None:
    for _ in range(21):
        merchant.emulator.control.create(1)
    assert len(rows(merchant, listOptions="{}")) == 20


def test_broken_paging_is_http_400(merchant: Merchant) -> None:
    assert merchant.send("GET", "Invoice/getall", params={"listOptions": "{"}).status_code == 400


def test_deleted_invoices_are_listed_as_canceled_or_not_at_all(merchant: Merchant, three: list[int]) -> None:
    merchant.emulator.control.cancel(three[0])
    assert ids(merchant, status="Canceled") == [three[0]]

    merchant.emulator.control.settings(list_deleted=False)
    assert ids(merchant) == [three[2], three[1]]


def test_getall_can_ignore_its_filter_or_its_paging(merchant: Merchant, three: list[int]) -> None:
    merchant.emulator.control.faults.add("Invoice/getall", "ignore_filter", times=1)
    assert ids(merchant, refNumber="A-1") == three[::-1]

    merchant.emulator.control.faults.add("Invoice/getall", "ignore_paging", times=1)
    assert ids(merchant, listOptions=json.dumps({"take": 1})) == three[::-1]
    assert ids(merchant, refNumber="A-1", listOptions=json.dumps({"take": 1})) == [three[0]]
