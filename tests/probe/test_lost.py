"""Answers that get lost: nothing is sent twice, and nothing is left behind."""

from __future__ import annotations

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.probe.runner import Runner
from django_sadadpay.probe.steps import chosen
from tests.probe.conftest import SKELETON, Lab, short

_INSERTS = sorted({step.endpoint for step in SKELETON if step.inserts})


def test_each_insert_whose_answer_was_lost_is_found_by_its_name(lab: Lab, runner: Runner) -> None:
    for endpoint in _INSERTS:
        lab.control.faults.add(endpoint, "cut_after", times=1)

    runner.run(SKELETON)

    assert [lab.calls(name) for name in _INSERTS] == [
        sum(step.endpoint == name for step in SKELETON) for name in _INSERTS
    ]
    assert {(finding.endpoint, finding.kind) for finding in runner.report.differences} == {
        (name, "no_answer") for name in _INSERTS
    }
    assert [step for step in SKELETON if step.name not in runner.report.rows[step.endpoint].done] == []
    assert lab.left() == []


@pytest.mark.parametrize(("kind", "found"), [("error_after", "no_answer"), ("unreadable", "no_envelope")])
def test_an_answer_that_says_nothing_is_a_lost_one(lab: Lab, kind: str, found: str) -> None:
    lab.control.faults.add("Customer/insert", kind, times=1)
    usual = sum(step.endpoint == "Customer/insert" for step in chosen({"Customers"}, ENDPOINTS))
    report = lab.probe("Customers")
    assert lab.calls("Customer/insert") == usual
    assert {(finding.endpoint, finding.kind) for finding in report.differences} == {
        ("Customer/insert", found)
    }
    assert "as it should be" in report.rows["Customer/delete"].done
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
