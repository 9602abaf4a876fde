"""Subscriptions: bills become invoices as the stand-in's clock passes their dates (assumed bodies)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.raw_http import groups
from tests.raw_http.shapes import INVOICE, amiss
from tests.raw_http.wire import DAY, moment

if TYPE_CHECKING:
    from tests.raw_http.wire import Api


class Subscription:
    """Three months from today (a noon), 15 KWD a month, unless told otherwise."""

    def __init__(self, api: Api, template: dict[str, Any] | None = None, **fields: Any) -> None:
        self.api = api
        self.today = api.noon()
        self.template = groups.a_template(api, **(template or {}))
        start = {"startDate": self.today.isoformat(), **fields}
        self.body = groups.subscription(api, templateId=self.template, **start)
        made = api.post("Subscription/insert", self.body).ok()
        self.id, self.key = made["id"], made["key"]

    def read(self) -> Any:
        return self.api.get("Subscription/getbyid", id=self.id).ok()

    @property
    def schedule(self) -> Any:
        return self.api.get("Subscription/generatesubscriptionschedule", id=self.id).ok()

    @property
    def statuses(self) -> list[str]:
        return [row["status"] for row in self.schedule]

    def pay(self, index: int) -> int:
        number = int(self.schedule[index]["invoiceId"])
        self.api.pay(number)
        return number

    def update(self, **fields: Any) -> None:
        self.api.put("Subscription/update", {**self.body, **fields, "id": self.id}).ok()


def test_a_subscription_takes_its_amount_from_the_template(api: Api) -> None:
    got = Subscription(api).read()
    assert (got["amount"], got["status"]) == (15, "Active")


def test_a_schedule_lists_every_bill_of_the_duration(api: Api) -> None:
    rows = Subscription(api, startDate="2091-05-10").schedule
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert [row["billDate"] for row in rows] == [f"0{month}/10/2091 00:00:00" for month in (5, 6, 7)]
    assert {row["amount"] for row in rows} == {15}
    assert {row["status"] for row in rows} == {"Upcoming"}
    assert not any(row["invoiceId"] for row in rows)


def test_a_bill_becomes_an_invoice_when_its_day_comes(api: Api) -> None:
    subscription = Subscription(api)
    assert subscription.statuses == ["Unpaid", "Upcoming", "Upcoming"]
    got = api.read(subscription.schedule[0]["invoiceId"])
    assert amiss(INVOICE, got) == []
    assert (got["type"], got["status"], got["amount"]) == ("Subscription", "Unpaid", 15)
    assert (got["ref_Number"], got["customer_Name"]) == ("S-1", "Sara")
    assert api.get("Invoice/GetByTypeKey", type="Subscription", key=got["key"]).ok()["id"] == got["id"]


def test_a_paid_bill_stays_paid_and_an_unpaid_one_is_missed_when_the_next_is_due(api: Api) -> None:
    subscription = Subscription(api)
    subscription.pay(0)
    assert subscription.statuses == ["Paid", "Upcoming", "Upcoming"]
    api.advance(32 * DAY)
    assert subscription.statuses == ["Paid", "Unpaid", "Upcoming"]
    api.advance(31 * DAY)
    assert subscription.statuses == ["Paid", "Missed", "Unpaid"]
    number = subscription.pay(2)
    assert subscription.statuses == ["Paid", "Missed", "Paid"]
    assert api.read(number)["status"] == "Paid"


def test_months_that_pass_at_once_make_their_bills_too(api: Api) -> None:
    subscription = Subscription(api)
    api.advance(64 * DAY)
    assert subscription.statuses == ["Missed", "Missed", "Unpaid"]
    assert len({row["invoiceId"] for row in subscription.schedule}) == 3
    assert len(api.rows("Invoice", invoiceType="Subscription")) == 3


def test_asking_for_the_schedule_makes_no_bill_twice(api: Api) -> None:
    subscription = Subscription(api)
    assert subscription.schedule == subscription.schedule
    assert len(api.rows("Invoice", invoiceType="Subscription")) == 1


def test_a_subscription_completes_when_its_time_is_over(api: Api) -> None:
    subscription = Subscription(api)
    for index in range(3):
        subscription.pay(index)
        api.advance(32 * DAY)
    assert subscription.statuses == ["Paid"] * 3
    assert subscription.read()["status"] == "Completed"


def test_the_next_bill_s_date_moves_on(api: Api) -> None:
    subscription = Subscription(api)
    second = subscription.schedule[1]["billDate"]
    assert subscription.read()["nextBillDate"] == second
    api.advance(32 * DAY)
    assert subscription.read()["nextBillDate"] == subscription.schedule[2]["billDate"]


@pytest.mark.parametrize("status", ["Suspended", "Closed"])
def test_a_subscription_that_rests_or_ended_bills_no_more(api: Api, status: str) -> None:
    subscription = Subscription(api)
    subscription.update(status=status)
    assert subscription.read()["status"] == status
    api.advance(40 * DAY)
    assert len(api.rows("Invoice", invoiceType="Subscription")) == 1


def test_a_suspended_subscription_can_go_on(api: Api) -> None:
    subscription = Subscription(api)
    subscription.update(status="Suspended")
    subscription.update(status="Active")
    api.advance(32 * DAY)
    assert subscription.statuses[1] == "Unpaid"


@pytest.mark.parametrize(
    ("template", "days", "count"),
    [
        ({"billPeriod": "Weekly", "durationPeriod": "Weekly", "durationNo": 4}, 7, 4),
        ({"billPeriod": "Daily", "durationPeriod": "Daily", "durationNo": 6, "billNo": 2}, 2, 3),
        ({"billPeriod": "Monthly", "durationPeriod": "Yearly", "durationNo": 1}, None, 12),
        ({"billPeriod": "Quarterly", "durationPeriod": "Yearly", "durationNo": 1}, None, 4),
    ],
)
def test_bills_come_as_often_as_the_template_says(
    api: Api, template: dict[str, Any], days: int | None, count: int
) -> None:
    dates = [moment(row["billDate"]) for row in Subscription(api, template, startDate="2091-05-10").schedule]
    assert len(dates) == count
    apart = {(later - earlier).days for earlier, later in pairwise(dates)}
    if days is None:
        assert {date.day for date in dates} == {10}
    else:
        assert apart == {days}


def test_a_subscription_without_end_always_has_a_next_bill(api: Api) -> None:
    subscription = Subscription(api, {"durationNo": 0})
    assert subscription.read()["endDate"] is None
    api.advance(400 * DAY)
    statuses = subscription.statuses
    assert (statuses.count("Unpaid"), statuses.count("Missed")) == (1, 13)
    assert statuses[-1] == "Upcoming"
    assert subscription.read()["status"] == "Active"


def test_a_customer_s_name_stands_on_the_subscription(api: Api) -> None:
    customer = api.add("Customer", groups.customer(api, name="Noura"))
    body = groups.subscription(api, customerId=customer)
    for name in ("customerName", "customerMobile", "customerEmail"):
        del body[name]
    got = api.get("Subscription/getbyid", id=api.add("Subscription", body)).ok()
    assert (got["customerId"], got["customerName"]) == (customer, "Noura")


@pytest.mark.parametrize("field", ["templateId", "customerId"])
def test_a_template_or_customer_of_nobody_is_refused(api: Api, field: str) -> None:
    body = {**groups.subscription(api), field: 999999}
    assert api.post("Subscription/insert", body).refused() == "UnauthorizedAccess"


def test_a_schedule_is_asked_for_by_id(api: Api) -> None:
    path = "Subscription/generatesubscriptionschedule"
    assert api.get(path).remark() == "IdRequired"
    assert api.get(path, id=999999).refused() == "UnauthorizedAccess"


def test_the_payer_sees_the_subscription_without_a_token(api: Api) -> None:
    subscription = Subscription(api)
    view = api.ask("GET", "Subscription/getforpayment", token="", key=subscription.key).ok()
    assert (view["key"], view["amount"], view["status"]) == (subscription.key, 15, "Active")


def test_a_link_s_detail_holds_the_template(api: Api) -> None:
    template = groups.a_template(api, nameEn="Gym")
    made = api.post("SubscriptionLink/insert", groups.subscription_link(api, templateId=template)).ok()
    got = api.get("SubscriptionLink/getlinkdetail", key=made["key"]).ok()
    assert (got["id"], got["key"], got["templateId"]) == (made["id"], made["key"], template)
    assert (got["nameEn"], got["amount"], got["billPeriod"]) == ("Join the gym", 15, "Monthly")
    assert api.browse(f"{api.emulator.base_url}/subscriptionlink/{made['key']}")[0] == 200
