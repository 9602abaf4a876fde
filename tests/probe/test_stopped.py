"""Stopped half-way, in every way that a process can be: nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.probe import CouldNotRun, cleanup, probe
from django_sadadpay.probe.journal import Journal
from django_sadadpay.probe.options import head
from django_sadadpay.probe.runner import Runner
from tests.probe.conftest import Lab

ROOT = Path(__file__).resolve().parents[2]


def _stop_at(line: str, error: BaseException) -> object:
    def say(said: str) -> None:
        if said == line:
            raise error

    return say


STOPS = [
    "ProductCategory/insert: a second one",
    "Product/insert: without name_en",
    "ProductLink/getbykey: as it should be",
    "Invoice/createpaymentlinkinvoice: as it should be",
    "Subscription/getall: filter status",
    "Invoice/insert: a second one",
    "Invoice/delete: deleted before",
    "SubscriptionTemplate/delete: as it should be",
]


@pytest.mark.parametrize("line", STOPS)
def test_interrupted_it_deletes_what_it_made_and_reports_what_it_saw(lab: Lab, line: str) -> None:
    endpoint, _, name = line.partition(": ")
    group = ENDPOINTS[endpoint].group
    report = lab.probe(group, say=_stop_at(line, KeyboardInterrupt()))  # type: ignore[arg-type]  # raises only
    assert report.stopped == "interrupted"
    assert not report.same
    assert name not in report.rows[endpoint].done
    assert report.rows["Common/getcurrencies"].skipped == {"everything": "stopped before"}
    assert len([step for row in report.rows.values() for step in row.done]) == len(lab.said) - 1
    assert lab.left() == []
    assert not lab.journal.exists()


def test_stopped_as_the_walk_ends_it_still_deletes_what_it_made(lab: Lab) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with mock.patch.object(Runner, "_ended"):  # so that everything is left to the cleaning
        report = probe(lab.account(), lab.options("Customers"), before_cleaning=stop)
    assert report.stopped == "interrupted"
    assert report.left == lab.left() == []


def test_a_fault_of_our_own_is_raised_again_when_everything_is_deleted(lab: Lab) -> None:
    stop = _stop_at("Customer/getbyid: as it should be", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        lab.probe("Customers", say=stop)  # type: ignore[arg-type]  # raises only
    assert lab.left() == []
    assert not lab.journal.exists()


_PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from django_sadadpay.probe import Account, Options, probe

key, secret, api_url, journal, line, number = sys.argv[1:]

def say(said):
    if said == line:
        os.kill(os.getpid(), int(number))

options = Options(journal=Path(journal), run="0000test", only={"Invoices"})
probe(Account(key, secret, api_url=api_url), options, say=say)
"""


def _killed(lab: Lab, line: str, number: int) -> int:
    account = (lab.emulator.client_key, lab.emulator.client_secret, lab.emulator.api_url)
    arguments = [*account, str(lab.journal), line, str(number)]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
        capture_output=True,
    )
    return done.returncode


def test_killed_outright_it_leaves_a_journal_by_which_everything_is_deleted(lab: Lab) -> None:
    assert _killed(lab, "Invoice/getbyid: as it should be", signal.SIGKILL) == -signal.SIGKILL
    assert len(lab.left()) > 5

    assert lab.cleanup() == []

    assert lab.left() == []
    assert not lab.journal.exists()


def test_killed_between_an_insert_and_its_answer_it_is_found_by_its_name(lab: Lab) -> None:
    """The journal then has the intent alone."""
    made = lab.control.create_object("Customer", name="probe-0000test-001")
    other = lab.control.create_object("Customer", name="Somebody")
    journal = Journal.start(lab.journal, _head(lab))
    journal.write("probe-0000test-001", folder="Customer", text="probe-0000test-001")
    journal.write("probe-0000test-002", folder="Product", text="probe-0000test-002")

    assert lab.cleanup() == []

    assert [row["id"] for row in lab.control.objects("Customer")] == [other["id"]]
    assert made["id"] != other["id"]


def test_cleaning_up_deletes_nothing_that_does_not_carry_its_own_name(lab: Lab) -> None:
    other = lab.control.create_object("Customer", name="Somebody")
    journal = Journal.start(lab.journal, _head(lab))
    journal.write("probe-0000test-001", folder="Customer", text="probe-0000test-001")
    journal.write("probe-0000test-001", state="made", id=str(other["id"]))

    assert lab.cleanup() == []
    assert len(lab.control.objects("Customer")) == 1


def test_cleaning_up_twice_is_harmless(lab: Lab) -> None:
    lab.abandon("Customer/getbyid: as it should be", "Customers")
    text = lab.journal.read_text()
    lab.cleanup()
    lab.journal.write_text(text)
    assert lab.cleanup() == []
    assert lab.left() == []


def test_a_journal_of_another_environment_is_not_used(lab: Lab) -> None:
    Journal.start(lab.journal, {**_head(lab), "api_url": "https://elsewhere.example/api"})
    with pytest.raises(CouldNotRun, match="another environment or API address"):
        cleanup(lab.account(), lab.journal)


def test_without_a_journal_there_is_nothing_to_clean_up(lab: Lab) -> None:
    with pytest.raises(CouldNotRun, match="cannot be read: FileNotFoundError"):
        cleanup(lab.account(), lab.journal)
    lab.journal.write_text("shopping list\nmilk\n")
    with pytest.raises(CouldNotRun, match=r"probe\.journal is no journal of a probe"):
        cleanup(lab.account(), lab.journal)


def test_what_sadad_will_not_delete_is_told_and_the_journal_kept(lab: Lab) -> None:
    lab.abandon("Customer/getbyid: as it should be", "Customers")
    lab.control.faults.add("Customer/delete", "refuse", error_key="NotNow")
    lab.said.clear()
    left = lab.cleanup()
    assert {line.split()[0] for line in left} == {"Customer"}
    assert lab.said == [f"left: {line}" for line in left]
    assert lab.journal.exists()


def test_when_nothing_can_be_looked_at_nothing_is_taken_for_deleted(lab: Lab) -> None:
    lab.abandon("Customer/getbyid: as it should be", "Customers")
    before = lab.left()
    for call in ("getbyid", "getall"):
        lab.control.faults.add(f"Customer/{call}", "refuse", error_key="Error ")
    left = lab.cleanup()
    assert [line for line in left if line.startswith("Customer")] == left
    assert len(left) == len([row for row in before if row.startswith("Customer ")])
    assert len(lab.left()) == len(left)


def _head(lab: Lab) -> dict[str, str]:
    return dict(head(lab.account(), lab.options()))
