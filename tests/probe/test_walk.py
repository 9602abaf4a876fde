"""A whole walk over the emulator: nothing differs where nothing does, and exactly what differs is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.probe.report import NOT_PROBED, SAME
from django_sadadpay.probe.runner import Runner
from django_sadadpay.probe.steps import STEPS
from tests.probe.conftest import KINDS, SKELETON, THEIRS, Lab, Whole, short


def test_the_emulator_is_as_the_table_says(whole: Whole) -> None:
    report = whole.report
    assert report.differences == []
    assert report.same
    assert not whole.lab.journal.exists()
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


def test_every_step_that_was_asked_for_was_tried_or_says_why_not(whole: Whole) -> None:
    for step in STEPS:
        row = whole.report.rows[step.endpoint]
        assert (step.name in row.done) is not (step.name in row.skipped), step


def test_what_the_account_has_already_is_neither_changed_nor_deleted(whole: Whole) -> None:
    after = [row for kind in KINDS for row in whole.lab.control.objects(kind)]
    assert sorted(after, key=repr) == sorted(whole.theirs, key=repr)
    assert whole.lab.control.invoice(whole.invoice["id"]) == whole.invoice
    assert set(whole.lab.left()) == {*(f"{kind} 1" for kind in THEIRS), f"Invoice {whole.invoice['id']}"}


# Drift

_Drift = tuple[str, str, dict[str, Any], tuple[str, str, str]]
_DRIFTS: list[tuple[str, list[_Drift]]] = [
    (
        "Categories",
        [
            (
                "ProductCategory/getbyid",
                "reply_field",
                {"path": "sort", "retype": "text"},
                ("retyped", "sort", "a text"),
            ),
            (
                "ProductCategory/getbyid",
                "reply_field",
                {"path": "id", "remove": True},
                ("missing", "id", "not there"),
            ),
        ],
    ),
    (
        "Invoices",
        [
            (
                "Invoice/getall",
                "reply_field",
                {"path": "*.key", "retype": "number"},
                ("retyped", "key", "a whole number"),
            ),
            (
                "Invoice/getbyid",
                "reply_field",
                {"path": "createDate", "value": "22. Nov 2026"},
                ("format", "createDate", "another form"),
            ),
            (
                "Invoice/getbyid",
                "reply_field",
                {"path": "items.*.quantity", "retype": "text"},
                ("retyped", "items[].quantity", "a text"),
            ),
            ("Invoice/getall", "ignore_paging", {}, ("paging", "listOptions", "they are not")),
        ],
    ),
    (
        "Common",
        [
            (
                "Common/getcurrencies",
                "reply_field",
                {"path": "*.conversionRate", "value": None},
                ("retyped", "conversionRate", "null"),
            )
        ],
    ),
]


@pytest.mark.parametrize(("group", "drifts"), _DRIFTS, ids=[group for group, _ in _DRIFTS])
def test_each_drift_is_found_and_nothing_else(
    lab: Lab, whole: Whole, group: str, drifts: list[_Drift]
) -> None:
    for endpoint, kind, options, _ in drifts:
        lab.control.faults.add(endpoint, kind, **options)

    report = lab.probe(group)

    assert short(report.differences) == sorted((endpoint, *found) for endpoint, _, _, found in drifts)
    assert set(short(report.notes)) <= set(short(whole.report.notes))
    assert not report.same
    assert lab.left() == []


def test_a_drifted_a_missing_and_a_new_thing_at_once_are_found_and_no_more(lab: Lab, whole: Whole) -> None:
    faults = lab.control.faults
    faults.add("Product/getbyid", "reply_field", path="price", retype="text")
    faults.add("Invoice/getbyid", "reply_field", path="url", remove=True)
    faults.add("Customer/insert", "refuse", times=1, skip=2, error_key="NameMissing")

    report = lab.probe("Products", "Invoices", "Customers")

    assert short(report.differences) == [
        ("Customer/insert", "error_key", "", "`NameMissing`"),
        ("Invoice/getbyid", "missing", "url", "not there"),
        ("Product/getbyid", "retyped", "price", "a text"),
    ]
    assert set(short(report.notes)) <= set(short(whole.report.notes))
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
def test_whatever_an_insert_answers_the_object_is_found(lab: Lab, runner: Runner, form: str) -> None:
    """Not documented (contract 10): with no id in the answer it is found by its name."""
    lab.control.settings(insert_reply=form)
    runner.run(SKELETON)
    assert runner.report.differences == []
    assert lab.left() == []
    notes = {(note.endpoint, note.kind) for note in runner.report.notes}
    assert {(f"{kind}/insert", "shape") for kind in KINDS} <= notes


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
