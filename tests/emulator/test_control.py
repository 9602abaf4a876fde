"""The control API in Python and over HTTP, and the log of calls."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from django_sadadpay.emulator import Emulator, Refusal, UnknownInvoice

if TYPE_CHECKING:
    from django_sadadpay.emulator.control import Control
    from tests.emulator.conftest import Merchant


@pytest.fixture
def control(emulator: Emulator) -> Control:
    return emulator.control


def over_http(emulator: Emulator, name: str, **arguments: Any) -> tuple[int, Any]:
    reply = requests.post(f"{emulator.base_url}/control/{name}", json=arguments, timeout=5)
    return reply.status_code, reply.json()


def seen(emulator: Emulator, name: str) -> Any:
    reply = requests.get(f"{emulator.base_url}/control/{name}", timeout=5)
    assert reply.status_code == 200
    return reply.json()["result"]


def test_control_shows_what_getbyid_shows(merchant: Merchant, control: Control) -> None:
    number = merchant.insert()
    assert (
        control.invoice(number)
        == control.invoice(str(number))
        == control.invoices()[0]
        == merchant.read(number)
    )


@pytest.mark.parametrize("number", [999, "abc"])
def test_unknown_invoice_is_an_error_of_its_own(control: Control, number: Any) -> None:
    with pytest.raises(UnknownInvoice):
        control.pay(number)


def test_invoice_is_paid_once(control: Control) -> None:
    number = control.create("1.250")["id"]
    control.pay(number)
    for force in (False, True):
        with pytest.raises(Refusal, match="InvoiceAlreadyPaid"):
            control.pay(number, force=force)
    with pytest.raises(Refusal, match="InvoiceAlreadyPaid"):
        control.fail(number)


@pytest.mark.parametrize(("how", "error_key"), [("cancel", "InvoiceNotExist"), ("expire", "InvoiceExpired")])
def test_buyer_with_an_open_page_may_pay_what_is_gone(control: Control, how: str, error_key: str) -> None:
    number = control.create(1)["id"]
    getattr(control, how)(number)
    with pytest.raises(Refusal, match=error_key):
        control.pay(number)
    assert control.pay(number, force=True)["status"] == "Paid"


def test_unknown_method_changes_nothing(control: Control) -> None:
    number = control.create(1)["id"]
    with pytest.raises(ValueError, match="knet or card"):
        control.pay(number, "gold")
    assert control.invoice(number)["status"] == "Unpaid"


def test_only_what_is_open_expires_and_only_what_is_paid_is_deposited(control: Control) -> None:
    number = control.create(1)["id"]
    with pytest.raises(Refusal, match="InvoiceNotPaidYet"):
        control.deposit(number)
    control.pay(number)
    with pytest.raises(Refusal, match="InvalidInvoiceStatus"):
        control.expire(number)
    assert control.deposit(number)["status"] == "Deposited"
    with pytest.raises(Refusal, match="InvalidInvoiceStatus"):
        control.deposit(number)


def test_cancelled_payment_leaves_the_invoice_payable(control: Control) -> None:
    number = control.create(1)["id"]
    assert control.cancel_payment(number, "card")["transactions"][0]["response"] == "CANCELED"
    assert control.pay(number)["status"] == "Paid"


def test_panel_refund_of_nothing_or_finer_than_a_fils_is_refused(control: Control) -> None:
    number = control.create(1)["id"]
    control.pay(number)
    for amount in ("0.0001", 0, -1):
        with pytest.raises(Refusal, match="InvalidRefundAmount"):
            control.refund(number, amount)


def test_panel_invoice_takes_the_fields_of_insert(control: Control) -> None:
    invoice = control.create(2, ref_Number="POS-1", items=[{"name": "x", "quantity": 2, "amount": 1}])
    assert (invoice["ref_Number"], invoice["items"][0]["quantity"]) == ("POS-1", 2)


def test_rates_can_be_changed_for_new_invoices(control: Control) -> None:
    old = control.create("3.1", currency_Code="USD")
    control.set_rate("usd", 0.5)
    assert control.invoice(old["id"])["alt_Amount"] == pytest.approx(10)
    assert control.create("3", currency_Code="USD")["alt_Amount"] == 6
    with pytest.raises(ValueError, match="above 0"):
        control.set_rate("USD", 0)


@pytest.mark.parametrize(
    ("changes", "error"), [({"refund_id": "gold"}, ValueError), ({"speed": 1}, TypeError)]
)
def test_wrong_settings_are_refused(
    control: Control, changes: dict[str, Any], error: type[Exception]
) -> None:
    before = control.settings()
    with pytest.raises(error):
        control.settings(**changes)
    assert control.settings() == before
    assert "client_secret" not in before


def test_reset_forgets_everything_but_the_settings(merchant: Merchant, control: Control) -> None:
    control.settings(refund_id="number")
    merchant.insert()
    control.advance(100)
    control.faults.add("*", "error_before")
    control.reset()

    assert (control.invoices(), control.log, control.faults.list()) == ([], [], [])
    assert merchant.send("GET", "Invoice/getall").status_code == 401
    assert control.settings()["refund_id"] == "number"


def test_log_says_what_came_and_what_was_done(merchant: Merchant, control: Control) -> None:
    control.clear_log()
    number = merchant.insert(ref_Number="A-1")
    control.faults.add("Invoice/getbyid", "error_before", times=1)
    merchant.send("GET", f"Invoice/getbyid?id={number}")
    merchant.send("GET", f"Invoice/getbyid?id={number}", token="wrong")
    merchant.send("POST", "Invoice/insert", data=b"{")
    merchant.send("GET", "Common/getcurrencies", token="")

    rows = [(c.endpoint, c.authenticated, c.status, c.error_key, c.done, c.faults) for c in control.log]
    assert rows == [
        ("Invoice/insert", True, 200, None, True, ()),
        ("Invoice/getbyid", True, 500, None, False, ("error_before",)),
        ("Invoice/getbyid", False, 401, "InvalidToken", False, ()),
        ("Invoice/insert", True, 400, "WrongObject", False, ()),
        ("Common/getcurrencies", False, 200, None, True, ()),
    ]
    first = control.log[0]
    assert (first.verb, first.body["Invoices"][0]["amount"]) == ("POST", "12.500")
    assert (control.log[1].query, control.log[3].body) == ({"id": str(number)}, None)
    assert abs((first.at - datetime.now(UTC)).total_seconds()) < 60


def test_log_follows_the_moved_clock(merchant: Merchant, control: Control) -> None:
    control.advance(86400 * 3)
    merchant.log_in()
    assert (control.log[-1].at - datetime.now(UTC)).total_seconds() == pytest.approx(86400 * 3, abs=60)


def test_token_calls_are_logged_as_refused_or_granted(merchant: Merchant, control: Control) -> None:
    merchant.send("POST", "User/GenerateAccessToken", token="wrong")
    assert [call.authenticated for call in control.log] == [True, True, False]


def test_neither_console_nor_repr_tells_personal_data(
    merchant: Merchant, control: Control, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        number = merchant.insert(customer_Name="Sara Secret", customer_Mobile="+96550000001")
        merchant.send("GET", "Invoice/getall?customerMobile=%2B96550000001")
        control.pay(number)

    console = [row.getMessage() for row in caplog.records if row.name == "django_sadadpay.emulator"]
    told = repr(
        (console, control.log, merchant.emulator.world.invoices[number], merchant.emulator.world.tokens)
    )
    assert any(line.startswith("Invoice/insert 200") for line in console)
    for secret in ("Secret", "50000001", merchant.emulator.client_secret):
        assert secret not in told


def test_the_same_over_http(merchant: Merchant, emulator: Emulator) -> None:
    status, reply = over_http(emulator, "create", amount="2.500", ref_Number="POS-1")
    number = reply["result"]["id"]
    assert status == 200
    assert over_http(emulator, "pay", invoice_id=number, method="card")[1]["result"]["status"] == "Paid"
    assert over_http(emulator, "refund", invoice_id=number, amount=0.5)[1]["result"]["refunded_Amount"] == 0.5
    assert over_http(emulator, "deposit", invoice_id=str(number))[1]["result"]["status"] == "Deposited"
    assert over_http(emulator, "advance", seconds=1.5) == (200, {"result": None})
    assert over_http(emulator, "balance", amount="7.250") == (200, {"result": "7.25"})
    assert over_http(emulator, "settings", refund_delay=0.5)[1]["result"]["refund_delay"] == 0.5
    assert over_http(emulator, "deliver_webhooks") == (200, {"result": 0})

    assert [row["ref_Number"] for row in seen(emulator, "invoices")] == ["POS-1"]
    assert [row["amount"] for row in seen(emulator, "refunds")] == [0.5]
    assert seen(emulator, "balance") == "7.25"
    assert seen(emulator, "webhooks") == []
    assert seen(emulator, "settings")["refund_delay"] == 0.5
    assert [row["endpoint"] for row in seen(emulator, "log")][:1] == ["User/GenerateRefreshToken"]


def test_faults_over_http(merchant: Merchant, emulator: Emulator) -> None:
    fault = {"endpoint": "Invoice/getall", "kind": "latency", "seconds": 0.0, "probability": 0.5}
    assert over_http(emulator, "faults", **fault)[0] == 200
    assert seen(emulator, "faults")[0]["options"] == {"seconds": 0.0}
    assert over_http(emulator, "faults/clear") == (200, {"result": None})
    assert emulator.control.faults.list() == []


@pytest.mark.parametrize(
    ("name", "arguments", "status", "error"),
    [
        ("fly", {}, 404, "no POST /control/fly"),
        ("pay", {"invoice_id": 1}, 404, "no invoice 1"),
        ("pay", {}, 400, "missing a required argument: 'invoice_id'"),
        ("create", {"amount": 1, "customer_Name": ""}, 409, "CustomerNameRequired"),
        ("create", {"amount": "x"}, 400, "WrongObject"),
        ("faults", {"endpoint": "*", "kind": "x"}, 400, "no fault 'x'"),
        ("settings", {"speed": 1}, 400, "speed"),
        ("set_rate", {"code": "USD", "rate": "x"}, 400, "could not convert"),
        ("balance", {"amount": "x"}, 400, ""),
    ],
)
def test_wrong_calls_over_http_say_why(
    emulator: Emulator, name: str, arguments: dict[str, Any], status: int, error: str
) -> None:
    answered, reply = over_http(emulator, name, **arguments)
    assert answered == status
    assert error in reply["error"]


def test_control_needs_an_object_and_a_known_verb(emulator: Emulator) -> None:
    url = f"{emulator.base_url}/control/pay"
    assert requests.post(url, data=b"[]", timeout=5).status_code == 400
    assert requests.post(url, data=b"{", timeout=5).status_code == 400
    assert requests.delete(url, timeout=5).status_code == 404
    assert requests.post(f"{emulator.base_url}/control/clear_log", timeout=5).status_code == 200


def test_balance_is_kept_in_fils(control: Control) -> None:
    control.balance = "0.001"
    assert control.balance == Decimal("0.001")
