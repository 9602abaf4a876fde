"""A merchant whose account spells a field otherwise says so; nobody needs a fork."""

from __future__ import annotations

from typing import Any

import pytest

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.spelling import respelt
from tests.gateway import server as s
from tests.gateway.conftest import ClockedStore
from tests.gateway.server import Server


def test_both_ways_follow_the_account(server: Server, store: ClockedStore) -> None:
    store.hold()
    client = SadadClient(
        "k",
        "s",
        api_url=server.url,
        store=store,
        fields={
            "Product/insert": {"name_en": "Name_En", "reply.id": "productId"},
            "Invoice/getbyid": {
                "id": "invoiceNo",
                "reply.amount": "kwd",
                "reply.id": "no",
                "reply.items.name": "title",
            },
        },
    )
    server.on("Product/insert", s.ok({"productId": 7}))
    server.on("Invoice/getbyid", s.ok({"no": 5, "kwd": 1.5, "items": [{"title": "Tea"}]}))
    assert client.products.insert({"category_id": 1, "name_en": "Tea"}).id == "7"
    assert server.calls[-1].json["Name_En"] == "Tea"
    record = client.invoices.getbyid("5")
    assert server.calls[-1].query == {"invoiceNo": "5"}
    assert (record.id, str(record.amount), record.items[0].name) == ("5", "1.5", "Tea")


def test_without_spellings_it_is_the_table_itself() -> None:
    assert respelt(None) is respelt({}) is ENDPOINTS
    changed = respelt({"Product/insert": {"name_en": "Name_En"}})
    assert changed["Product/getall"] is ENDPOINTS["Product/getall"]
    with pytest.raises(TypeError):
        changed["x"] = ENDPOINTS["Product/insert"]  # type: ignore[index]  # that it is refused is the point


@pytest.mark.parametrize(
    ("spellings", "says"),
    [
        ({"Product/add": {}}, "there is no endpoint 'Product/add'"),
        (
            {"Product/insert": {"colour": "Color"}},
            "Product/insert: no field colour; there are: category_id, name_en,",
        ),
        ({"Product/delete": {"reply.id": "x"}}, "Product/delete: no field id; there are: none"),
        (
            {"Invoice/insert": {"items.colour": "x"}},
            "Invoice/insert: no field colour; there are: name, quantity",
        ),
        ({"Product/insert": {"name_en": "nameAr"}}, "Product/insert: two fields would have one name"),
        ({"Product/insert": {"name_en": 5}}, "Product/insert: name_en must be spelt with letters"),
        ({"Product/insert": {"name_en": "a b"}}, "Product/insert: name_en must be spelt with letters"),
    ],
)
def test_a_slip_is_told_by_name(spellings: Any, says: str) -> None:
    with pytest.raises(ValueError, match="^" + says):
        respelt(spellings)
