"""--pay: a person pays 0.100 KWD, everything about it is compared, and it is given back once."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.probe import Report, probe
from django_sadadpay.probe.journal import Journal
from django_sadadpay.probe.refunding import refund
from tests.probe.conftest import Lab, short


class Payer:
    """Pays the link that is printed; counts the looks at it before that."""

    def __init__(self, lab: Lab, after: int = 2) -> None:
        self.lab, self.after, self.links = lab, after, list[str]()

    def hear(self, line: str) -> None:
        self.links += re.findall(r"http\S+/pay/(\d+)", line)

    def sleep(self, _: float) -> None:
        self.after -= 1
        if self.after == 0:
            self.lab.control.pay(self.links[0][8:])


def _run(lab: Lab, payer: Payer, groups: tuple[str, ...] = ("Refund",), **changes: Any) -> Report:
    options = lab.options(*groups, pay=True, **changes)
    return probe(lab.account(), options, say=payer.hear, sleep=payer.sleep)


def test_what_was_paid_is_compared_and_refunded_once(lab: Lab) -> None:
    payer = Payer(lab)
    report = _run(lab, payer, ("Refund", "Invoices"), amount=Decimal("0.150"))

    assert report.differences == []
    assert report.left == []
    assert report.rows["Refund/insert"].status == "as the table says"
    assert report.rows["Refund/getall"].status == "as the table says"
    assert report.rows["Invoice/getbyid"].skipped == {}
    (row,) = lab.control.refunds()
    assert row["amount"] == 0.15
    assert lab.left() == [f"Invoice {row['invoice_id']}"]
    assert lab.control.invoice(row["invoice_id"])["status"] == "Refunded"
    assert not lab.journal.exists()


def test_a_field_that_only_a_paid_invoice_shows_is_compared(lab: Lab) -> None:
    faults = lab.control.faults
    faults.add("Invoice/getbyid", "reply_field", path="transactions.*.transactionId", retype="number")
    faults.add("Refund/getall", "reply_field", path="*.amount", retype="text")
    assert short(_run(lab, Payer(lab)).differences) == [
        ("Invoice/getbyid", "retyped", "transactions[].transactionId", "a whole number"),
        ("Refund/getall", "retyped", "amount", "a text"),
    ]


def test_nobody_pays(lab: Lab) -> None:
    report = _run(lab, Payer(lab, after=0), wait=0.0)
    assert report.rows["Invoice/getbyid"].skipped["paid"] == "nobody paid within 0 s"
    assert report.rows["Refund/insert"].skipped == {
        "of what was paid": "nothing to try it on: payment could not be made"
    }
    assert lab.control.refunds() == []
    assert lab.left() == []


@pytest.mark.parametrize("kind", ["cut_after", "error_after"])
def test_a_refund_whose_answer_was_lost_is_never_sent_again(lab: Lab, kind: str) -> None:
    lab.control.faults.add("Refund/insert", kind, skip=2)
    report = _run(lab, Payer(lab))
    assert ("Refund/insert", "no_answer") in {finding[:2] for finding in short(report.differences)}
    assert len(lab.control.refunds()) == 1
    assert report.left == []  # the invoice itself shows that it was refunded


def test_a_refund_that_may_not_have_arrived_is_left_to_a_person(lab: Lab) -> None:
    lab.control.faults.add("Refund/insert", "cut_before", skip=2)
    report = _run(lab, Payer(lab))
    assert lab.control.refunds() == []
    (line,) = report.left
    assert re.fullmatch(r"Invoice `probe-0000test-\d+`; whether its refund was made must be looked at", line)
    lab.control.faults.clear()
    assert lab.cleanup() == report.left
    assert lab.control.refunds() == []


def test_a_refund_that_is_refused_is_not_asked_for_again(lab: Lab) -> None:
    payer = Payer(lab)

    def sleep(seconds: float) -> None:
        payer.sleep(seconds)
        lab.control.balance = 0

    options = lab.options("Refund", pay=True)
    report = probe(lab.account(), options, say=payer.hear, sleep=sleep)
    assert ("Refund/insert", "refused") in {finding[:2] for finding in short(report.differences)}
    (line,) = report.left
    assert line.endswith("; it was paid and not given back: refund it in the panel")
    calls = lab.calls("Refund/insert")
    lab.control.balance = 1000
    assert lab.cleanup() == [line]
    assert lab.calls("Refund/insert") == calls


def test_interrupted_after_the_payment_it_gives_the_money_back(lab: Lab) -> None:
    payer = Payer(lab)

    def say(line: str) -> None:
        payer.hear(line)
        if line == "Refund/insert: of what was paid":
            raise KeyboardInterrupt

    report = probe(lab.account(), lab.options("Refund", pay=True), say=say, sleep=payer.sleep)
    assert report.stopped
    assert [row["amount"] for row in lab.control.refunds()] == [0.1]
    assert report.left == []


def test_interrupted_while_it_waits_nobody_can_pay_any_more(lab: Lab) -> None:
    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    report = probe(lab.account(), lab.options("Refund", pay=True), sleep=sleep)
    assert report.stopped
    assert lab.left() == []
    assert lab.control.refunds() == []


def test_an_invoice_that_somebody_paid_unasked_is_left_to_a_person(lab: Lab) -> None:
    def say(line: str) -> None:
        if line == "Invoice/delete: as it should be":
            for invoice in lab.control.invoices():
                lab.control.pay(invoice["id"])

    report = lab.probe("Refund", say=say)
    assert lab.control.refunds() == []
    assert len(report.left) == len(lab.control.invoices()) == 1
    why = "; it was paid, though nobody was asked to, and not given back: refund it in the panel"
    assert report.left[0].endswith(why)
    assert f"left: {report.left[0]}" in lab.said


@pytest.mark.parametrize("kind", ["unauthorized_401", "rate_limited"])
def test_a_refund_that_was_turned_away_unread_is_asked_for_while_cleaning_up(lab: Lab, kind: str) -> None:
    lab.control.faults.add("Refund/insert", kind, skip=3, times=4 if kind == "rate_limited" else 1)
    report = _run(lab, Payer(lab))
    assert len(lab.control.refunds()) == 1
    assert report.left == []


def test_a_paid_invoice_is_known_in_the_accounts_own_spelling(lab: Lab) -> None:
    """Else it would be waited for, or deleted."""
    lab.control.faults.add("Invoice/getbyid", "reply_field", path="status", remove=True)
    lab.control.faults.add("Invoice/getbyid", "reply_field", path="state", value="Paid")
    account = lab.account(fields={"Invoice/getbyid": {"reply.status": "state"}})
    payer = Payer(lab)
    report = probe(account, lab.options("Refund", pay=True), say=payer.hear, sleep=payer.sleep)
    assert "paid" in report.rows["Invoice/getbyid"].done
    assert lab.calls("Refund/insert") > 0
    assert report.left
    assert all("; it was paid" in line for line in report.left)


def test_an_invoice_without_a_pay_link_is_not_waited_for(lab: Lab) -> None:
    for name in ("url", "key"):
        lab.control.faults.add("Invoice/getbyid", "reply_field", path=name, value="")
    report = _run(lab, Payer(lab), wait=0.0)
    why = "nothing to pay: the invoice shows neither its address nor its key"
    assert report.rows["Invoice/getbyid"].skipped["paid"] == why
    assert lab.left() == []


def test_a_refund_is_only_ever_of_what_the_probe_was_paid(lab: Lab) -> None:
    journal = Journal.start(lab.journal, {})
    journal.write("mark", folder="Invoice", text="mark", state="made", id="7")
    with pytest.raises(AssertionError, match="only of what the probe was paid"):
        refund(None, journal, journal.entries["mark"])  # type: ignore[arg-type]  # no call may be made
