"""Answers that get lost: nothing is sent twice, and nothing is left behind."""

from __future__ import annotations

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.probe.steps import chosen
from tests.probe.conftest import Lab, short

_INSERTS = [
    (row.group, name)
    for name, row in ENDPOINTS.items()
    if name.endswith("/insert") and name != "Refund/insert"
]


@pytest.mark.parametrize(
    ("group", "endpoint", "kind"),
    [
        *((*each, "cut_after") for each in _INSERTS),
        ("Payment Links", "PaymentLink/insert", "error_after"),
        ("Customers", "Customer/insert", "unreadable"),
    ],
)
def test_an_insert_whose_answer_was_lost_is_found_by_its_name(
    lab: Lab, group: str, endpoint: str, kind: str
) -> None:
    usual = sum(step.endpoint == endpoint and not step.gate for step in chosen({group}, ENDPOINTS))
    lab.control.faults.add(endpoint, kind, times=1)

    report = lab.probe(group)

    assert lab.calls(endpoint) == usual
    assert {(finding.endpoint, finding.kind) for finding in report.differences} == {
        (endpoint, "no_envelope" if kind == "unreadable" else "no_answer")
    }
    assert "as it should be" in report.rows[endpoint.replace("insert", "delete")].done
    assert lab.left() == []


@pytest.mark.parametrize("kind", ["cut_before", "error_before"])
def test_an_insert_that_never_arrived_is_looked_for_and_not_sent_again(lab: Lab, kind: str) -> None:
    lab.control.faults.add("Customer/insert", kind, times=1, skip=1)
    report = lab.probe("Customers")
    assert {(finding.endpoint, finding.kind) for finding in report.differences} == {
        ("Customer/insert", "no_answer")
    }
    assert report.rows["Customer/delete"].skipped == {
        "the second one": "nothing to try it on: customer_2 could not be made"
    }
    assert lab.left() == []


@pytest.mark.parametrize("kind", ["cut_after", "cut_before", "error_after"])
def test_a_deletion_whose_answer_was_lost_is_looked_at_before_it_is_asked_for_again(
    lab: Lab, kind: str
) -> None:
    lab.control.faults.add("PaymentLink/delete", kind, times=1)
    report = lab.probe("Payment Links")
    assert short(report.differences)[0][:2] == ("PaymentLink/delete", "no_answer")
    assert len(report.differences) == 1
    done = [call for call in lab.control.log if call.endpoint == "PaymentLink/delete" and call.done]
    assert len(done) == 2
    assert lab.left() == []


def test_an_update_whose_answer_was_lost_is_not_taken_for_one_that_did_nothing(lab: Lab) -> None:
    lab.control.faults.add("Customer/update", "cut_after", times=1)
    report = lab.probe("Customers")
    assert short(report.differences) == [("Customer/update", "no_answer", "", "no answer")]


def test_a_list_that_does_not_answer(lab: Lab) -> None:
    lab.control.faults.add("Customer/getall", "cut_before", times=3)  # a read is repeated twice
    report = lab.probe("Customers")
    assert short(report.differences) == [("Customer/getall", "no_answer", "", "no answer")]
    assert lab.left() == []


def test_every_answer_of_one_group_may_be_lost_and_nothing_stays(lab: Lab) -> None:
    """All writes are done and none is answered: what was made is found and deleted all the same."""
    for call in ("insert", "update", "delete"):
        lab.control.faults.add(f"Customer/{call}", "cut_after")
    report = lab.probe("Customers")
    assert lab.left() == []
    assert report.left == []
