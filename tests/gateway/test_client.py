"""What a caller sees: results, and one error per cause."""

from __future__ import annotations

import copy
import pickle
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.errors import (
    AuthenticationError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    SadadError,
    Unavailable,
)
from django_sadadpay.gateway.transport import Outgoing
from tests.gateway import server as s
from tests.gateway.conftest import ClockedStore
from tests.gateway.server import Server

INVOICE = {"amount": Decimal("1.250"), "customer_name": "A"}
GETBYID, INSERT, REFUND = "Invoice/getbyid", "Invoice/insert", "Refund/insert"
REFUSED_TOKEN = {
    "401": s.status(401),
    "401 in an envelope": s.error("TokenExpired", 401),
    "401 with any key": s.error("SomethingElse", 401),
    "UnauthorizedAccess in a 200": s.error("UnauthorizedAccess"),
    "TokenExpired in a 200": s.error("TokenExpired"),
    "InvalidToken in a 200": s.error("InvalidToken"),
    "a key beside isValid": s.envelope(None, "InvalidToken", valid=True),
}


def tokens_used(server: Server, endpoint: str) -> list[str]:
    return [call.headers["authorization"].removeprefix("Bearer ") for call in server.to(endpoint)]


# Tokens


@pytest.mark.parametrize("refusal", REFUSED_TOKEN.values(), ids=REFUSED_TOKEN.keys())
@pytest.mark.parametrize("endpoint", [GETBYID, REFUND])
def test_an_old_token_that_is_refused_is_renewed_and_the_call_repeated_once(
    server: Server, client: SadadClient, refusal: s.Answer, endpoint: str
) -> None:
    server.on(endpoint, refusal, s.ok("done"))
    assert client.call(endpoint, body={}) == "done"
    assert tokens_used(server, endpoint) == ["access-0", "access-1"]
    assert len(server.to("User/GenerateAccessToken")) == 1
    assert server.to("User/GenerateRefreshToken") == []


def test_a_fresh_token_that_is_refused_is_not_renewed(
    server: Server, client: SadadClient, store: ClockedStore
) -> None:
    store.hold(age=30)
    server.on("Product/getall", s.error("TokenExpired"))
    with pytest.raises(AuthenticationError) as caught:
        client.call("Product/getall")
    assert caught.value.error_key == "TokenExpired"
    assert len(server.calls) == 1


@pytest.mark.parametrize("age", [30, 3600])
def test_unauthorized_for_an_id_on_a_fresh_token_is_not_found(
    server: Server, client: SadadClient, store: ClockedStore, age: int
) -> None:
    store.hold(age=age)
    server.on(GETBYID, s.error("UnauthorizedAccess"))
    with pytest.raises(NotFound):
        client.invoices.getbyid("7")
    assert len(server.to(GETBYID)) == (1 if age == 30 else 2)


@pytest.mark.parametrize("endpoint", [GETBYID, "Invoice/update", "Product/insert"])
def test_with_401_it_is_the_token_however_young(
    server: Server, client: SadadClient, store: ClockedStore, endpoint: str
) -> None:
    store.hold(age=30)
    server.on(endpoint, s.error("UnauthorizedAccess", 401))
    with pytest.raises(AuthenticationError):
        client.call(endpoint)


def test_unauthorized_without_an_id_is_an_authentication_error(server: Server, client: SadadClient) -> None:
    server.on("Invoice/getall", s.error("UnauthorizedAccess"))
    with pytest.raises(AuthenticationError):
        list(client.invoices.getall())


def test_a_refusal_that_may_be_of_an_old_token_does_not_say_that_an_invoice_is_missing(
    server: Server, client: SadadClient, store: ClockedStore
) -> None:
    # Another process has stored a token meanwhile; ours was not the stored one, its own is an hour old.
    def swapped(connection: Any) -> bool:
        store.hold("access-theirs", age=3600)
        return s.error("UnauthorizedAccess")(connection)

    server.on(GETBYID, swapped)
    with pytest.raises(AuthenticationError):
        client.invoices.getbyid("7")
    assert tokens_used(server, GETBYID) == ["access-0", "access-theirs"]


@pytest.mark.parametrize("key", ["AccessPermissionDenied", "UnderReview", "WrongUserType"])
def test_an_account_that_may_not_is_not_helped_by_a_new_token(
    server: Server, client: SadadClient, key: str
) -> None:
    server.on(INSERT, s.error(key, 401))
    with pytest.raises(AuthenticationError) as caught:
        client.invoices.insert(INVOICE)
    assert (caught.value.error_key, caught.value.status, caught.value.may_have_acted) == (key, 401, False)
    assert len(server.calls) == 1


def test_a_bare_403_is_an_authentication_error(server: Server, client: SadadClient) -> None:
    server.on(INSERT, s.status(403, b"<html>blocked"))
    with pytest.raises(AuthenticationError):
        client.invoices.insert(INVOICE)


def test_wrong_keys(server: Server, client: SadadClient, store: ClockedStore) -> None:
    store._tokens = None
    server.on("User/GenerateRefreshToken", s.error("WrongClientKeyOrClientSecret"))
    with pytest.raises(AuthenticationError, match="WrongClientKeyOrClientSecret"):
        client.warm()


def test_keys_are_trimmed_and_encoded(server: Server, store: ClockedStore) -> None:
    client = SadadClient(" ck_1\n", "cs_1 \n", api_url=server.url, store=store)
    assert client.user.generate_refresh_token() == "refresh-1"
    assert server.calls[0].headers["authorization"] == "Basic Y2tfMTpjc18x"


def test_a_client_without_a_store_keeps_its_own_tokens(server: Server) -> None:
    client = SadadClient("k", "s", api_url=server.url)
    server.on("Product/getall", s.ok([]))
    client.warm()
    client.call("Product/getall")
    client.call("Product/getall")
    assert [call.path.split("/")[-1] for call in server.calls] == [
        "GenerateRefreshToken",
        "GenerateAccessToken",
        "getall",
        "getall",
    ]


def test_warm_makes_sure_of_five_minutes(server: Server, client: SadadClient, store: ClockedStore) -> None:
    client.warm()
    assert server.calls == []
    store.hold(left=299)
    client.warm()
    assert len(server.calls) == 1


@pytest.mark.parametrize("response", [None, {}, {"accessToken": ""}, {"accessToken": "a\nb"}, "x", [1]])
def test_an_answer_without_a_token_is_unavailable(server: Server, client: SadadClient, response: Any) -> None:
    server.on("User/GenerateAccessToken", s.ok(response))
    with pytest.raises(Unavailable):
        client.user.generate_access_token("r")


@pytest.mark.parametrize(
    ("told", "life"),
    [(86400, 86400), ("3600", 3600), (None, 600), (0, 600), (-5, 600), ("soon", 600), (10**30, 604800)],
)
def test_the_life_of_a_token(server: Server, client: SadadClient, told: Any, life: int) -> None:
    server.on("User/GenerateAccessToken", s.ok({"accessToken": "a", "expiredAfterSeconds": told}))
    assert client.user.generate_access_token("r") == ("a", life)


def test_a_lost_answer_to_a_token_call_does_not_look_as_if_the_refund_may_have_acted(
    server: Server, client: SadadClient, store: ClockedStore
) -> None:
    store.hold(left=299)
    server.on("User/GenerateAccessToken", s.cut)
    with pytest.raises(Unavailable) as caught:
        client.refunds.insert("7", Decimal(1))
    assert not caught.value.may_have_acted
    assert server.to(REFUND) == []


def test_the_token_calls_can_be_made_by_name(
    server: Server, client: SadadClient, store: ClockedStore
) -> None:
    assert client.call("User/GenerateRefreshToken") == {"refreshToken": "refresh-1"}
    client.call("User/GenerateAccessToken")
    store._tokens = None
    client.call("User/GenerateAccessToken")
    assert tokens_used(server, "User/GenerateAccessToken") == ["refresh-0", "refresh-1"]


def test_token_false_sends_none(server: Server, client: SadadClient) -> None:
    server.on("Product/getall", s.ok([]))
    client.call("Product/getall", token=False)
    assert "authorization" not in server.calls[0].headers


# Error keys


@pytest.mark.parametrize(
    ("endpoint", "key", "refusal"),
    [
        *[(REFUND, key, True) for key in sorted(ENDPOINTS[REFUND].refusals)],
        *[(INSERT, key, True) for key in sorted(ENDPOINTS[INSERT].refusals)],
        (REFUND, "Error ", False),
        (REFUND, "ERROR", False),
        (REFUND, "NewKey", False),
        (INSERT, "InsufficientBalance", False),
    ],
)
def test_only_listed_keys_are_refusals(
    server: Server, client: SadadClient, endpoint: str, key: str, refusal: bool
) -> None:
    server.on(endpoint, s.error(key))
    with pytest.raises(Rejected) as caught:
        client.call(endpoint, body={})
    assert (caught.value.error_key, caught.value.refusal) == (key.strip(), refusal)
    assert len(server.to(endpoint)) == 1


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (s.envelope({"invoiceId": "1"}, valid=False), ""),
        (s.envelope({"invoiceId": "1"}, "SomeKey", valid=True), "SomeKey"),
        (s.status(200, b'{"errorKey": 5, "isValid": true, "response": {"invoiceId": "1"}}'), "(not text)"),
        (s.status(200, b'{"isValid": "true", "response": {"invoiceId": "1"}}'), ""),
        (s.status(400, b'{"isValid": false, "errorKey": "Odd"}'), "Odd"),
    ],
)
def test_failed_is_not_valid_or_any_key(
    server: Server, client: SadadClient, answer: s.Answer, key: str
) -> None:
    server.on(INSERT, answer)
    with pytest.raises(Rejected) as caught:
        client.invoices.insert(INVOICE)
    assert caught.value.error_key == key


def test_a_blank_key_beside_a_result_is_success(server: Server, client: SadadClient) -> None:
    server.on(INSERT, s.envelope({"invoiceId": "5"}, " ", valid=True))
    assert client.invoices.insert(INVOICE) == "5"


@pytest.mark.parametrize("key", ["InvoiceNotExist", "InvoiceIdRequired", "EmptyResult"])
def test_getbyid_of_an_invoice_that_is_not_there(server: Server, client: SadadClient, key: str) -> None:
    server.on(GETBYID, s.envelope(None, key, valid=True))
    with pytest.raises(NotFound) as caught:
        client.invoices.getbyid(7)
    assert caught.value.error_key == key


@pytest.mark.parametrize(
    "error",
    [
        SadadError("A/b", "why", status=500, error_key="K"),
        Rejected("A/b", "K", refusal=True, status=200),
        RateLimited("A/b", 3.0),
        OutcomeUnknown("A/b", "why", status=502),
        InvalidRequest("A/b", "items[0].amount"),
    ],
)
def test_errors_survive_a_task_queue(error: SadadError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert twin.__dict__ == error.__dict__
        assert str(twin) == str(error)


def test_what_errors_say() -> None:
    assert str(Rejected("Invoice/insert", "AmountRequired", status=200)) == (
        "Invoice/insert: rejected, errorKey AmountRequired, HTTP 200"
    )
    assert str(Rejected("Invoice/insert", "Ahmad owes 5")) == "Invoice/insert: rejected, errorKey (unusual)"
    assert str(SadadError("Invoice/insert")) == "Invoice/insert: failed"


# Invoices


@pytest.mark.parametrize(
    "response", [{"invoiceId": "68141"}, {"invoiceId": 68141}, {"invoice_Id": "68141"}, "68141", 68141]
)
def test_insert_gives_the_id_as_text(server: Server, client: SadadClient, response: Any) -> None:
    server.on(INSERT, s.ok(response))
    assert client.invoices.insert(INVOICE) == "68141"


@pytest.mark.parametrize(
    "response", [None, {}, {"invoiceId": ""}, {"invoiceId": "abc"}, True, [1], {"invoiceId": "9" * 21}]
)
def test_an_insert_whose_answer_names_no_invoice_is_unknown(
    server: Server, client: SadadClient, response: Any
) -> None:
    server.on(INSERT, s.ok(response))
    with pytest.raises(OutcomeUnknown):
        client.invoices.insert(INVOICE)


def test_insert_sends_sadad_s_names_and_money_as_text(server: Server, client: SadadClient) -> None:
    server.on(INSERT, s.ok({"invoiceId": "1"}))
    client.invoices.insert(
        {
            "amount": Decimal("1.250"),
            "customer_name": "أحمد",
            "ref_number": "A-1",
            "expiry_date": date(2026, 4, 6),
            "success_return_url": "https://shop.example/ok",
            "send_type": "",
            "comment": None,
            "currency_Code": "KWD",
            "their_new_field": True,
            "items": [{"name": "Cup", "quantity": 1, "amount": Decimal("1.250"), "supplier_id": 5}],
        }
    )
    assert server.calls[0].headers["content-type"] == "application/json"
    assert server.calls[0].json == {
        "Invoices": [
            {
                "amount": "1.250",
                "customer_Name": "أحمد",
                "ref_Number": "A-1",
                "expiry_date".replace("_d", "_D"): "2026-04-06",
                "Success_ReturnURL": "https://shop.example/ok",
                "sendType": "",
                "currency_Code": "KWD",
                "their_new_field": True,
                "items": [{"name": "Cup", "quantity": 1, "amount": "1.250", "supplierId": 5}],
            }
        ]
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 1.25}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": None}, "amount"),
        ({"customer_name": ""}, "customer_Name"),
        ({"customer_Name": "B"}, "customer_Name"),
        ({"comment": "\ud800"}, "comment"),
        ({"comment": b"bytes"}, "comment"),
        (
            {"items": [{"name": "a", "quantity": 1, "amount": "1"}, {"name": "b", "quantity": 1}]},
            "items[1].amount",
        ),
        ({"items": [{"name": "a", "quantity": 1.5, "amount": "1"}]}, "items[0].quantity"),
    ],
)
def test_what_cannot_be_sent_is_refused_here_by_name(
    server: Server, client: SadadClient, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.invoices.insert({**INVOICE, **change})
    assert caught.value.field == field
    assert server.calls == []


def test_getbyid_of_another_invoice_is_thrown_away(server: Server, client: SadadClient) -> None:
    server.on(GETBYID, s.ok({"id": 8}))
    with pytest.raises(OutcomeUnknown):
        client.invoices.getbyid("7")


@pytest.mark.parametrize("response", [None, [], "x", 5])
def test_getbyid_without_an_invoice_is_unavailable(
    server: Server, client: SadadClient, response: Any
) -> None:
    server.on(GETBYID, s.ok(response))
    with pytest.raises(Unavailable):
        client.invoices.getbyid("7")


@pytest.mark.parametrize("bad", ["", "7;8", "٧", "-1", "9" * 21])
def test_an_id_that_is_no_number_is_refused_here(server: Server, client: SadadClient, bad: str) -> None:
    for call in (client.invoices.getbyid, client.invoices.delete):
        with pytest.raises(InvalidRequest):
            call(bad)
    assert server.calls == []


def test_update_and_delete(server: Server, client: SadadClient) -> None:
    server.on("Invoice/update", s.ok(True)).on("Invoice/delete", s.ok(None))
    client.invoices.update({"id": 7, "amount": "2.000"})
    client.invoices.delete(7)
    update, delete = server.calls
    assert (update.verb, update.json) == ("PUT", {"id": 7, "amount": "2.000"})
    assert (delete.verb, delete.query, delete.body) == ("DELETE", {"id": "7"}, b"")
    with pytest.raises(InvalidRequest, match="id is missing"):
        client.invoices.update({"amount": "2.000"})


# Refunds


@pytest.mark.parametrize(
    ("value", "refund_id"), [(True, "true"), (14, "14"), ("14", "14"), (" R-1 ", "R-1"), (Decimal(14), "14")]
)
def test_a_refund_s_receipt(server: Server, client: SadadClient, value: Any, refund_id: str) -> None:
    server.on(REFUND, s.ok({"refund_Id": int(value) if isinstance(value, Decimal) else value}))
    assert client.refunds.insert(7, Decimal("0.5")).refund_id == refund_id
    assert server.calls[0].json == {
        "invoice_Id": "7",
        "amount": "0.500",
        "refund_Type": "DeductFromBalance",
        "currency_Code": "KWD",
    }


@pytest.mark.parametrize(
    "response", [None, {}, {"refund_Id": False}, {"refund_Id": ""}, {"refund_Id": 0}, True]
)
def test_a_refund_whose_answer_names_none_is_unknown(
    server: Server, client: SadadClient, response: Any
) -> None:
    server.on(REFUND, s.ok(response))
    with pytest.raises(OutcomeUnknown):
        client.refunds.insert(7, Decimal(1))
    assert len(server.to(REFUND)) == 1


@pytest.mark.parametrize("amount", [Decimal("0.0005"), Decimal(0), Decimal(-1), Decimal("NaN"), 1.5, "1.000"])
def test_a_refund_of_no_proper_amount_is_refused_here(
    server: Server, client: SadadClient, amount: Any
) -> None:
    with pytest.raises(InvalidRequest):
        client.refunds.insert(7, amount)
    assert server.calls == []


def test_a_refund_goes_out_with_a_token_that_lasts_five_minutes(
    server: Server, client: SadadClient, store: ClockedStore
) -> None:
    store.hold(left=299)
    server.on(REFUND, s.ok({"refund_Id": True}))
    client.refunds.insert(7, Decimal(1))
    assert tokens_used(server, REFUND) == ["access-1"]


def test_a_refund_is_repeated_once_only_even_after_refusals(server: Server, client: SadadClient) -> None:
    server.on(REFUND, s.error("TokenExpired", 401))
    with pytest.raises(AuthenticationError):
        client.refunds.insert(7, Decimal(1))
    assert len(server.to(REFUND)) == 2


def test_a_refund_that_could_not_be_sent_is_tried_once_more(store: ClockedStore) -> None:
    with Server() as gone:
        url = gone.url
    calls: list[str] = []
    client = SadadClient("k", "s", api_url=url, store=store, before_call=calls.append)
    client.transport._pause = 0.001
    with pytest.raises(Unavailable):
        client.refunds.insert(7, Decimal(1))
    assert calls == [REFUND] * 2


def test_a_write_has_its_whole_time_after_a_slow_token_and_a_read_what_is_left(
    server: Server, client: SadadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    send = client.transport.send

    def spy(outgoing: Outgoing, **options: Any) -> Reply:
        given.append(options["deadline"])
        return send(outgoing, **options)

    def slow(min_seconds: int, *, seconds: float) -> str:
        time.sleep(0.1)
        return "access-0"

    monkeypatch.setattr(client.transport, "send", spy)
    monkeypatch.setattr(client.tokens, "access", slow)
    server.on(REFUND, s.ok({"refund_Id": True})).on(GETBYID, s.ok({"id": 7}))
    client.refunds.insert(7, Decimal(1))
    client.invoices.getbyid(7)
    write, read = given
    assert write == 5.0
    assert read <= 4.9


def test_refunds_are_listed(server: Server, client: SadadClient) -> None:
    server.on("Refund/getall", s.ok([{"id": 1, "invoice_Id": 7, "amount": 0.5, "status": "New"}, "odd"]))
    (refund,) = client.refunds.getall(invoice_id=7)
    assert (refund.id, refund.invoice_id, refund.amount, refund.status) == ("1", "7", Decimal("0.5"), "New")


# Common


def test_currencies(server: Server, client: SadadClient) -> None:
    rows = [
        {"code": "usd", "conversionRate": 0.31, "decimalPlacement": 2},
        {"code": "EUR", "conversionRate": "0.35"},
        {"code": "JPY", "conversionRate": 0.002, "decimalPlacement": 99},
        {"code": "", "conversionRate": 1},
        {"code": "XXX", "conversionRate": 0},
        {"code": "Dinar", "conversionRate": 1},
        {"code": "QQQ"},
        "odd",
    ]
    server.on("Common/getcurrencies", s.ok(rows))
    found = [(rate.code, rate.rate, rate.decimals) for rate in client.common.getcurrencies()]
    assert found == [("USD", Decimal("0.31"), 2), ("EUR", Decimal("0.35"), 3), ("JPY", Decimal("0.002"), 3)]
    assert "authorization" not in server.calls[0].headers


def test_currencies_that_are_no_list(server: Server, client: SadadClient) -> None:
    server.on("Common/getcurrencies", s.ok({"a": 1}))
    with pytest.raises(Unavailable):
        client.common.getcurrencies()


# The client itself


def test_addresses() -> None:
    sandbox, live = SadadClient("k", "s"), SadadClient("k", "s", "live")
    assert sandbox.transport.api_url == "https://apisandbox.sadadpay.net/api"
    assert live.transport.api_url == "https://api.sadadpay.net/api"
    assert sandbox.pay_url_for("9565391268141") == "https://sandbox.sadadpay.net/pay/9565391268141"
    assert live.pay_url_for("9565391268141") == "https://sadadpay.net/pay/9565391268141"
    assert (sandbox.pay_host, live.pay_host) == ("sandbox.sadadpay.net", "sadadpay.net")
    own = SadadClient("k", "s", api_url="http://127.0.0.1:1/api/", pay_url="http://127.0.0.1:1/pay/")
    assert (own.transport.api_url, own.pay_host) == ("http://127.0.0.1:1/api", "127.0.0.1:1")
    assert own.pay_url_for("12") == "http://127.0.0.1:1/pay/12"


@pytest.mark.parametrize("key", ["", "12/../x", "12?", "١٢", "abc"])
def test_a_key_that_is_not_digits_gives_no_address(key: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        SadadClient("k", "s").pay_url_for(key)


@pytest.mark.parametrize(
    ("key", "secret", "environment"), [("", "s", "sandbox"), ("k", " ", "live"), ("k", "s", "test")]
)
def test_a_client_that_cannot_work_is_not_made(key: str, secret: str, environment: str) -> None:
    with pytest.raises(ValueError, match="must"):
        SadadClient(key, secret, environment)


def test_a_client_does_not_show_its_keys() -> None:
    client = SadadClient("ck_secret", "cs_secret")
    assert "secret" not in repr(client) + repr(vars(client)) + str(vars(client.transport))


def test_an_endpoint_that_is_not_in_the_table() -> None:
    with pytest.raises(KeyError):
        SadadClient("k", "s").call("Invoice/steal")


def test_query_values_are_text(server: Server, client: SadadClient) -> None:
    server.on("Product/getall", s.ok([]))
    client.call(
        "Product/getall", query={"a": 1, "b": True, "c": {"d": Decimal("1.5")}, "e": None, "f": "ع&="}
    )
    assert server.calls[0].query == {"a": "1", "b": "true", "c": '{"d": "1.5"}', "f": "ع&="}


def test_a_renewed_token_is_counted_from_before_its_call(
    server: Server, client: SadadClient, store: ClockedStore
) -> None:
    store._tokens = None
    began = store.time

    def late(connection: Any) -> bool:
        store.advance(15)
        return s.ok({"accessToken": "a", "expiredAfterSeconds": 100})(connection)

    server.on("User/GenerateAccessToken", late)
    client.warm()
    held = store.load()
    assert held is not None
    assert held.access_expires_at == began + timedelta(seconds=100)
