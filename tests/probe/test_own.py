"""Nothing is forgotten, and nothing is touched that is not the probe's own, whatever Sadad answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from django_sadadpay.emulator import billing
from django_sadadpay.gateway import tokens
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.probe import Account, CouldNotRun, Options, cleanup, probe
from django_sadadpay.probe.calling import Caller, Recorder
from django_sadadpay.probe.journal import Journal, Unwritten
from django_sadadpay.probe.looking import Found, Looker
from django_sadadpay.probe.model import Id, Mark, Step
from django_sadadpay.probe.options import head
from django_sadadpay.probe.report import Report
from django_sadadpay.probe.runner import Runner
from tests.probe.conftest import Lab, short

NAME = "probe-0000test-001"
READ = "Customer/getbyid: as it should be"


def intended(lab: Lab) -> Journal:
    """Killed between an insert and its answer."""
    journal = Journal.start(lab.journal, head(lab.account(), lab.options()))
    journal.write(NAME, folder="Customer", text=NAME)
    return journal


# Another account, another token


def test_with_other_keys_nothing_is_cleaned_up_and_the_journal_is_kept(lab: Lab) -> None:
    """They see an account where nothing of it is: all would seem to be deleted."""
    lab.abandon(READ, "Customers")
    lab.control.settings(client_key="ck_other", client_secret="cs_other")
    with pytest.raises(CouldNotRun, match="with another client key"):
        cleanup(lab.account(key="ck_other", secret="cs_other"), lab.journal)
    assert lab.journal.exists()


def test_the_journal_knows_the_account_and_does_not_show_its_key(lab: Lab) -> None:
    intended(lab)
    text = lab.journal.read_text()
    assert lab.account().fingerprint("0000test") in text
    assert lab.emulator.client_key not in text
    assert lab.emulator.client_secret not in text
    assert lab.account().fingerprint("0000test") != lab.account(key="ck_x").fingerprint("0000test")
    assert lab.account().fingerprint("0000test") != lab.account().fingerprint("1111test")


def test_a_refusal_that_may_be_about_the_token_is_no_proof_of_a_deletion(lab: Lab) -> None:
    lab.abandon(READ, "Customers")
    for call in ("getbyid", "getall"):
        lab.control.faults.add(f"Customer/{call}", "unauthorized_200")
    assert len(lab.cleanup()) == len(lab.left()) == 2
    assert lab.journal.exists()


def test_a_refusal_by_id_is_proof_only_with_a_list_that_was_read(lab: Lab) -> None:
    lab.abandon(READ, "Customers")
    lab.control.faults.add("Customer/getbyid", "unauthorized_200")
    assert lab.cleanup() == []
    assert lab.left() == []


def test_a_token_that_cannot_be_renewed_gives_no_reply(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal before it says nothing about the object."""
    monkeypatch.setattr(tokens, "FRESH_SECONDS", -1)
    report = Report("0000test", "default", "sandbox", "now")
    caller = Caller(lab.account(), lab.options(), report.rows, sleep=lab.waits.append)
    report.fill(caller.endpoints)
    assert caller.send("Customer/getall") is not None
    lab.control.faults.add("Customer/getbyid", "unauthorized_200")
    for call in ("Refresh", "Access"):
        lab.control.faults.add(f"User/Generate{call}Token", "error_before")
    assert caller.send("Customer/getbyid", query={"id": 7}) is None


# Inserts that are still at work


def test_an_insert_without_an_answer_is_looked_for_again_after_a_while(lab: Lab) -> None:
    intended(lab)

    def sleep(seconds: float) -> None:
        lab.waits.append(seconds)
        lab.control.create_object("Customer", name=NAME)  # Sadad is done with it only now

    assert cleanup(lab.account(), lab.journal, sleep=sleep) == []
    assert lab.waits == [30.0]
    assert lab.left() == []
    assert not lab.journal.exists()


def test_it_is_waited_for_as_long_as_a_call_may_take(lab: Lab) -> None:
    intended(lab)
    assert cleanup(lab.account(), lab.journal, timeout=45.0, sleep=lab.waits.append) == []
    assert lab.waits == [45.0]


def test_what_may_still_appear_is_told_and_kept(lab: Lab) -> None:
    intended(lab)
    lab.control.faults.add("Customer/getall", "refuse", error_key="Error ")
    assert lab.cleanup() == [f"Customer `{NAME}`; its insert was not answered: it may still appear"]
    assert lab.journal.exists()


def test_stopped_while_it_waits_the_journal_is_kept(lab: Lab) -> None:
    intended(lab)
    with pytest.raises(KeyboardInterrupt):
        cleanup(lab.account(), lab.journal, sleep=_interrupted)
    assert lab.journal.exists()


def _interrupted(_: float) -> None:
    raise KeyboardInterrupt


def test_a_probe_waits_too_for_an_insert_that_got_no_answer(lab: Lab) -> None:
    lab.control.faults.add("Customer/insert", "cut_before", times=1)
    assert lab.probe("Customers").left == []
    assert lab.waits == [30.0]


def test_an_insert_that_was_answered_with_anything_is_not_waited_for(lab: Lab) -> None:
    lab.control.faults.add("Customer/insert", "refuse", error_key="Error ", times=1)
    assert lab.probe("Customers").left == []
    assert lab.waits == []


# A list that is cut short


@dataclass
class Pages:
    """A caller that answers with these pages, one after the other, and then with the last for ever."""

    pages: list[Any]
    asked: list[int] = field(default_factory=list)
    endpoints = ENDPOINTS

    def send(self, name: str, *, query: dict[str, Any]) -> Reply:
        self.asked.append(query["listOptions"]["skip"])
        rows = self.pages[min(len(self.asked), len(self.pages)) - 1]
        return Reply(200, True, True, response=rows)


def _rows(*ids: int, total: object = None) -> list[dict[str, Any]]:
    return [{"id": number, "name": "Somebody", "totalCount": total} for number in ids]


@pytest.mark.parametrize(
    ("pages", "sure", "asked"),
    [
        ([[]], True, [0]),
        ([_rows(1, 2), []], True, [0, 2]),
        ([_rows(1, 2), _rows(3), []], True, [0, 2, 3]),
        ([_rows(1, 2, total=2)], True, [0]),
        ([_rows(1, 2, total=9)], False, [0, 2]),
        ([_rows(1, 2)], False, [0, 2]),
        ([_rows(1, 1, total=2)], False, [0, 2]),
        ([_rows(1, 2), "no list"], False, [0, 2]),
    ],
)
def test_a_list_was_read_to_its_end_only_if_that_is_sure(
    pages: list[Any], sure: bool, asked: list[int]
) -> None:
    caller = Pages(pages)
    found = Looker(caller).by_mark("Customer", NAME)  # type: ignore[arg-type]  # what it needs of a caller
    assert (found.raw, found.sure) == (None, sure)
    assert caller.asked == asked


def test_an_id_that_cannot_be_asked_for_is_left_to_the_list() -> None:
    caller = Caller(Account("ck", "cs"), Options(journal=Path("none")), {})
    assert Looker(caller).by_id("Customer", "\ud800") == Found()


def test_what_has_no_id_is_not_deleted_and_told(lab: Lab) -> None:
    intended(lab)
    lab.control.create_object("Customer", name=NAME)
    lab.control.faults.add("Customer/getall", "reply_field", path="*.id", remove=True)
    assert lab.cleanup() == [f"Customer `{NAME}`"]
    assert lab.calls("Customer/delete") == 0


# Ids that are free again


def test_an_id_that_became_somebody_elses_is_not_deleted(lab: Lab) -> None:
    """Sadad could give a free id to the next customer of the shop."""
    theirs: list[dict[str, Any]] = []

    def say(line: str) -> None:
        if line == "Customer/delete: deleted before":
            lab.control._world.counters["Customer"] = 1
            theirs.append(lab.control.create_object("Customer", name="Somebody"))

    report = lab.probe("Customers", say=say)
    assert theirs[0]["id"] == 1
    assert [row["name"] for row in lab.control.objects("Customer")] == ["Somebody"]
    assert report.rows["Customer/delete"].skipped == {
        "deleted before": "nothing to try it on: its id names something else now"
    }


CUSTOMER = {"name": Mark(), "ref_number": Mark()}
MADE = Step("Customer/insert", values=CUSTOMER, makes="customer", folder="Customer")
NUMBER = {"id": Id("customer")}


@pytest.mark.parametrize("call", ["update", "delete"])
@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Found({"id": 1, "name": "Somebody"}), "its id names something else now"),
        (Found(sure=False), "it cannot be seen what its id names now"),
    ],
)
def test_after_a_deletion_an_id_is_looked_at_before_it_is_used(
    lab: Lab, runner: Runner, call: str, found: Found, why: str
) -> None:
    again = Step(f"Customer/{call}", "again", {**NUMBER, **CUSTOMER}, after="customer")
    runner.run([MADE, Step("Customer/delete", values=NUMBER, ends="customer")])
    with mock.patch.object(Looker, "by_id", return_value=found):
        runner.run([again])
    assert runner.report.rows[f"Customer/{call}"].skipped == {"again": f"nothing to try it on: {why}"}
    assert lab.calls(f"Customer/{call}") == (call == "delete")


# Disks, and faults of our own


def test_an_insert_that_cannot_be_written_down_is_not_sent(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(line: str) -> None:
        if line == "Customer/insert: without name":
            monkeypatch.setattr(Journal, "_append", _unwritten)

    report = lab.probe("Customers", say=say)
    assert report.stopped == "the journal cannot be written"
    assert lab.calls("Customer/insert") == 2
    assert lab.left() == report.left == []


def _unwritten(*_: object) -> None:
    raise Unwritten(28, "the journal cannot be written")


def test_cleaning_up_goes_on_without_its_journal(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.abandon(READ, "Customers")
    monkeypatch.setattr(Journal, "_append", _unwritten)
    assert lab.cleanup() == []
    assert lab.left() == []


def test_what_cannot_be_deleted_keeps_nothing_else_from_it(lab: Lab) -> None:
    lab.abandon(READ, "Customers")
    by_id = Looker.by_id

    def failing(self: Looker, folder: str, number: str) -> Found:
        if number == "2":
            raise ZeroDivisionError
        return by_id(self, folder, number)

    with mock.patch.object(Looker, "by_id", failing):
        (left,) = lab.cleanup()
    assert lab.left() == ["Customer 2"]
    assert f"{left}: ZeroDivisionError" in lab.said
    assert lab.cleanup() == []


def test_nobody_who_listens_keeps_nothing_from_being_deleted(lab: Lab) -> None:
    intended(lab)
    lab.control.create_object("Customer", name=NAME)
    lab.control.faults.add("Customer/delete", "refuse", error_key="NotNow", times=1)

    def say(line: str) -> None:
        raise BrokenPipeError

    lab.control.faults.add("Customer/getall", "refuse", error_key="Error ", times=1)
    assert cleanup(lab.account(), lab.journal, say=say, sleep=lab.waits.append) == []
    assert lab.left() == []


def test_replies_that_cannot_be_recorded_stop_nothing_and_are_told(lab: Lab) -> None:
    keep, kept = Recorder.keep, []

    def failing(self: Recorder, *arguments: Any) -> None:
        kept.append(arguments)
        if len(kept) > 9:
            raise OSError(28, "No space left on device")
        keep(self, *arguments)

    with mock.patch.object(Recorder, "keep", failing):
        report = lab.probe("Customers", record=lab.folder / "kept")
    assert report.unrecorded == "OSError"
    assert report.differences == []
    assert report.left == lab.left() == []
    assert len(kept) == 10


def test_cleaning_up_is_not_recorded(lab: Lab) -> None:
    def say(line: str) -> None:
        if line == READ:
            raise KeyboardInterrupt

    record = lab.folder / "kept"
    lab.probe("Customers", say=say, record=record)
    steps = {json.loads(path.read_text())["step"] for path in record.iterdir()}
    assert "as it should be" in steps
    assert "cleaning up" not in steps


# Contacts that were given, and bills that nobody asked for


def test_a_contact_that_was_given_is_that_of_everything_made(lab: Lab) -> None:
    report = lab.probe("Customers", "Refund", mobile="+96555512345", email="ali@shop.example")
    sent = json.dumps([call.body for call in lab.control.log])
    assert "+96555512345" in sent
    assert "+965000" not in sent
    assert "example.com" not in sent
    assert report.differences == []


def test_bills_of_a_subscription_that_began_too_early_are_cancelled(lab: Lab) -> None:
    """The account spells its start otherwise, so it begins today and is billed at once."""
    account = lab.account(fields={"Subscription/insert": {"start_date": "beginDate"}})
    with mock.patch.object(billing, "cancel_open"):  # nobody knows whether Sadad does that
        report = probe(account, lab.options("Subscription"), sleep=lab.waits.append)
    bills = [row for row in lab.control.invoices() if row["type"] == "Subscription"]
    assert bills
    assert {row["status"] for row in bills} == {"Canceled"}
    assert report.left == lab.left() == []
    assert short(report.differences) != []
