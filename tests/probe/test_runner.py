"""Single steps against the emulator: what the table of steps does not come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from django_sadadpay.gateway import paging
from django_sadadpay.gateway.errors import InvalidRequest
from django_sadadpay.probe import looking
from django_sadadpay.probe.comparing import Expected
from django_sadadpay.probe.looking import Looker
from django_sadadpay.probe.model import Amount, Filter, Id, Key, Mark, Seen, Step
from django_sadadpay.probe.runner import Runner
from tests.probe.conftest import Lab, short

CUSTOMER = {"name": Mark(), "ref_number": Mark()}
INVOICE = {"customer_name": Mark(), "amount": Amount(), "ref_number": Mark()}
FILTER = Step("Customer/getall", "filter name", filter=Filter("name", "Nobody"))
MADE = Step("Customer/insert", values=CUSTOMER, makes="customer", folder="Customer")


def test_a_bad_insert_that_is_accepted_is_a_difference_and_deleted_again(lab: Lab, runner: Runner) -> None:
    refused = Expected(("CustomerRefNumberRequired",))
    step = Step(
        "Customer/insert", "without ref_number", CUSTOMER, refused, without="ref_number", folder="Customer"
    )
    runner.run([step])
    assert short(runner.report.differences) == [("Customer/insert", "accepted", "", "success")]
    assert len(lab.left()) == 1


def test_a_refusal_with_an_unknown_key_proves_nothing_and_is_looked_after(lab: Lab, runner: Runner) -> None:
    lab.control.faults.add("Customer/insert", "refuse", error_key="Error ")
    runner.run([MADE])
    assert runner.journal.entries["probe-0000test-001"].state == "answered"
    assert lab.calls("Customer/getall") >= 1


def test_a_thing_in_use_that_is_deleted_all_the_same_is_not_deleted_twice(lab: Lab, runner: Runner) -> None:
    number = {"id": Id("customer")}
    in_use = Expected(("CustomerCannotBeDeleted",))
    runner.run(
        [
            MADE,
            Step("Customer/delete", "in use", number, in_use, ends="customer"),
            Step("Customer/delete", values=number, ends="customer"),
        ]
    )
    row = runner.report.rows["Customer/delete"]
    assert short(row.differences) == [("Customer/delete", "accepted", "", "success")]
    assert row.skipped == {"as it should be": "it was deleted by an earlier call"}
    assert lab.calls("Customer/delete") == 1


def test_what_must_be_deleted_first_and_is_not(runner: Runner) -> None:
    after = Step("Customer/getbyid", "deleted", {"id": Id("customer")}, after="customer")
    runner.run([MADE, after])
    assert runner.report.rows["Customer/getbyid"].skipped == {
        "deleted": "nothing to try it on: customer could not be deleted"
    }


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Seen("customer", ("cakes", "id")), "nothing to try it on: customer shows no id"),
        (Seen("customer", ("key",)), "nothing to try it on: customer shows no key"),
    ],
)
def test_what_is_not_shown_cannot_be_sent(runner: Runner, value: Any, why: str) -> None:
    runner.run([MADE, Step("Customer/getbyid", values={"id": value})])
    assert runner.report.rows["Customer/getbyid"].skipped == {"as it should be": why}


def test_a_thing_without_a_key(runner: Runner) -> None:
    runner.run([MADE, Step("PaymentLink/getbykey", values={"key": Key("customer")})])
    why = "nothing to try it on: customer has no key"
    assert runner.report.rows["PaymentLink/getbykey"].skipped == {"as it should be": why}


def test_something_that_can_be_found_neither_by_its_id_nor_by_its_name(lab: Lab, runner: Runner) -> None:
    for call in ("getbyid", "getall"):
        lab.control.faults.add(f"Customer/{call}", "refuse", error_key="Error ")
    runner.run([MADE])
    assert short(runner.report.differences) == [("Customer/insert", "not_found", "", "it cannot be found")]
    assert "customer" not in runner.things
    assert runner.journal.entries["probe-0000test-001"].state == "made"
    lab.control.faults.clear()


def test_an_envelope_with_an_error_status_is_compared(lab: Lab, runner: Runner) -> None:
    lab.control.faults.add("Common/getcurrencies", "refuse", error_key="Broken", status=500)
    runner.run([Step("Common/getcurrencies", rows=True)])
    assert short(runner.report.differences) == [("Common/getcurrencies", "refused", "", "refused: `Broken`")]


def test_a_list_that_is_none_is_said_by_the_trials_too(lab: Lab, runner: Runner) -> None:
    lab.control.faults.add("Customer/getall", "refuse", error_key="Nope")
    runner.run([Step("Customer/getall", "page by page", pages=True)])
    assert short(runner.report.differences) == [("Customer/getall", "refused", "", "refused: `Nope`")]


def test_turned_away_for_good(lab: Lab, runner: Runner) -> None:
    lab.control.faults.add("Common/getcurrencies", "rate_limited", retry_after=None)
    runner.run([Step("Common/getcurrencies", rows=True)])
    assert [found.kind for found in runner.report.differences] == ["turned_away"]
    assert lab.waits == [2.0, 4.0, 6.0]


def test_a_long_list_is_read_page_after_page(
    lab: Lab, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "TAKE", 5)
    for number in range(10, 23):
        lab.control.create_object("Customer", name=f"Somebody {number}")
    looker = Looker(runner.caller)
    assert looker.by_mark("Customer", "Somebody 10").raw is not None
    assert lab.calls("Customer/getall") == 3
    missing = looker.by_mark("Customer", "probe-x")
    assert (missing.raw, missing.sure) == (None, True)
    lab.control.reset()


def test_a_list_without_an_end_proves_nothing(
    lab: Lab, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_PAGES", 1)
    monkeypatch.setattr(paging, "TAKE", 5)
    for number in range(6):
        lab.control.create_object("Customer", name=f"Somebody {number}")
    missing = Looker(runner.caller).by_mark("Customer", "probe-x")
    assert (missing.raw, missing.sure) == (None, False)
    lab.control.reset()


def test_what_we_cannot_send_is_a_fault_of_ours(runner: Runner) -> None:
    with pytest.raises(InvalidRequest):
        runner.caller.send("Invoice/getbyid", query={"id": 1.5})


@pytest.mark.parametrize("trial", [Step("Customer/getall", "page by page", pages=True), FILTER])
def test_a_trial_whose_answer_is_lost(lab: Lab, runner: Runner, trial: Step) -> None:
    lab.control.faults.add("Customer/getall", "cut_before", times=3)
    runner.run([trial])
    assert short(runner.report.differences) == [("Customer/getall", "no_answer", "", "no answer")]


def test_an_invoice_that_cannot_be_read_while_a_payment_is_waited_for(lab: Lab, runner: Runner) -> None:
    ask = Step("Invoice/insert", values=INVOICE, makes="asked", folder="Invoice", act="ask")
    wait = Step("Invoice/getbyid", values={"id": Id("asked")}, reads="asked", makes="paid", act="paid")
    runner.run([ask])
    lab.control.faults.add("Invoice/getbyid", "refuse", error_key="Error ", times=1)
    runner.options = replace(runner.options, wait=0.0)
    runner.run([wait])
    assert runner.report.rows["Invoice/getbyid"].skipped == {"as it should be": "nobody paid within 0 s"}


def test_a_list_that_ignores_paging_is_not_read_for_ever_and_proves_nothing(lab: Lab, runner: Runner) -> None:
    lab.control.faults.add("Customer/getall", "ignore_paging")
    lab.control.create_object("Customer", name="Somebody")
    assert Looker(runner.caller).by_mark("Customer", "Somebody").raw is not None
    missing = Looker(runner.caller).by_mark("Customer", "probe-x")
    assert (missing.raw, missing.sure) == (None, False)
    assert lab.calls("Customer/getall") == 3
    lab.control.reset()


@pytest.mark.parametrize(
    ("endpoint", "path", "value"),
    [
        ("Invoice/getbyid", "code", {"a": 1}),
        ("InstallmentPlan/getbyid", "installments.*.id", "x"),
    ],
)
def test_what_cannot_be_sent_back_is_a_difference_and_no_end(
    lab: Lab, endpoint: str, path: str, value: Any
) -> None:
    lab.control.faults.add(endpoint, "reply_field", path=path, value=value)
    report = lab.probe("Invoices")
    assert "unsendable" in {found.kind for found in report.differences}
    assert "as it should be" in report.rows["Invoice/delete"].done
    assert report.left == []
    assert lab.left() == []


def test_ids_of_another_form_end_nothing_and_are_told(lab: Lab) -> None:
    for call, path in (("insert", "id"), ("getbyid", "id"), ("getall", "*.id")):
        lab.control.faults.add(f"ProductCategory/{call}", "reply_field", path=path, value="3f2a9c1e-aaaa")
    report = lab.probe("Categories")
    assert ("ProductCategory/delete", "unsendable") in {mark[:2] for mark in short(report.differences)}
    assert len(report.left) == len(lab.left()) == 2
    assert lab.journal.exists()


def test_an_insert_that_cannot_be_sent_made_nothing(runner: Runner) -> None:
    runner.run([replace(MADE, body={"name": 1.5})])
    assert short(runner.report.differences) == [
        ("Customer/insert", "unsendable", "body.name", "a value that cannot be")
    ]
    assert [entry.state for entry in runner.journal.entries.values()] == ["refused"]


def test_an_insert_that_was_turned_away_made_nothing(lab: Lab, runner: Runner) -> None:
    lab.control.faults.add("Customer/insert", "rate_limited", retry_after=None)
    runner.run([MADE])
    assert [entry.state for entry in runner.journal.entries.values()] == ["refused"]


def test_a_list_with_nothing_in_it_shows_nothing(lab: Lab, runner: Runner) -> None:
    lab.control.faults.add("Common/getcurrencies", "refuse", error_key="", is_valid=True)
    runner.run([Step("Common/getcurrencies", rows=True)])
    row = runner.report.rows["Common/getcurrencies"]
    assert row.skipped == {"as it should be": "nothing to try it on: the list is empty"}
    assert row.status == "not probed"
