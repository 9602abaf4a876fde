"""Instalment plans: assumed bodies; statuses and error keys of contract 10."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.raw_http import groups
from tests.raw_http.wire import DAY, moment

if TYPE_CHECKING:
    from datetime import date

    from tests.raw_http.wire import Answer, Api

ROW = {"id", "number", "amount", "dueDate", "status", "invoiceId", "lateFees"}


class Plan:
    def __init__(self, api: Api, **fields: Any) -> None:
        self.api = api
        made = api.post("InstallmentPlan/insert", groups.plan(api, **fields)).ok()
        self.id, self.key = made["id"], made["key"]

    def read(self) -> Any:
        return self.api.get("InstallmentPlan/getbyid", id=self.id).ok()

    @property
    def rows(self) -> Any:
        return self.read()["installments"]

    def invoice(self, index: int, **fields: Any) -> Answer:
        body = {"installmentPlanKey": self.key, "installmentId": self.rows[index]["id"], **fields}
        return self.api.post("Invoice/createinstallmentplanlinkinvoice", body)


@pytest.fixture
def today(api: Api) -> date:
    return api.noon()


def amounts(plan: Plan) -> list[Decimal]:
    return [Decimal(str(row["amount"])) for row in plan.rows]


def test_a_new_plan_is_split_into_equal_parts_a_month_apart(api: Api) -> None:
    plan = Plan(api)
    assert amounts(plan) == [100, 100, 100]
    assert [row["number"] for row in plan.rows] == [1, 2, 3]
    due = [moment(row["dueDate"]).date() for row in plan.rows]
    assert [day.day for day in due] == [10, 10, 10]
    assert [later.month - earlier.month for earlier, later in pairwise(due)] == [1, 1]
    assert {row["status"] for row in plan.rows} == {"Unpaid"}
    assert all(set(row) >= ROW for row in plan.rows)
    got = plan.read()
    assert (got["status"], got["paidAmount"], got["remainingAmount"]) == ("New", 0, 300)


@pytest.mark.parametrize(("amount", "count"), [("100.000", 3), ("0.010", 3), ("99.999", 7), ("1", 1)])
def test_no_fils_is_lost_in_the_split(api: Api, amount: str, count: int) -> None:
    split = amounts(Plan(api, amount=amount, installmentCount=count))
    assert len(split) == count
    assert sum(split) == Decimal(amount)
    assert max(split) - min(split) < count * Decimal("0.001")
    assert all(part * 1000 == int(part * 1000) for part in split)


def test_a_down_payment_comes_first_and_a_balloon_last(api: Api) -> None:
    plan = Plan(api, downAmount="50.000", balloonAmount="100.000")
    rows = plan.rows
    assert (rows[0]["number"], rows[0]["amount"]) == (0, 50)
    assert rows[-1]["amount"] == 100
    assert sum(amounts(plan)) == 300
    assert [row["number"] for row in rows] == list(range(len(rows)))


@pytest.mark.parametrize(
    ("word", "days"), [("Daily", {1}), ("Weekly", {7}), ("Quarterly", {92}), ("Yearly", {366, 365})]
)
def test_parts_are_due_as_often_as_the_plan_says(api: Api, word: str, days: set[int]) -> None:
    due = [moment(row["dueDate"]) for row in Plan(api, payPer=word).rows]
    assert {(later - earlier).days for earlier, later in pairwise(due)} == days


def test_a_manual_plan_has_the_merchant_s_own_dates(api: Api) -> None:
    own = [{"amount": "200.000", "dueDate": "2091-06-01"}, {"amount": "100.000", "dueDate": "2091-06-20"}]
    plan = Plan(api, payPer="Manual", installmentCount=2, installments=own)
    assert [(row["amount"], row["dueDate"]) for row in plan.rows] == [
        (200, "06/01/2091 00:00:00"),
        (100, "06/20/2091 00:00:00"),
    ]


def test_a_manual_plan_must_add_up(api: Api) -> None:
    own = [{"amount": "200.000", "dueDate": "2091-06-01"}, {"amount": "99.999", "dueDate": "2091-06-20"}]
    body = groups.plan(api, payPer="Manual", installmentCount=2, installments=own)
    assert api.post("InstallmentPlan/insert", body).refused() == "ScheduleTotalNotEqualInstalllemntTotal"
    assert api.get("InstallmentPlan/getall").remark() == "EmptyResult"


@pytest.mark.parametrize("field", ["installmentCount", "startDate", "payPer"])
def test_a_plan_is_refused_without_its_schedule(api: Api, field: str) -> None:
    body = groups.plan(api)
    del body[field]
    assert api.post("InstallmentPlan/insert", body).refused().endswith("Required")


@pytest.mark.parametrize(
    ("field", "value"), [("payPer", "Hourly"), ("lateFeesType", "Double"), ("startDate", "soon")]
)
def test_a_plan_is_refused_for_a_word_that_nobody_knows(api: Api, field: str, value: str) -> None:
    answer = api.post("InstallmentPlan/insert", groups.plan(api, **{field: value}))
    assert answer.error_key
    assert api.get("InstallmentPlan/getall").remark() == "EmptyResult"


def test_a_part_becomes_an_invoice_that_can_be_paid(api: Api, today: date) -> None:
    plan = Plan(api, startDate=today.isoformat())
    number = plan.invoice(0).ok()
    assert type(number) is int
    got = api.read(number)
    assert (got["type"], got["status"], got["amount"]) == ("InstallmentPlan", "Unpaid", 100)
    assert (got["customer_Name"], got["ref_Number"]) == ("Sara", "P-1")
    assert (plan.rows[0]["status"], str(plan.rows[0]["invoiceId"])) == ("Unpaid", str(number))
    api.pay(number)
    assert [row["status"] for row in plan.rows] == ["Paid", "Unpaid", "Unpaid"]
    after = plan.read()
    assert (after["status"], after["paidAmount"], after["remainingAmount"]) == (
        "PartiallyCompleted",
        100,
        200,
    )
    assert api.get("Invoice/GetByTypeKey", type="InstallmentPlan", key=got["key"]).ok()["id"] == number


def test_a_part_is_not_paid_before_its_day_nor_twice(api: Api, today: date) -> None:
    plan = Plan(api, startDate=today.isoformat())
    assert plan.invoice(1).refused() == "DueDateNotComeYet"
    number = plan.invoice(0).ok()
    assert plan.invoice(0).ok() == number
    api.pay(number)
    assert plan.invoice(0).refused() == "InvoiceAlreadyPaid"
    api.advance(32 * DAY)
    assert plan.invoice(1).ok() not in (number, None)


def test_a_flexible_plan_is_paid_at_any_time_and_completes(api: Api) -> None:
    plan = Plan(api, isFlexible=True)
    for index in (2, 0, 1):
        api.pay(plan.invoice(index).ok())
    got = plan.read()
    assert (got["status"], got["paidAmount"], got["remainingAmount"]) == ("Completed", 300, 0)
    assert [row["status"] for row in got["installments"]] == ["Paid"] * 3


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"installmentPlanKey": None}, "InstallmentPlanKeyRequired"),
        ({"installmentPlanKey": "123456789999"}, "InvalidKey"),
        ({"installmentId": None}, "InstallmentIdRequired"),
    ],
)
def test_a_part_s_invoice_is_refused_by_its_own_key(api: Api, fields: dict[str, Any], key: str) -> None:
    assert Plan(api, isFlexible=True).invoice(0, **fields).refused() == key


def test_a_plan_that_has_begun_is_neither_changed_nor_deleted(api: Api) -> None:
    plan = Plan(api, isFlexible=True)
    api.pay(plan.invoice(0).ok())
    before = plan.read()
    body = {**groups.plan(api, isFlexible=True), "id": plan.id, "amount": "600.000"}
    assert api.put("InstallmentPlan/update", body).refused() == "InstallmentPlanCannotBeUpdated"
    assert api.delete("InstallmentPlan/delete", id=plan.id).refused() == "InstallmentPlanCannotBeDeleted"
    assert plan.read() == before


def test_a_new_plan_s_schedule_follows_its_change(api: Api) -> None:
    plan = Plan(api)
    body = groups.plan(api, amount="120.000", installmentCount=4, payPer="Weekly")
    api.put("InstallmentPlan/update", {**body, "id": plan.id}).ok()
    assert amounts(plan) == [30, 30, 30, 30]
    assert plan.read()["remainingAmount"] == 120


def test_late_fees_wait_for_the_days_of_grace(api: Api, today: date) -> None:
    fees = {"lateFeesType": "FixedPerDay", "lateFeesValue": "1.500", "gracePeriod": 2}
    plan = Plan(api, startDate=today.isoformat(), **fees)
    assert plan.rows[0]["lateFees"] == 0
    api.advance(2 * DAY)
    assert plan.rows[0]["lateFees"] == 0
    api.advance(3 * DAY)
    fee = Decimal(str(plan.rows[0]["lateFees"]))
    assert fee > 0
    assert fee % Decimal("1.5") == 0
    assert plan.rows[1]["lateFees"] == 0


def test_the_payer_sees_the_plan_without_a_token(api: Api) -> None:
    plan = Plan(api)
    view = api.ask("GET", "InstallmentPlan/getforpayment", token="", key=plan.key).ok()
    assert (view["key"], view["amount"], len(view["installments"])) == (plan.key, 300, 3)
    assert api.browse(f"{api.emulator.base_url}/installmentplan/{plan.key}")[0] == 200
