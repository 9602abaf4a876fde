"""What cannot be sent is refused before anything is sent, by the name of its field."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.gateway import outgoing
from django_sadadpay.gateway.endpoints import ENDPOINTS, Endpoint
from django_sadadpay.gateway.errors import InvalidRequest
from django_sadadpay.gateway.hidden import hide

INVOICE = {"amount": "10", "customer_name": "Noor"}
PLAN = {
    "customer_name": "Noor",
    "amount": "90",
    "installment_count": 3,
    "start_date": "2026-12-01",
    "pay_per": "Monthly",
}


def wire(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return outgoing.to_wire(ENDPOINTS[name], values)


@pytest.mark.parametrize(
    ("endpoint", "values", "field"),
    [
        ("Invoice/insert", {"amount": "10"}, "customer_Name is missing"),
        ("Invoice/insert", {**INVOICE, "amount": "1.0001"}, "amount has more than three decimal places"),
        ("Invoice/insert", {**INVOICE, "amount": 1.5}, "amount must be a Decimal"),
        ("Invoice/insert", {**INVOICE, "amount": True}, "amount must be a Decimal"),
        ("Invoice/insert", {**INVOICE, "amount": Decimal("NaN")}, "amount is not a number"),
        ("Invoice/insert", {**INVOICE, "amount": "1,5"}, "amount must be a Decimal"),
        ("Invoice/insert", {**INVOICE, "amount": "-1"}, "amount must not be negative"),
        ("Invoice/insert", {**INVOICE, "amount": "0.000"}, "amount must be above zero"),
        ("Invoice/insert", {**INVOICE, "amount": Decimal("1E12")}, "amount is too large"),
        ("Invoice/insert", {**INVOICE, "discount_amount": "0.1234"}, "discount_Amount has more than three"),
        ("Invoice/insert", {**INVOICE, "amount": Decimal("1E+99999999")}, "amount has too many digits"),
        ("Invoice/insert", {**INVOICE, "amount": Decimal("1E-99999999")}, "amount has too many digits"),
        ("Invoice/insert", {**INVOICE, "remind_after": 10**5000}, "remind_After has too many digits"),
        ("Invoice/insert", {**INVOICE, "lang": "fr"}, "lang must be one of en, ar"),
        ("Invoice/insert", {**INVOICE, "lang": 1}, "lang must be one of en, ar"),
        (
            "Invoice/insert",
            {**INVOICE, "currency_code": "dinar"},
            "currency_Code must be a currency's three letters",
        ),
        (
            "Invoice/insert",
            {**INVOICE, "customer_name": "n" * 501},
            "customer_Name is longer than 500 characters",
        ),
        ("Invoice/insert", {**INVOICE, "comment": ["x"]}, "comment must be text"),
        ("Invoice/insert", {**INVOICE, "send_type": 1}, "sendType must be text"),
        (
            "Invoice/insert",
            {**INVOICE, "expiry_date": "2026-02-30"},
            "expiry_Date is no date of the calendar",
        ),
        (
            "Invoice/insert",
            {**INVOICE, "expiry_date": "1/2/2026"},
            "expiry_Date must be a date, or yyyy-MM-dd",
        ),
        ("Invoice/insert", {**INVOICE, "expiry_date": datetime(2026, 1, 1)}, "expiry_Date must be a date"),  # noqa: DTZ001  (the fault)
        ("Invoice/insert", {**INVOICE, "remind_after": "1.5"}, "remind_After must be a whole number"),
        ("Invoice/insert", {**INVOICE, "items": {"name": "a"}}, "items must be a list of objects"),
        ("Invoice/insert", {**INVOICE, "items": [1]}, "items must be a list of objects"),
        (
            "Invoice/insert",
            {**INVOICE, "items": [{"name": "a", "quantity": 1}]},
            "items[0].amount is missing",
        ),
        (
            "Invoice/insert",
            {**INVOICE, "items": [{"name": "a", "quantity": 1, "amount": "1.0001"}]},
            "items[0].amount has more than three",
        ),
        (
            "Invoice/insert",
            {**INVOICE, "terms_condition_enabled": "yes"},
            "terms_Condition_Enabled must be True or",
        ),
        ("Product/insert", {"name_en": "Tea"}, "categoryId is missing"),
        (
            "Product/insert",
            {"category_id": 1, "name_en": "Tea", "price": "1.0001"},
            "price has more than three",
        ),
        ("Customer/insert", {"mobile": "5"}, "name is missing"),
        ("PaymentLink/insert", {"title": ""}, "title is missing"),
        ("ProductLink/insert", {"name_en": "Gifts"}, "nameAr is missing"),
        ("InstallmentPlan/insert", {**PLAN, "late_fees_value": "much"}, "lateFeesValue must be a Decimal"),
        (
            "InstallmentPlan/insert",
            {**PLAN, "installments": [{"amount": "1"}]},
            "installments[0].dueDate is missing",
        ),
        ("SubscriptionTemplate/insert", {"name_en": "Box", "amount": "5"}, "billPeriod is missing"),
        (
            "Invoice/createpaymentlinkinvoice",
            {"payment_link_key": "1", "amount": "1"},
            "customerName is missing",
        ),
        ("EmbeddedPayment/intiate_order_session", {"amount": "1"}, "ref_Number is missing"),
        ("Product/update", {"name_en": "Tea"}, "id is missing"),
        ("Product/delete", {"id": "a"}, "id must be a Decimal, a whole number or such a text"),
    ],
)
def test_it_names_the_field(endpoint: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wire(endpoint, values)
    assert str(refused.value).startswith(f"{endpoint}: {field}")
    assert refused.value.field == field.split(" ", maxsplit=1)[0]


def test_it_never_shows_the_value() -> None:
    for values in ({**INVOICE, "lang": "secret"}, {**INVOICE, "comment": "secret" * 1000}):
        with pytest.raises(InvalidRequest) as refused:
            wire("Invoice/insert", values)
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("10", "10.000"),
        (Decimal("1.5"), "1.500"),
        (7, "7.000"),
        (" 2.25 ", "2.250"),
        (Decimal("1E+3"), "1000.000"),
    ],
)
def test_kwd_goes_out_as_text_with_three_places(value: Any, sent: str) -> None:
    assert wire("Invoice/insert", {**INVOICE, "amount": value})["amount"] == sent


def test_what_may_be_left_out_may_be_nothing() -> None:
    sent = wire("Invoice/insert", {**INVOICE, "lang": "", "comment": None, "discount_amount": "0"})
    assert sent["lang"] == ""
    assert "comment" not in sent
    link = {"title": "Gift", "is_open_amount": True, "min_amount": 0}
    assert wire("PaymentLink/insert", link)["minAmount"] == "0.000"


def test_a_line_or_a_template_may_cost_nothing() -> None:
    gift = {"name": "Gift", "quantity": 1, "amount": 0}
    assert wire("Invoice/insert", {**INVOICE, "items": [gift]})["items"][0]["amount"] == "0.000"
    free = {"name_en": "Free", "amount": Decimal(0), "bill_period": "Monthly"}
    assert wire("SubscriptionTemplate/insert", free)["amount"] == "0.000"
    for endpoint, values in (
        ("Invoice/update", {"id": 1, "amount": "0"}),
        ("EmbeddedPayment/intiate_order_session", {"amount": "0"}),
    ):
        with pytest.raises(InvalidRequest, match="amount must be above zero"):
            wire(endpoint, values)


def test_dates_are_days() -> None:
    assert (
        wire("InstallmentPlan/insert", {**PLAN, "start_date": date(2026, 12, 1)})["startDate"] == "2026-12-01"
    )
    assert wire("InstallmentPlan/insert", PLAN)["startDate"] == "2026-12-01"


def test_words_and_fields_that_are_assumed_or_unknown_are_left_to_sadad() -> None:
    sent = wire("InstallmentPlan/insert", {**PLAN, "pay_per": "EveryOtherTuesday", "Loyalty_Points": 3})
    assert (sent["payPer"], sent["Loyalty_Points"]) == ("EveryOtherTuesday", 3)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.binary()
    | st.builds(object),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@given(st.data())
def test_any_value_is_json_or_refused(data: st.DataObject) -> None:
    row = ENDPOINTS[data.draw(st.sampled_from(sorted(ENDPOINTS)))]
    values = data.draw(st.fixed_dictionaries({}, optional={field.name: ANYTHING for field in row.fields}))
    refused, sent = outcome(row, values)
    assert refused or json.loads(json.dumps(sent)) == sent


def outcome(row: Endpoint, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The field that is refused, or what is sent."""
    try:
        return "", outgoing.to_wire(row, values)
    except InvalidRequest as refused:
        return refused.field, {}


def test_what_is_sent_does_not_show_itself() -> None:
    """A debug page lists variables by their repr."""
    sent = wire("Invoice/insert", INVOICE)
    assert sent["customer_Name"] == "Noor"
    assert repr(hide(sent)) == "{***}"
    assert hide("text") == "text"


def test_a_date_in_a_field_that_nobody_lists_goes_out_as_a_day() -> None:
    assert wire("Customer/insert", {"name": "Noor", "Birthday": date(1990, 2, 3)})["Birthday"] == "1990-02-03"
