"""A whole walk over the emulator: nothing differs where nothing does, and exactly what differs is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.probe.report import NOT_PROBED, SAME
from django_sadadpay.probe.steps import STEPS
from tests.probe.conftest import Lab, short


def test_the_emulator_is_as_the_table_says(lab: Lab) -> None:
    report = lab.probe(change_account=True)

    assert report.differences == []
    assert report.same
    assert lab.left() == []
    assert not lab.journal.exists()
    assert list(report.rows) == list(ENDPOINTS)
    not_probed = {row.endpoint for row in report.rows.values() if row.status == NOT_PROBED}
    assert not_probed == {"Refund/insert", "Refund/getall"}
    assert {row.endpoint for row in report.rows.values() if row.status == SAME} == set(ENDPOINTS) - not_probed


def test_what_was_not_probed_says_why(lab: Lab) -> None:
    report = lab.probe("Refund", "Embedded Payment")

    refund, domain = report.rows["Refund/insert"], report.rows["EmbeddedPayment/allow_domain"]
    assert refund.skipped == {"of what was paid": "needs a payment: run it with --pay"}
    assert refund.status == NOT_PROBED
    assert set(domain.skipped.values()) == {"would change the account for good: run it with --change-account"}
    assert lab.calls("EmbeddedPayment/allow_domain") == 0
    assert report.rows["Customer/insert"].skipped == {"everything": "not asked for"}


def test_every_step_that_was_asked_for_was_tried_or_says_why_not(lab: Lab) -> None:
    report = lab.probe()
    for step in STEPS:
        row = report.rows[step.endpoint]
        assert (step.name in row.done) is not (step.name in row.skipped), step


def test_one_run_per_group_finds_the_same(lab: Lab) -> None:
    for group in sorted({row.group for row in ENDPOINTS.values()}):
        assert lab.probe(group).differences == [], group
    assert lab.left() == []


def test_what_the_account_has_already_is_neither_changed_nor_deleted(lab: Lab) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "ProductCategory": {"nameEn": "Cakes"},
        "Customer": {"name": "Somebody"},
        "PaymentLink": {"title": "Donation", "isOpenAmount": True},
    }
    before = [lab.control.create_object(kind, **body) for kind, body in bodies.items()]
    invoice = lab.control.create("12.500")

    assert lab.probe().same

    after = [row for kind in bodies for row in lab.control.objects(kind)]
    assert [row["id"] for row in after] == [row["id"] for row in before]
    assert lab.control.objects("ProductCategory")[0]["nameEn"] == "Cakes"
    assert lab.control.invoice(invoice["id"]) == invoice


# Drift

_DRIFTS: list[tuple[str, str, str, dict[str, Any], list[tuple[str, str, str, str]]]] = [
    (
        "Categories",
        "ProductCategory/getbyid",
        "reply_field",
        {"path": "sort", "retype": "text"},
        [("ProductCategory/getbyid", "retyped", "sort", "a text")],
    ),
    (
        "Categories",
        "ProductCategory/getbyid",
        "reply_field",
        {"path": "id", "remove": True},
        [("ProductCategory/getbyid", "missing", "id", "not there")],
    ),
    (
        "Invoices",
        "Invoice/getall",
        "reply_field",
        {"path": "*.key", "retype": "number"},
        [("Invoice/getall", "retyped", "key", "a whole number")],
    ),
    (
        "Invoices",
        "Invoice/getbyid",
        "reply_field",
        {"path": "createDate", "value": "22. Nov 2026"},
        [("Invoice/getbyid", "format", "createDate", "another form")],
    ),
    (
        "Invoices",
        "Invoice/getbyid",
        "reply_field",
        {"path": "items.*.quantity", "retype": "text"},
        [("Invoice/getbyid", "retyped", "items[].quantity", "a text")],
    ),
    (
        "Invoices",
        "Invoice/getall",
        "ignore_paging",
        {},
        [("Invoice/getall", "paging", "listOptions", "they are not")],
    ),
    (
        "Common",
        "Common/getcurrencies",
        "reply_field",
        {"path": "*.conversionRate", "value": None},
        [("Common/getcurrencies", "retyped", "conversionRate", "null")],
    ),
]


@pytest.mark.parametrize(
    ("group", "endpoint", "kind", "options", "found"), _DRIFTS, ids=lambda value: str(value)[:40]
)
def test_a_drift_is_found_and_nothing_else(
    lab: Lab,
    group: str,
    endpoint: str,
    kind: str,
    options: dict[str, Any],
    found: list[tuple[str, str, str, str]],
) -> None:
    usual = short(lab.probe(group).notes)
    lab.control.faults.add(endpoint, kind, **options)

    report = lab.probe(group)

    assert short(report.differences) == found
    assert short(report.notes) == usual
    assert not report.same
    assert lab.left() == []


def test_a_drifted_a_missing_and_a_new_thing_at_once_are_found_and_no_more(lab: Lab) -> None:
    usual = lab.probe()
    faults = lab.control.faults
    faults.add("Product/getbyid", "reply_field", path="price", retype="text")
    faults.add("Invoice/getbyid", "reply_field", path="url", remove=True)
    faults.add("Customer/insert", "refuse", times=1, skip=2, error_key="NameMissing")

    report = lab.probe()

    assert short(report.differences) == [
        ("Customer/insert", "error_key", "", "`NameMissing`"),
        ("Invoice/getbyid", "missing", "url", "not there"),
        ("Product/getbyid", "retyped", "price", "a text"),
    ]
    assert short(report.notes) == short(usual.notes)
    assert lab.left() == []


def test_a_field_with_another_name_is_two_findings_and_the_line_that_mends_it(lab: Lab) -> None:
    faults = lab.control.faults
    faults.add("ProductCategory/getbyid", "reply_field", path="id", remove=True)
    faults.add("ProductCategory/getbyid", "reply_field", path="number", value=7)

    report = lab.probe("Categories")

    (difference,) = report.differences
    assert "{'ProductCategory/getbyid': {'reply.id': 'number'}}" in difference.advice
    assert ("ProductCategory/getbyid", "extra", "number", "it is there") in short(report.notes)


def test_a_filter_that_is_ignored_is_found_for_each_filter(lab: Lab) -> None:
    lab.control.faults.add("Invoice/getall", "ignore_filter")
    found = lab.probe("Invoices").differences
    assert {finding.kind for finding in found} == {"filter"}
    assert {finding.came for finding in found} == {"it is ignored"}
    assert len(found) == 14


def test_an_endpoint_that_refuses_everything_is_said_to_and_what_stands_on_it_is_not_probed(lab: Lab) -> None:
    lab.control.faults.add("ProductCategory/insert", "refuse", error_key="NotToday")

    report = lab.probe("Products", "Categories")

    assert ("ProductCategory/insert", "refused", "", "refused: `NotToday`") in short(report.differences)
    assert {finding.endpoint for finding in report.differences} == {"ProductCategory/insert"}
    product = report.rows["Product/insert"]
    assert product.skipped["as it should be"] == "nothing to try it on: category could not be made"
    assert report.rows["Product/getall"].status == NOT_PROBED
    assert lab.left() == []


def test_an_error_key_that_is_no_plain_word_is_not_repeated(lab: Lab) -> None:
    lab.control.faults.add("Customer/getbyid", "refuse", error_key="call Ali +96555512345")
    report = lab.probe("Customers")
    text = json.dumps(report.to_json())
    assert "Ali" not in text
    assert ("Customer/getbyid", "refused", "", "refused: `(unusual)`") in short(report.differences)
    assert lab.left() == []


def test_a_deletion_that_is_refused_once_is_made_up_for(lab: Lab) -> None:
    lab.control.faults.add("Customer/delete", "refuse", times=3, error_key="NotNow")
    report = lab.probe("Customers")
    assert lab.left() == []
    assert report.left == []
    assert {finding.endpoint for finding in report.differences} == {"Customer/delete"}


def test_what_cannot_be_deleted_is_listed_and_kept_in_the_journal(lab: Lab) -> None:
    lab.control.faults.add("Customer/delete", "refuse", error_key="NotNow")
    report = lab.probe("Customers")
    assert report.left == ["Customer `probe-0000test-002`", "Customer `probe-0000test-001`"]
    assert not report.same
    assert lab.journal.exists()


@pytest.mark.parametrize("form", ["id", "text", "true"])
def test_whatever_an_insert_answers_the_object_is_found(lab: Lab, form: str) -> None:
    """Not documented (contract 10): with no id in the answer it is found by its name."""
    lab.control.settings(insert_reply=form)
    report = lab.probe()
    assert report.differences == []
    assert lab.left() == []
    assert [note for note in report.notes if (note.endpoint, note.kind) == ("Customer/insert", "shape")]


def test_an_answer_that_names_something_foreign_is_not_believed(lab: Lab) -> None:
    invoice = lab.control.create("12.500")
    lab.control.faults.add("Invoice/insert", "wrong_id", times=1)

    report = lab.probe("Invoices")

    assert lab.control.invoice(invoice["id"]) == invoice
    assert short(report.differences) == [("Invoice/insert", "wrong_id", "", "another's")]
    assert [row["id"] for row in lab.control.invoices() if not row["deleted"]] == [invoice["id"]]


def test_too_many_calls_wait_as_long_as_they_are_told_and_go_on(lab: Lab) -> None:
    lab.control.faults.add("Customer/insert", "rate_limited", times=2, retry_after=7)
    report = lab.probe("Customers")
    assert report.differences == []
    assert lab.waits == [7.0, 7.0]


def test_a_merchants_own_spelling_is_used(lab: Lab) -> None:
    spelt = {"Customer/insert": {"name": "wrongName"}}
    from django_sadadpay.probe import probe

    report = probe(lab.account(fields=spelt), lab.options("Customers"))
    assert ("Customer/insert", "refused", "", "refused: `CustomerNameRequired`") in short(report.differences)
    assert lab.left() == []
