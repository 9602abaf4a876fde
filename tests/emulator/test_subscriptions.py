"""Subscriptions over real HTTP: bills that come as the clock moves, each once and on its day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.emulator import Emulator
from django_sadadpay.emulator.recurrence import WORDS, date_after
from django_sadadpay.emulator.subscription_templates import rhythm
from tests.emulator.conftest import Merchant
from tests.emulator.recurring import (
    DAY,
    at_noon,
    link_of,
    move_to,
    read,
    refused,
    schedule,
    subscribe,
    template,
    today,
    update,
    wire_date,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.emulator.conftest import Receiver


@pytest.fixture
def merchant(emulator: Emulator) -> Merchant:
    return at_noon(emulator)


def test_first_bill_is_an_invoice_at_once_and_the_next_ones_as_the_clock_moves(merchant: Merchant) -> None:
    start = today(merchant)
    number = subscribe(merchant, template(merchant))
    first = schedule(merchant, number)[0]
    invoice = merchant.read(first["invoiceId"])

    assert (invoice["type"], invoice["amount"], invoice["ref_Number"]) == ("Subscription", 5, "S-1")
    assert (invoice["customer_Name"], invoice["items"][0]["name"]) == ("Sara", "Magazine 1")
    assert (first["number"], first["billDate"], first["status"]) == (1, wire_date(start), "Unpaid")
    assert read(merchant, number)["nextBillDate"] == wire_date(date_after(start, "Monthly", 1))

    move_to(merchant, date_after(start, "Monthly", 1) - timedelta(days=1))
    assert len(merchant.emulator.control.invoices()) == 1
    move_to(merchant, date_after(start, "Monthly", 1))
    assert len(merchant.emulator.control.invoices()) == 2


def test_bill_is_paid_on_its_page_with_the_ordinary_webhook(merchant: Merchant, receiver: Receiver) -> None:
    merchant.emulator.webhook_url = receiver.url
    number = subscribe(merchant, template(merchant))
    bill = schedule(merchant, number)[0]["invoiceId"]
    form = {"method": "card", "outcome": "success"}
    requests.post(merchant.read(bill)["url"], data=form, timeout=5)
    merchant.emulator.control.deliver_webhooks()

    assert schedule(merchant, number)[0]["status"] == "Paid"
    assert (receiver.ids, receiver.bodies[0]["amount"]) == ([bill], 5)


def test_long_sleep_makes_every_bill_once_with_its_own_day(merchant: Merchant) -> None:
    start = today(merchant)
    number = subscribe(merchant, template(merchant, billPeriod="Weekly", billNo=2))
    merchant.emulator.control.pay(schedule(merchant, number)[0]["invoiceId"])
    move_to(merchant, start + timedelta(days=31))
    made = [row for row in schedule(merchant, number) if row["invoiceId"]]

    assert [row["status"] for row in made] == ["Paid", "Missed", "Unpaid"]
    assert [row["billDate"] for row in made] == [wire_date(start + timedelta(days=14 * n)) for n in range(3)]
    second, third = (merchant.read(row["invoiceId"]) for row in made[1:])
    assert (second["createDate"], third["createDate"]) == (made[1]["billDate"], made[2]["billDate"])
    assert second["expiry_Date"] == wire_date(start + timedelta(days=27))
    assert "expired" in requests.get(second["url"], params={"lang": "en"}, timeout=5).text
    assert len(merchant.emulator.control.invoices()) == 3
    assert merchant.emulator.control.pay(third["id"])["status"] == "Paid"


def test_schedule_without_end_shows_a_year_of_bills_to_come(merchant: Merchant) -> None:
    start = today(merchant)
    rows = schedule(merchant, subscribe(merchant, template(merchant)))

    assert [row["status"] for row in rows] == ["Unpaid"] + ["Upcoming"] * 12
    assert [row["number"] for row in rows] == list(range(1, 14))
    assert rows[-1] == {
        "number": 13,
        "billDate": wire_date(date_after(start, "Monthly", 12)),
        "amount": 5,
        "status": "Upcoming",
        "invoiceId": 0,
    }


def test_duration_ends_it(merchant: Merchant) -> None:
    start = today(merchant)
    number = subscribe(merchant, template(merchant, durationPeriod="Quarterly", durationNo=1))
    end = date_after(start, "Quarterly", 1)
    assert read(merchant, number)["endDate"] == wire_date(end)
    assert len(schedule(merchant, number)) == 3

    move_to(merchant, end - timedelta(days=1))
    assert (read(merchant, number)["status"], read(merchant, number)["nextBillDate"]) == ("Active", None)
    move_to(merchant, end)
    assert read(merchant, number)["status"] == "Completed"
    assert [row["status"] for row in schedule(merchant, number)] == ["Missed"] * 3
    move_to(merchant, end + timedelta(days=100))
    assert len(merchant.emulator.control.invoices()) == 3
    assert update(merchant, number, status="Active")["errorKey"] == "SubscriptionCannotBeUpdated"


def test_one_that_renews_itself_has_no_end(merchant: Merchant) -> None:
    made = template(merchant, durationPeriod="Monthly", durationNo=1, autoRenew=True)
    assert read(merchant, subscribe(merchant, made))["endDate"] is None


def test_free_trial_comes_before_the_first_bill_and_before_the_duration(merchant: Merchant) -> None:
    start = today(merchant)
    terms = {"freeTrialPeriod": "Weekly", "freeTrialNo": 2, "durationPeriod": "Monthly", "durationNo": 1}
    number = subscribe(merchant, template(merchant, **terms))
    first = start + timedelta(days=14)

    assert merchant.emulator.control.invoices() == []
    assert read(merchant, number)["nextBillDate"] == wire_date(first)
    assert read(merchant, number)["endDate"] == wire_date(date_after(first, "Monthly", 1))
    move_to(merchant, first)
    assert [row["status"] for row in schedule(merchant, number)] == ["Unpaid"]


def test_suspended_time_is_not_billed_and_closed_is_the_end(merchant: Merchant) -> None:
    start = today(merchant)
    number = subscribe(merchant, template(merchant, billPeriod="Daily"))
    assert update(merchant, number, status="Suspended")["response"] is True
    assert [row["status"] for row in schedule(merchant, number)] == ["Unpaid"]
    assert read(merchant, number)["nextBillDate"] is None
    move_to(merchant, start + timedelta(days=3))
    update(merchant, number, status="active")
    rows = [row for row in schedule(merchant, number) if row["invoiceId"]]
    assert [row["number"] for row in rows] == [1]
    move_to(merchant, start + timedelta(days=4))
    rows = [row for row in schedule(merchant, number) if row["invoiceId"]]
    assert [row["number"] for row in rows] == [1, 5]

    update(merchant, number, status="Closed")
    move_to(merchant, start + timedelta(days=9))
    assert [row["number"] for row in schedule(merchant, number)] == [1, 5]
    assert read(merchant, number)["status"] == "Closed"
    assert update(merchant, number, status="Active")["errorKey"] == "SubscriptionCannotBeUpdated"


def test_start_may_lie_ahead_or_behind_but_nothing_behind_is_billed(merchant: Merchant) -> None:
    now, made = today(merchant), template(merchant, billPeriod="Daily")
    later = subscribe(merchant, made, startDate=str(now + timedelta(days=2)))
    older = subscribe(merchant, made, startDate=str(now - timedelta(days=300)))

    assert [row["status"] for row in schedule(merchant, later)] == ["Upcoming"] * 12
    assert schedule(merchant, older)[0]["number"] == 301
    assert schedule(merchant, older)[0]["billDate"] == wire_date(now)
    assert len(merchant.emulator.control.invoices()) == 1


def test_what_is_billed_keeps_its_terms_and_start(merchant: Merchant) -> None:
    first, second = template(merchant), template(merchant, amount=7)
    number = subscribe(merchant, first)
    assert update(merchant, number, templateId=second)["errorKey"] == "SubscriptionCannotBeUpdated"
    day = str(today(merchant) + timedelta(days=1))
    assert update(merchant, number, startDate=day)["errorKey"] == "SubscriptionCannotBeUpdated"
    assert update(merchant, number, comment="x")["response"] is True
    sent = {"id": first, "nameEn": "Paper", "amount": 9, "billPeriod": "Daily"}
    merchant.ask("PUT", "SubscriptionTemplate/update", json=sent)

    shown = read(merchant, number)
    assert (shown["amount"], shown["comment"], len(schedule(merchant, number))) == (5, "x", 13)


def test_what_is_not_billed_yet_may_change_its_terms_and_start(merchant: Merchant) -> None:
    first, second = template(merchant), template(merchant, amount=7)
    day = today(merchant) + timedelta(days=2)
    number = subscribe(merchant, first, startDate=str(day))
    update(merchant, number, templateId=second)
    assert (read(merchant, number)["amount"], read(merchant, number)["startDate"]) == (7, wire_date(day))
    update(merchant, number, templateId=second, startDate=str(today(merchant)))
    assert schedule(merchant, number)[0]["amount"] == 7


def test_customer_of_the_merchant_brings_name_and_addresses(merchant: Merchant) -> None:
    sent = {"name": "Ali", "mobile": "+96555555555", "email": "ali@shop.example"}
    customer = merchant.ask("POST", "Customer/insert", json=sent)["response"]["id"]
    number = subscribe(
        merchant, template(merchant), customerId=customer, customerName="", customerEmail="a@b.c"
    )
    shown = read(merchant, number)

    assert (shown["customerId"], shown["customerName"]) == (customer, "Ali")
    assert (shown["customerMobile"], shown["customerEmail"]) == ("+96555555555", "a@b.c")
    gone = {"params": {"id": customer}}
    assert refused(merchant, "DELETE", "Customer/delete", **gone) == "CustomerCannotBeDeleted"
    update(merchant, number, customerId=customer, status="Closed")
    assert merchant.ask("DELETE", "Customer/delete", **gone)["errorKey"] is None


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"templateId": 0}, "TemplateIdRequired"),
        ({"templateId": 99}, "UnauthorizedAccess"),
        ({"customerName": " "}, "CustomerNameRequired"),
        ({"customerId": 99}, "UnauthorizedAccess"),
        ({"startDate": "soon"}, "InvalidDateFormat"),
    ],
)
def test_subscription_to_nothing_or_of_nobody_is_refused(
    merchant: Merchant, fields: dict[str, Any], error_key: str
) -> None:
    sent = {"templateId": template(merchant), "customerName": "Sara", **fields}
    assert refused(merchant, "POST", "Subscription/insert", json=sent) == error_key
    assert merchant.ask("GET", "Subscription/getall")["errorKey"] == "EmptyResult"


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"nameEn": ""}, "NameEnRequired"),
        ({"amount": 0}, "AmountRequired"),
        ({"billPeriod": None}, "BillPeriodRequired"),
        ({"billPeriod": "Manual"}, "InvalidBillPeriod"),
        ({"billNo": 121}, "InvalidBillNo"),
        ({"billNo": -1}, "InvalidBillNo"),
        ({"durationNo": 2}, "DurationPeriodRequired"),
        ({"durationNo": 121, "durationPeriod": "Daily"}, "InvalidDurationNo"),
        ({"freeTrialNo": 1}, "FreeTrialPeriodRequired"),
    ],
)
def test_template_without_a_rhythm_is_refused(
    merchant: Merchant, fields: dict[str, Any], error_key: str
) -> None:
    sent = {"nameEn": "Magazine", "amount": 5, "billPeriod": "Monthly", **fields}
    assert refused(merchant, "POST", "SubscriptionTemplate/insert", json=sent) == error_key


def test_template_shows_what_was_sent(merchant: Merchant) -> None:
    number = template(merchant, cancelFees="0.250", freeTrialPosition="Start", isInternal=True)
    shown = merchant.ask("GET", "SubscriptionTemplate/getbyid", params={"id": number})["response"]

    assert (shown["amount"], shown["billPeriod"], shown["billNo"]) == (5, "Monthly", 1)
    assert (shown["cancelFees"], shown["freeTrialPosition"], shown["isInternal"]) == (0.25, "Start", True)
    assert "key" not in shown


def test_template_in_use_stays_until_what_uses_it_is_over(merchant: Merchant) -> None:
    made = template(merchant)
    number = subscribe(merchant, made)
    link = link_of(merchant, made)
    name, gone = "SubscriptionTemplate/delete", {"params": {"id": made}}
    assert refused(merchant, "DELETE", name, **gone) == "SubscriptionTemplateCannotBeDeleted"
    merchant.ask("DELETE", "SubscriptionLink/delete", params={"id": link["id"]})
    update(merchant, number, status="Suspended")
    assert refused(merchant, "DELETE", name, **gone) == "SubscriptionTemplateCannotBeDeleted"
    update(merchant, number, status="Closed")
    assert merchant.ask("DELETE", name, **gone)["errorKey"] is None
    assert read(merchant, number)["amount"] == 5


def test_deleted_subscription_is_billed_no_more_and_its_open_bill_is_cancelled(merchant: Merchant) -> None:
    number = subscribe(merchant, template(merchant, billPeriod="Daily"))
    merchant.emulator.control.pay(schedule(merchant, number)[0]["invoiceId"])
    move_to(merchant, today(merchant) + timedelta(days=1))
    bills = [row["invoiceId"] for row in schedule(merchant, number)[:2]]
    merchant.ask("DELETE", "Subscription/delete", params={"id": number})
    assert [merchant.read(bill)["status"] for bill in bills] == ["Paid", "Canceled"]
    move_to(merchant, today(merchant) + timedelta(days=3))
    assert len(merchant.emulator.control.invoices()) == 2
    assert refused(merchant, "GET", "Subscription/getbyid", params={"id": number}) == "UnauthorizedAccess"


def test_list_is_filtered_by_name_status_reference_and_template(merchant: Merchant) -> None:
    made, other = template(merchant), template(merchant)
    first, second = (
        subscribe(merchant, made),
        subscribe(merchant, other, customerName="Ali", ref_Number="B-2"),
    )
    update(merchant, first, status="Closed")

    def found(**query: Any) -> list[int]:
        return [row["id"] for row in merchant.ask("GET", "Subscription/getall", params=query)["response"]]

    assert found() == [second, first]
    assert found(status="active") == found(customerName="al") == found(refNumber="b-") == [second]
    assert found(templateId=made) == found(status="Closed") == [first]


def test_payer_reads_the_subscription_by_its_key_without_a_token(merchant: Merchant) -> None:
    shown = read(merchant, subscribe(merchant, template(merchant)))
    reply = merchant.send("GET", "Subscription/getforpayment", token="", params={"key": shown["key"]})
    assert reply.json()["response"] == shown
    for query, error_key in (({"key": "1"}, "InvalidKey"), ({}, "KeyRequired")):
        assert refused(merchant, "GET", "Subscription/getforpayment", params=query) == error_key
    name = "Subscription/generatesubscriptionschedule"
    assert merchant.send("GET", name, token="", params={"id": shown["id"]}).status_code == 401
    assert merchant.ask("GET", name)["errorKey"] == "IdRequired"


def test_bills_survive_a_restart_and_come_once(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    with Emulator(deliver="manual", state_file=file) as emulator:
        merchant = Merchant(emulator)
        number = subscribe(merchant, template(merchant, billPeriod="Yearly"))
        before, port = schedule(merchant, number), emulator.port
    with Emulator(port, state_file=file, deliver="manual") as again:
        merchant.emulator = again
        assert schedule(merchant, number) == before
        again.control.advance(366 * DAY)
        assert len(again.control.invoices()) == 2
    third = Emulator(port, state_file=file, deliver="manual")
    assert len(third.control.invoices()) == 2


@given(
    st.sampled_from(WORDS),
    st.integers(1, 5),
    st.sampled_from(WORDS),
    st.integers(0, 20),
    st.integers(0, 20),
    st.dates(date(2000, 1, 1), date(2200, 1, 1)),
)
def test_bill_dates_rise_from_the_end_of_the_trial_to_the_end_of_the_duration(
    word: str, every: int, other: str, trial: int, length: int, start: date
) -> None:
    terms = {"freeTrialNo": trial, "freeTrialPeriod": other, "autoRenew": False, "durationPeriod": other}
    found = rhythm({**terms, "durationNo": length, "billPeriod": word, "billNo": every}, start)
    days = [found.bill_date(number) for number in range(1, 8)]

    assert days[0] == found.first == date_after(start, other, trial)
    assert days == sorted(set(days))
    assert (found.end is None) == (length == 0)
    assert not found.is_over(found.first)
