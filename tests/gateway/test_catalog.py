"""The groups that are known by path only: one class, mappings in, records out."""

from __future__ import annotations

import inspect
from decimal import Decimal
from operator import attrgetter
from typing import Any

import pytest

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from django_sadadpay.gateway.records import ObjectRecord
from tests.gateway import server as s
from tests.gateway.conftest import ClockedStore
from tests.gateway.server import Server

SESSION = {
    "ref_number": "A-1",
    "amount": Decimal(10),
    "currency_code": "KWD",
    "customer_name": "Noor",
    "customer_mobile": "+96550000000",
    "customer_email": "noor@example.com",
    "payment_gateway_code": "Knet",
    "items": [{"name": "Tea", "quantity": 2, "amount": Decimal(5)}],
}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_has_a_documented_method(client: SadadClient, name: str) -> None:
    method = attrgetter(ENDPOINTS[name].method)(client)
    assert callable(method)
    assert inspect.getdoc(method)


@pytest.mark.parametrize(
    ("group", "call"),
    [(row.method.rpartition(".")[0], row.name) for row in ENDPOINTS.values() if row.name.endswith("/insert")][
        2:
    ],
)
def test_an_insert_gives_the_id_in_whatever_form(
    server: Server, client: SadadClient, group: str, call: str
) -> None:
    values = {field.name: _some(field.kind) for field in ENDPOINTS[call].fields if field.required}
    forms: list[tuple[Any, str, str]] = [
        ({"id": 7, "key": "123456787", "new": 1}, "7", "123456787"),
        (7, "7", ""),
        ("7", "7", ""),
        (True, "", ""),
        (None, "", ""),
        ([], "", ""),
    ]
    for answer, number, key in forms:
        server.on(call, s.ok(answer))
        record = getattr(client, group).insert({**values, "Own_Field": "kept"})
        assert (record.id, record.key) == (number, key)
        assert server.calls[-1].json["Own_Field"] == "kept"
        assert record.raw == (answer if isinstance(answer, dict) else {"id": answer} if number else {})


def _some(kind: str) -> Any:
    return {"kwd": Decimal("1.5"), "integer": 3, "date": "2026-12-01"}.get(kind, "text")


def test_reads_name_what_they_want(server: Server, client: SadadClient) -> None:
    row = {"id": 7, "key": "123456787", "nameEn": "Tea"}
    for endpoint in (
        "Product/getbyid",
        "PaymentLink/getbykey",
        "PaymentLink/getforpayment",
        "SubscriptionLink/getlinkdetail",
    ):
        server.on(endpoint, s.ok(row))
    read = (
        client.products.getbyid(7),
        client.payment_links.getbykey("123456787"),
        client.payment_links.getforpayment(123456787),
        client.subscription_links.get_link_detail("123456787"),
    )
    assert {(record.id, record.raw["nameEn"]) for record in read} == {("7", "Tea")}
    assert [call.query for call in server.calls] == [{"id": "7"}, *[{"key": "123456787"}] * 3]
    assert "authorization" not in server.calls[2].headers
    assert "Tea" not in repr(read)


def test_update_and_delete(server: Server, client: SadadClient) -> None:
    server.on("Product/update", s.ok(True)).on("Product/delete", s.ok(None))
    assert client.products.update({"id": 7, "name_en": "Coffee"}).id == ""
    client.products.delete("7")
    assert server.calls[0].json == {"id": 7, "nameEn": "Coffee"}
    assert (server.calls[1].verb, server.calls[1].query) == ("DELETE", {"id": "7"})


def test_a_list_pages_and_filters(server: Server, client: SadadClient) -> None:
    pages = [[{"id": number} for number in range(100)], [{"id": 100}]]
    server.on("Product/getall", *(s.ok(page) for page in pages))
    assert len(list(client.products.getall(category_id=3))) == 101
    assert [call.query["categoryId"] for call in server.calls] == ["3", "3"]
    assert [
        '"skip": 0' in server.calls[0].query["listOptions"],
        '"skip": 100' in server.calls[1].query["listOptions"],
    ] == [
        True,
        True,
    ]


def test_a_schedule_is_a_list_of_periods(server: Server, client: SadadClient) -> None:
    server.on("Subscription/generatesubscriptionschedule", s.ok([{"number": 1, "invoiceId": 5}, "noise"]))
    (period,) = client.subscriptions.generate_schedule(3)
    assert period.raw == {"number": 1, "invoiceId": 5}
    server.on("Subscription/generatesubscriptionschedule", s.ok("noise"))
    with pytest.raises(Unavailable):
        client.subscriptions.generate_schedule(3)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (s.error("UnauthorizedAccess"), NotFound),
        (s.error("InvalidKey"), NotFound),
        (s.error("KeyRequired"), NotFound),
        (s.error("Strange"), Rejected),
        (s.ok([1]), Unavailable),
        (s.status(500), Unavailable),
    ],
)
def test_what_a_read_may_end_in(
    server: Server, client: SadadClient, store: ClockedStore, answer: s.Answer, error: type[Exception]
) -> None:
    store.hold(age=30)
    server.on("ProductLink/getbykey", answer)
    with pytest.raises(error):
        client.product_links.getbykey("1")


def test_what_a_write_may_end_in(server: Server, client: SadadClient, store: ClockedStore) -> None:
    store.hold(age=30)
    server.on(
        "Product/insert",
        s.status(500),
        s.error("NameEnRequired"),
        s.error("Odd"),
        s.error("UnauthorizedAccess"),
    )
    tea = {"category_id": 1, "name_en": "Tea"}
    with pytest.raises(OutcomeUnknown):
        client.products.insert(tea)
    with pytest.raises(Rejected) as refused:
        client.products.insert(tea)
    assert refused.value.refusal
    with pytest.raises(Rejected) as odd:
        client.products.insert(tea)
    assert not odd.value.refusal
    with pytest.raises(NotFound):  # its category
        client.products.insert(tea)


def test_a_call_that_sadad_does_not_list_is_said_to_be_missing(client: SadadClient) -> None:
    with pytest.raises(LookupError, match="Sadad's API has no Customer/getbykey"):
        client.customers.getbykey("1")
    assert repr(client.customers) == "<Customer of <SadadClient sandbox>>"


# Invoices made of something else


@pytest.mark.parametrize("answer", [68142, "68142", {"invoiceId": "68142"}, {"id": 68142}])
def test_links_become_invoices(server: Server, client: SadadClient, answer: Any) -> None:
    buyer = {"customer_name": "Noor", "customer_mobile": "+96550000000"}
    server.on("Invoice/createpaymentlinkinvoice", s.ok(answer))
    made = client.invoices.create_payment_link_invoice(
        {**buyer, "payment_link_key": "123456781", "amount": "5"}
    )
    assert made == "68142"
    assert "authorization" not in server.calls[-1].headers
    server.on("Invoice/createproductlinkinvoice", s.ok(answer))
    row = {"product_id": 1, "quantity": 2, "amount": Decimal("2.5")}
    order = {**buyer, "product_link_key": "123456781", "total_amount": "5", "products": [row]}
    assert client.invoices.create_product_link_invoice(order) == "68142"
    assert server.calls[-1].json["products"] == [{"productId": 1, "quantity": 2, "amount": "2.500"}]
    server.on("Invoice/createinstallmentplanlinkinvoice", s.ok(answer))
    installment = {"installment_plan_key": "123456781", "installment_id": 1}
    assert client.invoices.create_installment_plan_link_invoice(installment) == "68142"


def test_an_answer_without_an_invoice_is_no_answer(server: Server, client: SadadClient) -> None:
    server.on("Invoice/createinstallmentplanlinkinvoice", s.ok(True))
    with pytest.raises(OutcomeUnknown):
        client.invoices.create_installment_plan_link_invoice(
            {"installment_plan_key": "1", "installment_id": 1}
        )


def test_an_invoice_by_type_and_key(server: Server, client: SadadClient) -> None:
    server.on("Invoice/GetByTypeKey", s.ok({"id": 5, "status": "Paid"}), s.ok("noise"))
    assert client.invoices.get_by_type_key("PaymentLink", "123456785").status == "Paid"
    assert server.calls[-1].query == {"type": "PaymentLink", "key": "123456785"}
    with pytest.raises(Unavailable):
        client.invoices.get_by_type_key("PaymentLink", "123456785")


# Embedded payment


def test_a_session_is_asked_for_as_documented(server: Server, client: SadadClient) -> None:
    server.on("EmbeddedPayment/intiate_order_session", s.ok({"session_Id": "a" * 32}))
    session = client.embedded.initiate_order_session(SESSION)
    assert session.session_id == "a" * 32
    assert "aaa" not in repr(session)
    assert server.calls[-1].json == {
        "ref_Number": "A-1",
        "amount": "10.000",
        "currency_Code": "KWD",
        "customer_Name": "Noor",
        "customer_Mobile": "+96550000000",
        "customer_Email": "noor@example.com",
        "PaymentGatewayCode": "Knet",
        "Items": [{"name": "Tea", "quantity": 2, "amount": "5.000"}],
    }


def test_a_buyer_need_not_have_an_address(server: Server, client: SadadClient) -> None:
    server.on("EmbeddedPayment/intiate_order_session", s.ok({"session_Id": "a" * 32}))
    client.embedded.initiate_order_session({**SESSION, "customer_email": "", "customer_mobile": None})
    assert server.calls[-1].json["customer_Email"] == ""


@pytest.mark.parametrize("answer", [True, {}, {"session_Id": ""}])
def test_an_answer_without_a_session_is_no_answer(server: Server, client: SadadClient, answer: Any) -> None:
    server.on("EmbeddedPayment/intiate_order_session", s.ok(answer))
    with pytest.raises(OutcomeUnknown):
        client.embedded.initiate_order_session(SESSION)


def test_a_domain_is_a_host_name(server: Server, client: SadadClient) -> None:
    server.on("EmbeddedPayment/allow_domain", s.ok(True))
    assert client.embedded.allow_domain("shop.example") == ObjectRecord()
    assert server.calls[-1].json == {"domain": "shop.example"}
    for wrong in ("https://shop.example", "", "a b", "shop.example/x"):
        with pytest.raises(InvalidRequest, match="domain must be a host name"):
            client.embedded.allow_domain(wrong)


# Being watched


def test_each_answer_is_told_to_who_wants_to_know(server: Server, store: ClockedStore) -> None:
    heard: list[tuple[str, Reply, float]] = []
    client = SadadClient(
        "k",
        "s",
        api_url=server.url,
        store=store,
        on_reply=lambda row, reply, took: heard.append((row.name, reply, took)),
    )
    server.on("Product/getall", s.error("Odd"))
    with pytest.raises(Rejected):
        list(client.products.getall())
    assert [name for name, _, _ in heard] == ["Product/getall"]
    assert (heard[-1][1].error_key, heard[-1][1].status) == ("Odd", 200)
    assert all(took >= 0 for _, _, took in heard)
