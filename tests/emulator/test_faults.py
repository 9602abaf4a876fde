"""Every fault over real HTTP: what the caller sees, and whether the work was done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.emulator.conftest import wait_until

if TYPE_CHECKING:
    from django_sadadpay.emulator.faults import Faults
    from tests.emulator.conftest import Merchant

BODY = {"Invoices": [{"amount": "12.500", "customer_Name": "Sara"}]}


@pytest.fixture
def faults(merchant: Merchant) -> Faults:
    return merchant.emulator.control.faults


def insert(merchant: Merchant, **options: Any) -> requests.Response:
    return merchant.send("POST", "Invoice/insert", json=BODY, **options)


def stored(merchant: Merchant) -> int:
    return len(merchant.emulator.control.invoices())


@pytest.mark.parametrize(("kind", "done"), [("error_before", 0), ("error_after", 1)])
def test_server_error_before_or_after_the_work(
    merchant: Merchant, faults: Faults, kind: str, done: int
) -> None:
    faults.add("Invoice/insert", kind, times=1, status=502)
    reply = insert(merchant)

    assert (reply.status_code, reply.headers["Content-Type"], stored(merchant)) == (502, "text/html", done)
    assert insert(merchant).json()["isValid"]


@pytest.mark.parametrize(("kind", "done"), [("cut_before", 0), ("cut_after", 1)])
def test_connection_is_cut_before_or_after_the_work(
    merchant: Merchant, faults: Faults, kind: str, done: int
) -> None:
    faults.add("Invoice/insert", kind, times=1)
    with pytest.raises(requests.ConnectionError):
        insert(merchant)

    assert stored(merchant) == done
    assert merchant.emulator.control.log[-1].status is None


@pytest.mark.parametrize(
    ("form", "start"), [("html", b"<!doctype"), ("broken", b'{"isValid"'), ("empty", b"")]
)
def test_unreadable_reply_comes_after_the_work(
    merchant: Merchant, faults: Faults, form: str, start: bytes
) -> None:
    faults.add("Invoice/insert", "unreadable", times=1, body=form)
    reply = insert(merchant)

    assert (reply.status_code, stored(merchant)) == (200, 1)
    assert reply.content.startswith(start)
    with pytest.raises(requests.JSONDecodeError):
        reply.json()


def test_readable_reply_may_be_no_envelope(merchant: Merchant, faults: Faults) -> None:
    faults.add("Invoice/insert", "unreadable", times=1, body="list")
    assert insert(merchant).json() == []
    assert stored(merchant) == 1


def test_latency_holds_the_call_back_and_the_work_is_still_done(merchant: Merchant, faults: Faults) -> None:
    faults.add("Invoice/insert", "latency", times=1, seconds=0.6)
    with pytest.raises(requests.Timeout):
        insert(merchant, timeout=0.1)

    wait_until(lambda: stored(merchant) == 1)


def test_slow_drip_beats_a_read_timeout_for_the_whole_reply(merchant: Merchant, faults: Faults) -> None:
    faults.add("Invoice/insert", "slow_drip", times=1, seconds=0.6)
    start = time.monotonic()
    reply = insert(merchant, timeout=0.3)

    assert reply.json()["isValid"]
    assert time.monotonic() - start > 0.4


@pytest.mark.parametrize(("kind", "status"), [("unauthorized_401", 401), ("unauthorized_200", 200)])
@pytest.mark.parametrize("error_key", ["UnauthorizedAccess", "TokenExpired"])
def test_good_token_is_refused(
    merchant: Merchant, faults: Faults, kind: str, status: int, error_key: str
) -> None:
    faults.add("Invoice/insert", kind, times=1, error_key=error_key)
    reply = insert(merchant)

    assert reply.status_code == status
    assert reply.json() == {"isValid": False, "errorKey": error_key, "response": None}
    assert stored(merchant) == 0


@pytest.mark.parametrize(("retry_after", "header"), [(7, "7"), (None, None)])
def test_rate_limit(merchant: Merchant, faults: Faults, retry_after: int | None, header: str | None) -> None:
    faults.add("Invoice/insert", "rate_limited", times=1, retry_after=retry_after)
    reply = insert(merchant)

    assert (reply.status_code, reply.headers.get("Retry-After"), stored(merchant)) == (429, header, 0)


def test_refusal_with_any_error_key(merchant: Merchant, faults: Faults) -> None:
    faults.add("Invoice/insert", "refuse", times=1)
    assert insert(merchant).json() == {"isValid": False, "errorKey": "Error ", "response": None}

    faults.add("Invoice/insert", "refuse", times=1, error_key="Frozen", is_valid=True, status=400)
    reply = insert(merchant)
    assert (reply.status_code, reply.json()["isValid"], stored(merchant)) == (400, True, 0)


def test_wrong_id_answers_about_another_invoice(merchant: Merchant, faults: Faults) -> None:
    faults.add("*", "wrong_id")
    first = merchant.insert()
    assert first == merchant.emulator.control.invoices()[0]["id"] + 1
    first -= 1
    assert merchant.read(first)["id"] == first + 1

    assert merchant.insert() == first
    second = merchant.read(first)
    assert (second["id"], second) == (first + 1, merchant.emulator.control.invoice(first + 1))


def test_older_answers_as_it_was_before(merchant: Merchant, faults: Faults) -> None:
    control = merchant.emulator.control
    number = merchant.insert()
    faults.add("Invoice/getbyid", "older", times=1)
    assert merchant.read(number)["status"] == "Unpaid"

    control.fail(number)
    control.pay(number)
    control.refund(number, 1)
    faults.add("Invoice/getbyid", "older", times=1)
    older = merchant.read(number)
    assert (older["status"], older["refunded_Amount"]) == ("Paid", 0)
    faults.add("Invoice/getbyid", "older", times=1, steps=2)
    assert (merchant.read(number)["status"], len(control.invoice(number)["transactions"])) == ("Unpaid", 2)
    faults.add("Invoice/getbyid", "older", times=1, steps=99)
    assert merchant.read(number)["transactions"] == []


@pytest.mark.parametrize(
    ("options", "path", "expected"),
    [
        ({"path": "status", "value": "Frozen"}, ("status",), "Frozen"),
        ({"path": "brand_New", "value": [1]}, ("brand_New",), [1]),
        ({"path": "id", "retype": "text"}, ("id",), "68141"),
        ({"path": "key", "retype": "number"}, ("key",), None),
        ({"path": "status", "retype": "number"}, ("status",), "Unpaid"),
        ({"path": "items.1.amount", "value": 0}, ("items", 1, "amount"), 0),
        ({"path": "items.0.amount", "value": 0}, ("items", 1, "amount"), 1),
        ({"path": "items.*.amount", "retype": "text"}, ("items", 1, "amount"), "1"),
        ({"path": "items.7.amount", "value": 0}, ("items", 1, "amount"), 1),
        ({"path": "status.deep", "value": 0}, ("status",), "Unpaid"),
    ],
)
def test_one_field_of_a_reply_drifts(
    merchant: Merchant, faults: Faults, options: dict[str, Any], path: tuple[Any, ...], expected: Any
) -> None:
    line = {"name": "x", "quantity": 1, "amount": 1}
    number = merchant.insert(amount=2, items=[line, line])
    faults.add("Invoice/getbyid", "reply_field", times=1, **options)
    value = merchant.read(number)
    for step in path:
        value = value[step]

    truth = merchant.emulator.control.invoice(number)
    assert value == (int(truth["key"]) if expected is None else expected)
    assert merchant.read(number) == truth


def test_fields_of_a_reply_vanish(merchant: Merchant, faults: Faults) -> None:
    line = {"name": "x", "quantity": 1, "amount": "12.5"}
    number = merchant.insert(items=[line])
    faults.add("Invoice/getbyid", "reply_field", times=1, path="shortLink", remove=True)
    faults.add("Invoice/getbyid", "reply_field", times=1, path="items.*", remove=True)

    invoice = merchant.read(number)
    assert "shortLink" not in invoice
    assert invoice["items"] == []

    faults.add("Invoice/getbyid", "reply_field", times=1, path="*", remove=True)
    assert merchant.read(number) == {}


def test_faults_that_end_a_call_happen_one_after_the_other(merchant: Merchant, faults: Faults) -> None:
    faults.add("*", "latency", seconds=0.0)
    faults.add("Invoice/insert", "error_before", times=1, status=503)
    faults.add("Invoice/insert", "rate_limited", times=1)

    assert [insert(merchant).status_code for _ in range(3)] == [503, 429, 200]
    assert merchant.emulator.control.log[-3].faults == ("latency", "error_before")


def test_fault_waits_until_the_calls_to_skip_have_passed(merchant: Merchant, faults: Faults) -> None:
    faults.add("invoice/INSERT", "error_before", times=2, skip=1)
    assert [insert(merchant).status_code for _ in range(4)] == [200, 500, 500, 200]
    assert faults.list() == []


def test_fault_meets_only_its_own_endpoint_until_cleared(merchant: Merchant, faults: Faults) -> None:
    faults.add("Invoice/insert", "error_before")
    assert [insert(merchant).status_code for _ in range(3)] == [500, 500, 500]
    assert merchant.send("GET", "Invoice/getall").status_code == 200

    faults.clear()
    assert insert(merchant).status_code == 200


def test_star_is_every_endpoint_but_not_the_webhook(merchant: Merchant, faults: Faults) -> None:
    faults.add("*", "error_before")
    assert merchant.send("GET", "Common/getcurrencies").status_code == 500
    assert merchant.send("POST", "User/GenerateAccessToken", token=merchant.refresh).status_code == 500
    assert faults.take("webhook") == ()


def test_probability_repeats_with_the_seed() -> None:
    from django_sadadpay.emulator.faults import Faults

    def run(seed: int) -> list[bool]:
        faults = Faults(seed, ["Invoice/insert"])
        faults.add("Invoice/insert", "error_before", probability=0.5)
        return [bool(faults.take("Invoice/insert")) for _ in range(200)]

    assert run(1) == run(1) != run(2)
    assert 60 < sum(run(1)) < 140


def test_fault_after_the_work_does_not_wear_out_on_calls_without_a_token(
    merchant: Merchant, faults: Faults
) -> None:
    faults.add("Invoice/insert", "error_after", times=1)
    assert insert(merchant, token="wrong").status_code == 401
    assert insert(merchant).status_code == 500


@pytest.mark.parametrize(
    ("endpoint", "kind", "options"),
    [
        ("Invoice/insert", "earthquake", {}),
        ("Invoice/inzert", "error_before", {}),
        ("Invoice/insert", "error_before", {"seconds": 1}),
        ("Invoice/insert", "ignore_filter", {}),
        ("Invoice/insert", "drop", {}),
        ("*", "drop", {}),
        ("webhook", "latency", {}),
        ("webhook", "older", {}),
        ("Invoice/insert", "error_before", {"times": 0}),
        ("Invoice/insert", "error_before", {"probability": 1.5}),
        ("Invoice/getbyid", "reply_field", {"value": 1}),
        ("Invoice/getbyid", "reply_field", {"path": "status"}),
        ("Invoice/getbyid", "reply_field", {"path": "status", "value": 1, "remove": True}),
        ("Invoice/getbyid", "reply_field", {"path": "status", "retype": "date"}),
    ],
)
def test_fault_that_makes_no_sense_is_refused(
    faults: Faults, endpoint: str, kind: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        faults.add(endpoint, kind, **options)
    assert faults.list() == []
