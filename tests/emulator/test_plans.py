"""Instalment plans over real HTTP: the schedule, an invoice for each part of it, and the payer's page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from django_sadadpay.emulator import Emulator
from django_sadadpay.emulator.recurrence import date_after, kuwait_date
from tests.emulator.conftest import Merchant

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

DAY = 86400


def today(merchant: Merchant) -> date:
    """Kuwait's date on the stand-in's clock; set to a noon, so that no test runs over midnight."""
    return kuwait_date(merchant.emulator.world.now())


@pytest.fixture
def merchant(emulator: Emulator) -> Merchant:
    """A merchant whose clock stands at noon in Kuwait."""
    emulator.control.advance(-((emulator.world.now() - 9 * 3600) % DAY))
    return Merchant(emulator)


def body(merchant: Merchant, **fields: Any) -> dict[str, Any]:
    return {
        "customerName": "Sara <b>",
        "customerMobile": "+96551234567",
        "ref_Number": "A-1",
        "lang": "en",
        "amount": "100",
        "installmentCount": 3,
        "startDate": str(today(merchant)),
        "payPer": "Monthly",
        **fields,
    }


def insert(merchant: Merchant, **fields: Any) -> dict[str, Any]:
    """A plan of 100 KWD in three months, as getbyid then shows it."""
    made = merchant.ask("POST", "InstallmentPlan/insert", json=body(merchant, **fields))["response"]
    return read(merchant, made["id"])


def read(merchant: Merchant, number: int) -> dict[str, Any]:
    reply = merchant.ask("GET", "InstallmentPlan/getbyid", params={"id": number})
    assert reply["errorKey"] is None
    found: dict[str, Any] = reply["response"]
    return found


def bill(merchant: Merchant, plan: dict[str, Any], position: int) -> Any:
    """The envelope of asking for an instalment's invoice."""
    sent = {"installmentPlanKey": plan["key"], "installmentId": plan["installments"][position]["id"]}
    return merchant.ask("POST", "Invoice/createinstallmentplanlinkinvoice", json=sent)


def refused(merchant: Merchant, verb: str, name: str, **options: Any) -> str:
    reply = merchant.ask(verb, name, **options)
    assert (reply["isValid"], reply["response"]) == (False, None)
    return str(reply["errorKey"])


def wire_date(day: date) -> str:
    return f"{day:%m/%d/%Y} 00:00:00"


def test_schedule_is_made_from_the_terms(merchant: Merchant) -> None:
    start = today(merchant)
    plan = insert(merchant, downAmount="10", balloonAmount="20.001")

    assert re.fullmatch(r"\d{8}1", plan["key"])
    assert (plan["status"], plan["amount"], plan["paidAmount"], plan["remainingAmount"]) == (
        "New",
        100,
        0,
        100,
    )
    assert [(row["number"], row["amount"], row["dueDate"]) for row in plan["installments"]] == [
        (0, 10, wire_date(start)),
        (1, 23.333, wire_date(date_after(start, "Monthly", 1))),
        (2, 23.333, wire_date(date_after(start, "Monthly", 2))),
        (3, 23.333, wire_date(date_after(start, "Monthly", 3))),
        (4, 20.001, wire_date(date_after(start, "Monthly", 4))),
    ]
    assert {(row["status"], row["invoiceId"], row["lateFees"]) for row in plan["installments"]} == {
        ("Unpaid", 0, 0)
    }


def test_own_instalments_are_kept_as_they_are(merchant: Merchant) -> None:
    start = today(merchant)
    own = [{"amount": "60.5", "dueDate": str(start)}, {"amount": 39.5, "dueDate": str(start + timedelta(9))}]
    plan = insert(merchant, payPer="manual", installmentCount=2, installments=own)

    assert plan["payPer"] == "Manual"
    assert [(row["amount"], row["dueDate"]) for row in plan["installments"]] == [
        (60.5, wire_date(start)),
        (39.5, wire_date(start + timedelta(9))),
    ]


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"customerName": ""}, "CustomerNameRequired"),
        ({"amount": 0}, "AmountRequired"),
        ({"amount": "1.0001"}, "InvalidAmount"),
        ({"installmentCount": None}, "InstallmentCountRequired"),
        ({"installmentCount": 1001}, "InvalidInstallmentCount"),
        ({"startDate": ""}, "StartDateRequired"),
        ({"startDate": "tomorrow"}, "InvalidDateFormat"),
        ({"payPer": ""}, "PayPerRequired"),
        ({"payPer": "Hourly"}, "InvalidPayPer"),
        ({"lateFeesType": "Some"}, "InvalidLateFeesType"),
        ({"lateFeesValue": -1}, "InvalidLateFeesValue"),
        ({"gracePeriod": -1}, "InvalidGracePeriod"),
        ({"lang": "eng"}, "InvalidLanguageCode"),
        ({"downAmount": 100}, "ScheduleTotalNotEqualInstalllemntTotal"),
        ({"payPer": "Manual"}, "InvalidInstallmentCount"),
        (
            {
                "payPer": "Manual",
                "installmentCount": 1,
                "installments": [{"amount": "99.999", "dueDate": "2030-01-01"}],
            },
            "ScheduleTotalNotEqualInstalllemntTotal",
        ),
        ({"payPer": "Manual", "installments": [{"amount": 100}]}, "DueDateRequired"),
    ],
)
def test_plan_that_makes_no_sense_is_refused(
    merchant: Merchant, fields: dict[str, Any], error_key: str
) -> None:
    assert refused(merchant, "POST", "InstallmentPlan/insert", json=body(merchant, **fields)) == error_key
    assert merchant.ask("GET", "InstallmentPlan/getall")["errorKey"] == "EmptyResult"


def test_instalments_are_paid_one_by_one_until_the_plan_is_complete(merchant: Merchant) -> None:
    plan = insert(merchant, isFlexible=True)
    seen = []
    for position in range(3):
        number = bill(merchant, plan, position)["response"]
        merchant.emulator.control.pay(number)
        plan = read(merchant, plan["id"])
        assert plan["installments"][position]["invoiceId"] == number
        seen.append((plan["status"], plan["paidAmount"], plan["remainingAmount"]))

    assert seen == [
        ("PartiallyCompleted", 33.334, 66.666),
        ("PartiallyCompleted", 66.667, 33.333),
        ("Completed", 100, 0),
    ]
    assert refused_bill(merchant, plan, 0) == "InvoiceAlreadyPaid"


def refused_bill(merchant: Merchant, plan: dict[str, Any], position: int) -> str:
    reply = bill(merchant, plan, position)
    assert (reply["isValid"], reply["response"]) == (False, None)
    return str(reply["errorKey"])


def test_invoice_of_an_instalment_says_what_it_is(merchant: Merchant) -> None:
    plan = insert(merchant)
    invoice = merchant.read(bill(merchant, plan, 0)["response"])

    assert (invoice["type"], invoice["amount"], invoice["ref_Number"]) == ("InstallmentPlan", 33.334, "A-1")
    assert (invoice["customer_Name"], invoice["customer_Mobile"]) == ("Sara <b>", "+96551234567")
    assert [line["name"] for line in invoice["items"]] == [f"{plan['code']} 1/3"]


def test_asking_again_gives_the_invoice_that_waits_and_a_new_one_when_it_is_gone(merchant: Merchant) -> None:
    plan = insert(merchant)
    first = bill(merchant, plan, 0)["response"]
    assert bill(merchant, plan, 0)["response"] == first
    merchant.emulator.control.cancel(first)
    second = bill(merchant, plan, 0)["response"]
    assert second > first
    merchant.emulator.control.advance(8 * DAY)
    merchant.log_in()
    third = bill(merchant, plan, 0)["response"]
    assert third > second
    merchant.emulator.control.pay(second, force=True)

    shown = read(merchant, plan["id"])["installments"][0]
    assert (shown["status"], shown["invoiceId"]) == ("Paid", second)


def test_instalment_can_be_paid_from_its_day_on_unless_the_plan_is_flexible(merchant: Merchant) -> None:
    plan = insert(merchant, payPer="Daily")
    assert refused_bill(merchant, plan, 1) == "DueDateNotComeYet"
    merchant.emulator.control.advance(13 * 3600)
    assert isinstance(bill(merchant, plan, 1)["response"], int)
    assert isinstance(bill(merchant, insert(merchant, isFlexible=True), 2)["response"], int)


def test_late_fees_grow_and_stand_still_in_the_invoice(merchant: Merchant) -> None:
    plan = insert(merchant, lateFeesType="FixedPerDay", lateFeesValue="0.5", gracePeriod=2)
    merchant.emulator.control.advance(6 * DAY)
    merchant.log_in()
    assert read(merchant, plan["id"])["installments"][0]["lateFees"] == 2
    invoice = merchant.read(bill(merchant, plan, 0)["response"])
    merchant.emulator.control.advance(3 * DAY)
    merchant.emulator.control.pay(invoice["id"])
    merchant.log_in()
    plan = read(merchant, plan["id"])

    assert (invoice["amount"], [line["amount"] for line in invoice["items"]]) == (35.334, [33.334, 2])
    assert [row["lateFees"] for row in plan["installments"]] == [2, 0, 0]
    assert (plan["paidAmount"], plan["remainingAmount"]) == (33.334, 66.666)


def test_plan_changes_and_goes_only_while_new_and_takes_its_open_invoice_along(merchant: Merchant) -> None:
    plan = insert(merchant)
    number = bill(merchant, plan, 0)["response"]
    sent = body(merchant, id=plan["id"], amount=50, installmentCount=2)
    assert merchant.ask("PUT", "InstallmentPlan/update", json=sent)["response"] is True
    plan = read(merchant, plan["id"])
    assert [row["amount"] for row in plan["installments"]] == [25, 25]
    assert merchant.read(number)["status"] == "Canceled"

    number = bill(merchant, plan, 0)["response"]
    assert merchant.ask("DELETE", "InstallmentPlan/delete", params={"id": plan["id"]})["errorKey"] is None
    assert merchant.read(number)["status"] == "Canceled"
    assert (
        refused(merchant, "GET", "InstallmentPlan/getbyid", params={"id": plan["id"]}) == "UnauthorizedAccess"
    )


def test_plan_that_was_paid_on_neither_changes_nor_goes(merchant: Merchant) -> None:
    plan = insert(merchant)
    merchant.emulator.control.pay(bill(merchant, plan, 0)["response"])

    sent = body(merchant, id=plan["id"])
    assert refused(merchant, "PUT", "InstallmentPlan/update", json=sent) == "InstallmentPlanCannotBeUpdated"
    gone = refused(merchant, "DELETE", "InstallmentPlan/delete", params={"id": plan["id"]})
    assert gone == "InstallmentPlanCannotBeDeleted"
    assert read(merchant, plan["id"])["status"] == "PartiallyCompleted"


def test_refused_update_cancels_nothing(merchant: Merchant) -> None:
    plan = insert(merchant)
    number = bill(merchant, plan, 0)["response"]
    sent = body(merchant, id=plan["id"], downAmount=200)
    assert refused(merchant, "PUT", "InstallmentPlan/update", json=sent).startswith("ScheduleTotal")
    assert merchant.read(number)["status"] == "Unpaid"


def test_list_is_filtered_by_status_name_and_reference(merchant: Merchant) -> None:
    first, second = insert(merchant), insert(merchant, customerName="Ali", ref_Number="B-2")
    merchant.emulator.control.pay(bill(merchant, first, 0)["response"])

    def found(**query: str) -> list[int]:
        rows = merchant.ask("GET", "InstallmentPlan/getall", params=query)["response"]
        return [row["id"] for row in rows]

    assert found() == [second["id"], first["id"]]
    assert found(status="New") == found(customerName="ali") == found(refNumber="b-") == [second["id"]]
    assert found(status="PartiallyCompleted") == [first["id"]]


def test_payer_reads_the_plan_by_its_key_without_a_token(merchant: Merchant) -> None:
    plan = insert(merchant)
    reply = merchant.send("GET", "InstallmentPlan/getforpayment", token="", params={"key": plan["key"]})
    assert reply.json()["response"] == plan
    for query, error_key in (({"key": "1"}, "InvalidKey"), ({}, "KeyRequired")):
        assert refused(merchant, "GET", "InstallmentPlan/getforpayment", params=query) == error_key
    assert merchant.send("GET", "InstallmentPlan/getbyid", token="").status_code == 401


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"installmentPlanKey": ""}, "InstallmentPlanKeyRequired"),
        ({"installmentPlanKey": "123"}, "InvalidKey"),
        ({"installmentId": 0}, "InstallmentIdRequired"),
        ({"installmentId": 99}, "UnauthorizedAccess"),
    ],
)
def test_invoice_of_nothing_is_refused(merchant: Merchant, fields: dict[str, Any], error_key: str) -> None:
    plan = insert(merchant)
    sent = {"installmentPlanKey": int(plan["key"]), "installmentId": plan["installments"][0]["id"], **fields}
    name = "Invoice/createinstallmentplanlinkinvoice"
    assert refused(merchant, "POST", name, json=sent) == error_key
    assert merchant.send("POST", name, token="", json=sent).status_code == 401


def test_plan_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    with Emulator(deliver="manual", state_file=file) as emulator:
        merchant = Merchant(emulator)
        plan = insert(merchant)
        emulator.control.pay(bill(merchant, plan, 0)["response"])
        before, port = read(merchant, plan["id"]), emulator.port
    with Emulator(port, state_file=file, deliver="manual") as again:
        merchant.emulator = again
        assert read(merchant, plan["id"]) == before


# The page


def page(merchant: Merchant, plan: dict[str, Any], **query: str) -> requests.Response:
    return requests.get(address(merchant, plan), params=query, timeout=5)


def address(merchant: Merchant, plan: dict[str, Any]) -> str:
    return f"{merchant.emulator.base_url}/installmentplan/{plan['key']}"


def send(merchant: Merchant, plan: dict[str, Any], **form: Any) -> requests.Response:
    return requests.post(address(merchant, plan), data=form, allow_redirects=False, timeout=5)


def test_payer_pays_the_next_instalment_from_the_page(merchant: Merchant) -> None:
    plan = insert(merchant, isFlexible=True, ref_Number="<A>")
    for row in plan["installments"]:
        shown = page(merchant, plan).text
        assert f'name="installment" value="{row["id"]}"' in shown
        to_pay = send(merchant, plan, installment=row["id"])
        assert to_pay.status_code == 303
        paid = requests.post(
            to_pay.headers["Location"], data={"method": "knet", "outcome": "success"}, timeout=5
        )
        assert "successful" in paid.text
    shown = page(merchant, plan).text

    assert "Everything has been paid" in shown
    assert 'name="installment"' not in shown
    assert "&lt;A&gt;" in shown
    assert "Sara" not in shown
    assert read(merchant, plan["id"])["status"] == "Completed"
    reply = send(merchant, plan, installment=plan["installments"][0]["id"])
    assert (reply.status_code, "has been paid" in reply.text) == (409, True)


def test_page_says_when_the_next_payment_is_not_due_and_shows_late_fees(merchant: Merchant) -> None:
    plan = insert(merchant, lateFeesType="FixedPerMonth", lateFeesValue=1)
    merchant.emulator.control.advance(DAY)
    assert "<bdi>1.000</bdi> <bdi>KWD</bdi></span> late fees" in page(merchant, plan).text
    later = send(merchant, plan, installment=plan["installments"][1]["id"])
    assert (later.status_code, "from its due date on" in later.text) == (409, True)

    merchant.log_in()
    soon = insert(merchant, startDate=str(today(merchant) + timedelta(days=1)))
    assert "from its due date on" in page(merchant, soon).text


def test_page_is_in_the_language_of_the_plan_or_the_one_asked_for(merchant: Merchant) -> None:
    plan = insert(merchant, lang="ar")
    assert '<html lang="ar" dir="rtl">' in page(merchant, plan).text
    assert "ادفع القسط التالي" in page(merchant, plan).text
    assert "Pay the next instalment" in page(merchant, plan, lang="en").text


def test_page_of_nothing_is_404(merchant: Merchant) -> None:
    plan = insert(merchant)
    assert page(merchant, {"key": "1"}).status_code == 404
    for number in ("99", "", "x", "9" * 30, "²"):
        assert send(merchant, plan, installment=number).status_code == 404
