"""Every documented sample through the client, against a server that only gives back recorded bytes.

Requests that the client makes must be the documented ones; records must carry the documented values.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import AuthenticationError, NotFound, Rejected, SadadError
from django_sadadpay.gateway.tokens import MemoryTokenStore
from django_sadadpay.gateway.webhook import parse
from tests.gateway import server as s
from tests.gateway.conftest import DATA
from tests.gateway.recorded import EXCHANGES, Exchange, exchange, plain, webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gateway.conftest import ClockedStore
    from tests.gateway.server import Server


def decimals(value: Any) -> Any:
    """A sample's numbers as we hand them in: the client takes no floats for money."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: decimals(item) for name, item in value.items()}
    return [decimals(item) for item in value] if isinstance(value, list) else value


def invoice_of(kept: Exchange) -> Any:
    ((_, invoices),) = kept.body.items()
    return decimals(invoices[0])


def insert(client: SadadClient, kept: Exchange) -> Any:
    return client.invoices.insert(invoice_of(kept))


def read(client: SadadClient, kept: Exchange) -> Any:
    return client.invoices.getbyid(kept.query["id"])


def update(client: SadadClient, kept: Exchange) -> Any:
    return client.invoices.update(kept.body)


def delete(client: SadadClient, kept: Exchange) -> Any:
    return client.invoices.delete(kept.query["id"])


def refund(client: SadadClient, kept: Exchange) -> Any:
    return client.refunds.insert(kept.body["invoice_Id"], Decimal(kept.body["amount"]))


def session(client: SadadClient, kept: Exchange) -> Any:
    return client.embedded.initiate_order_session(kept.body)


def refresh_token(client: SadadClient, kept: Exchange) -> Any:
    return client.user.generate_refresh_token()


def access_token(client: SadadClient, kept: Exchange) -> Any:
    return client.user.generate_access_token(kept.authorization.removeprefix("Bearer "))


CALLS: dict[str, Callable[[SadadClient, Exchange], Any]] = {
    "refresh-token": refresh_token,
    "refresh-token-refused": refresh_token,
    "refresh-token-wrong-secret": refresh_token,
    "access-token": access_token,
    "access-token-refused": access_token,
    "create-invoice": insert,
    "create-supplier-invoice": insert,
    "insert-not-adding-up": insert,
    "unbindable-body": insert,
    "payment-status": read,
    "unknown-invoice": read,
    "valid-with-a-key": read,
    "token-expired": read,
    "empty-list": lambda client, kept: list(client.invoices.getall()),
    "update-invoice": update,
    "update-of-a-paid-invoice": update,
    "delete-invoice": delete,
    "delete-of-a-paid-invoice": delete,
    "refund": refund,
    "refund-refused": refund,
    "currencies": lambda client, kept: client.common.getcurrencies(),
    "knet-session": session,
    "card-session": session,
    "session-refused": session,
    "payment-link-invoice": lambda client, kept: client.invoices.create_payment_link_invoice(kept.body),
}


@pytest.fixture(autouse=True)
def _fresh_token(store: ClockedStore) -> None:
    """Fetched half a minute ago: a refusal cannot be its age, so that each exchange is one call."""
    store.hold(age=30)


def ask(server: Server, client: SadadClient, name: str) -> Any:
    """What the client makes of a documented reply, having asked as documented."""
    return CALLS[name](client, exchange(name).play(server))


def failure(server: Server, client: SadadClient, name: str) -> SadadError:
    with pytest.raises(SadadError) as caught:
        ask(server, client, name)
    return caught.value


def test_every_kept_exchange_is_replayed() -> None:
    assert sorted(CALLS) == EXCHANGES


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_client_asks_as_documented(server: Server, client: SadadClient, name: str) -> None:
    with suppress(SadadError):  # what came of it, the tests below say
        ask(server, client, name)
    (request,) = server.calls
    kept = exchange(name)
    if name == "empty-list":  # how many rows a page has is ours to say
        said = json.loads(request.query["listOptions"])
        request.query["listOptions"] = json.dumps({**said, "take": 20}, separators=(",", ":"))
    assert kept.differs_from(request) == {}


@pytest.mark.parametrize("part", ["verb", "path", "query", "authorization", "body", "type"])
def test_a_request_that_differs_would_be_noticed(server: Server, client: SadadClient, part: str) -> None:
    kept = exchange("create-invoice").play(server)
    insert(client, kept)
    (request,) = server.calls
    if part in ("authorization", "type"):
        request.headers["content-type" if part == "type" else part] = "other"
    else:
        other: dict[str, Any] = {
            "verb": "PUT",
            "path": "/api/invoice/insert",
            "query": {"a": "1"},
            "body": b"{}",
        }
        setattr(request, part, other[part])
    assert list(kept.differs_from(request)) == [part]


# Tokens (contract 2)


def test_both_token_calls_in_their_order_serve_the_first_call(server: Server) -> None:
    steps = ("refresh-token", "access-token", "payment-status")
    kept = [exchange(name).play(server) for name in steps]
    client = SadadClient(" ck_1\n", "cs_1\n", api_url=server.url, store=MemoryTokenStore())
    client.invoices.getbyid("1821")
    assert [call.path for call in server.calls] == [step.path for step in kept]
    assert [call.headers["authorization"] for call in server.calls] == [
        kept[0].authorization,
        "Bearer refresh-of-the-docs",
        "Bearer access-of-the-docs",
    ]
    assert [call.body for call in server.calls] == [b""] * 3


def test_tokens_are_those_of_the_pages(server: Server, client: SadadClient) -> None:
    assert str.__str__(ask(server, client, "refresh-token")) == "refresh-of-the-docs"
    token, seconds = ask(server, client, "access-token")
    assert (str.__str__(token), seconds) == ("access-of-the-docs", 86400)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("refresh-token-refused", "UnauthorizedAccess"),
        ("refresh-token-wrong-secret", "WrongClientKeyOrClientSecret"),
        ("access-token-refused", "UnauthorizedAccess"),
    ],
)
def test_refused_credentials_in_a_200(server: Server, client: SadadClient, name: str, key: str) -> None:
    error = failure(server, client, name)
    assert (type(error), error.error_key, error.status) == (AuthenticationError, key, 200)


def test_an_expired_token_in_a_401(server: Server, client: SadadClient) -> None:
    error = failure(server, client, "token-expired")
    assert (type(error), error.error_key, error.status) == (AuthenticationError, "TokenExpired", 401)


# Invoices (contract 3)


@pytest.mark.parametrize(
    ("name", "number"), [("create-invoice", "1821"), ("create-supplier-invoice", "1822")]
)
def test_an_insert_names_the_invoice(server: Server, client: SadadClient, name: str, number: str) -> None:
    assert ask(server, client, name) == number


def test_the_status_page_of_2023(server: Server, client: SadadClient) -> None:
    record = ask(server, client, "payment-status")
    assert (record.id, record.code, record.key) == ("1821", "INV-01821", "597752911821")
    assert (record.type, record.status, record.currency) == ("Invoice", "Unpaid", "USD")
    assert (record.amount, record.total) == (Decimal("5.58"), Decimal("5.58"))
    assert record.alt_amount == Decimal("18.000000128746034")
    assert record.url == client_of("sandbox").pay_url_for(record.key)
    assert record.qr_url == "https://sandbox.sadadpay.net/qr/597752911821/download"
    assert record.expires_at == datetime(2023, 7, 29, 21, tzinfo=UTC)  # midnight in Kuwait
    assert (record.created_at, record.short_link, record.transactions) == (None, "", ())
    assert record.raw["terms_Condition_Enabled"] is False


def client_of(environment: str) -> SadadClient:
    return SadadClient("ck_1", "cs_1", environment)


@pytest.mark.parametrize(
    ("environment", "api", "page"),
    [
        ("sandbox", "https://apisandbox.sadadpay.net/api", "https://sandbox.sadadpay.net/pay/597752911821"),
        ("live", "https://api.sadadpay.net/api", "https://sadadpay.net/pay/597752911821"),
    ],
)
def test_hosts_are_the_documented_ones(environment: str, api: str, page: str) -> None:
    client = client_of(environment)
    assert (client.transport.api_url, client.pay_url_for("597752911821")) == (api, page)


def test_an_invoice_of_nobody_is_not_found(server: Server, client: SadadClient) -> None:
    assert isinstance(failure(server, client, "unknown-invoice"), NotFound)


@pytest.mark.parametrize(
    ("name", "key", "status"),
    [
        ("insert-not-adding-up", "InvoiceAmountMustEqualsToTotalItemsAmount", 200),
        ("unbindable-body", "WrongObject", 400),
        ("update-of-a-paid-invoice", "InvoiceCannotBeUpdated", 200),
        ("delete-of-a-paid-invoice", "InvoiceCannotBeDeleted", 200),
    ],
)
def test_a_refusal_keeps_its_key(
    server: Server, client: SadadClient, name: str, key: str, status: int
) -> None:
    error = failure(server, client, name)
    assert (type(error), error.error_key, error.status) == (Rejected, key, status)
    assert not error.may_have_acted


def test_a_key_beside_is_valid_is_a_failure(server: Server, client: SadadClient) -> None:
    error = failure(server, client, "valid-with-a-key")
    assert (error.error_key, error.may_have_acted) == ("InvoiceIdRequired", False)


def test_an_empty_list_is_no_failure(server: Server, client: SadadClient) -> None:
    assert ask(server, client, "empty-list") == []


@pytest.mark.parametrize("name", ["update-invoice", "delete-invoice"])
def test_true_and_null_both_end_well(server: Server, client: SadadClient, name: str) -> None:
    assert ask(server, client, name) is None


def test_a_payment_link_s_invoice(server: Server, client: SadadClient) -> None:
    assert ask(server, client, "payment-link-invoice") == "1823"


# The real calls of April 2026 (contract 3, samples of a third party)

#: What that shop sent although the server owns it: ignored there (contract 3.1), and not asked of ours.
NEVER_SEND = {"id", "code", "status", "vendor_id", "transactionid", "paymentgateway", "paymentgatewaycode"}


def real(name: str) -> bytes:
    return (DATA / "samples" / f"{name}.json").read_bytes()


@pytest.mark.parametrize("number", [1, 2])
def test_a_real_insert_and_its_invoice(server: Server, client: SadadClient, number: int) -> None:
    server.on("Invoice/insert", s.status(200, real(f"invoice-insert-reply-{number}")))
    server.on("Invoice/getbyid", s.status(200, real(f"invoice-getbyid-reply-{number}")))
    (sent,) = json.loads(real(f"invoice-insert-request-{number}"))["invoices"]
    useful = {name: value for name, value in sent.items() if name.lower() not in NEVER_SEND}
    record = client.invoices.getbyid(client.invoices.insert(decimals(useful)))

    made, looked = server.calls
    (ours,) = made.json["Invoices"]
    documented = {name: value for name, value in plain(useful).items() if value is not None}
    assert plain(ours) == documented
    assert (made.verb, looked.verb, looked.query) == ("POST", "GET", {"id": f"6814{number}"})
    as_the_sandbox_told(record, json.loads(real(f"invoice-getbyid-reply-{number}"))["response"])


def as_the_sandbox_told(record: Any, told: dict[str, Any]) -> None:
    texts = {
        "code": "code", "type": "type", "status": "status", "key": "key", "url": "url", "qr_url": "qr",
        "short_url": "short_url", "ref_number": "ref_Number", "lang": "lang", "currency": "currency_Code",
        "customer_name": "customer_Name", "customer_mobile": "customer_Mobile",
        "customer_email": "customer_Email",
    }  # fmt: skip
    assert {ours: getattr(record, ours) for ours in texts} == {
        ours: told[sadad] for ours, sadad in texts.items()
    }
    for ours, sadad in (("amount", "amount"), ("total", "total"), ("refunded_amount", "refunded_Amount")):
        assert getattr(record, ours) == Decimal(str(told[sadad]))
    assert (record.id, record.short_link) == (str(told["id"]), told["shortLink"].strip())
    lines = [(item.id, item.name, item.quantity, item.amount) for item in record.items]
    assert lines == [
        (str(row["id"]), row["name"], row["quantity"], Decimal(str(row["amount"]))) for row in told["items"]
    ]
    assert record.raw == told


# Refunds (contract 6), rates (9), sessions (8)


def test_a_refund_s_id_is_the_boolean_of_the_page(server: Server, client: SadadClient) -> None:
    assert ask(server, client, "refund").refund_id == "true"


def test_the_refund_page_s_error_proves_nothing(server: Server, client: SadadClient) -> None:
    """Its key is a placeholder with a trailing blank (contract 1.3, 11)."""
    error = failure(server, client, "refund-refused")
    assert isinstance(error, Rejected)
    assert (error.error_key, error.refusal) == ("Error", False)


def test_rates_are_read_by_the_library_s_three_names(server: Server, client: SadadClient) -> None:
    rates = {rate.code: rate for rate in ask(server, client, "currencies")}
    assert (rates["KWD"].rate, rates["KWD"].decimals) == (1, 3)
    assert (rates["USD"].rate, rates["USD"].decimals) == (Decimal("0.31"), 2)


@pytest.mark.parametrize("name", ["knet-session", "card-session"])
def test_a_session_has_the_id_of_the_page(server: Server, client: SadadClient, name: str) -> None:
    record = ask(server, client, name)
    assert record.session_id == exchange(name).response["session_Id"]
    assert len(record.session_id) == 32


def test_a_session_that_is_refused(server: Server, client: SadadClient) -> None:
    error = failure(server, client, "session-refused")
    assert (type(error), error.error_key) == (Rejected, "ERROR")


# The webhook (contract 5)


@pytest.mark.parametrize("spelling", ["documented", "seen"])
def test_both_spellings_of_the_webhook_name_the_payment(spelling: str) -> None:
    payload = parse(webhook(spelling))
    assert (payload.invoice_id, payload.invoice_code, payload.invoice_key) == (
        "1821",
        "INV-01821",
        "597752911821",
    )
    assert (payload.status, payload.amount, payload.payment_method) == ("Paid", Decimal("5.58"), "KNET")
    assert (payload.transaction_id, payload.session_id) == ("202331012345678", "")
