"""The report in both forms."""

from __future__ import annotations

import json
from dataclasses import replace

from django_sadadpay.probe import markdown
from django_sadadpay.probe.report import Finding, Probed, Report
from tests.probe.conftest import Lab


def _finding(level: str = "difference", field: str = "", **changes: str) -> Finding:
    values = {"kind": "missing", "expected": "always there", "came": "not there", "advice": "do | this"}
    return Finding("Cake/getbyid", "a step", level, field=field, evidence="doc", **{**values, **changes})  # type: ignore[arg-type]  # a level


def _report(*findings: Finding) -> Report:
    row = Probed(
        "Cake/getbyid", "Cakes", "GET", "doc", done=["a step"], seconds=[0.010, 0.030, 0.011], sizes=[9, 99]
    )
    other = Probed("Cake/eat", "Cakes", "POST", "doc", skipped={"everything": "not asked for"})
    report = Report(
        "1234",
        "default",
        "sandbox",
        "2026-11-22 20:30 UTC",
        12.34,
        rows={"Cake/getbyid": row, "Cake/eat": other},
    )
    for finding in findings:
        report.add(finding)
    return report


def test_a_row_is_as_the_table_says_differs_or_was_not_probed() -> None:
    report = _report(_finding("note"))
    assert [row.status for row in report.rows.values()] == ["as the table says", "not probed"]
    assert report.same
    assert [row.status for row in _report(_finding()).rows.values()] == ["differs", "not probed"]


def test_refusals_alone_say_nothing_about_the_reply() -> None:
    row = Probed("Cake/bake", "Cakes", "POST", "doc", done=["without flour"], refused=["without flour"])
    assert row.status == "not probed"


def test_the_same_finding_counts_once() -> None:
    report = _report(_finding(), _finding(), _finding(field="id"))
    assert len(report.differences) == 2


def test_two_bad_inserts_that_are_accepted_are_two_differences() -> None:
    report = _report()
    for step, expected in (("without name", "`NameRequired`"), ("without price", "`PriceRequired`")):
        finding = _finding(kind="accepted", expected=expected, came="success")
        report.add(replace(finding, step=step))
        report.add(replace(finding, step=step))
    assert len(report.differences) == 2
    text = markdown(report)
    assert "`NameRequired`" in text
    assert "`PriceRequired`" in text


def test_recordings_that_are_not_all_there_are_told() -> None:
    report = _report()
    report.unrecorded = "OSError"
    assert "**Not all replies were recorded: OSError.**" in markdown(report)
    assert report.to_json()["unrecorded"] == "OSError"


def test_left_behind_or_stopped_is_not_the_same() -> None:
    report = _report()
    report.left = ["Cake `probe-1234-001`"]
    assert not report.same
    assert "**Left in the account**" in markdown(report)
    report = _report()
    report.stopped = "interrupted"
    assert not report.same
    assert "**Stopped early: interrupted.**" in markdown(report)


def test_for_a_person() -> None:
    text = markdown(_report(_finding(field="id"), _finding("note", "a"), _finding("note", "b")))
    assert "Account `default`, environment sandbox, run `1234`, 2026-11-22 20:30 UTC, 12 s." in text
    assert "- 1 differ" in text
    assert "| `Cake/getbyid`, a step | `id` | always there (documented) | not there | do / this |" in text
    assert "| `Cake/getbyid`, a step | `a`, `b` | always there (documented) | not there | do / this |" in text
    assert "| `Cake/getbyid` | **differs** | a step | 10 / 11 / 30 | 99 |" in text
    assert "| `Cake/eat` | everything | not asked for |" in text


def test_without_what_differs_from_run_to_run() -> None:
    text = markdown(_report(), measured=False)
    assert "1234" not in text
    assert "2026" not in text
    assert "| Endpoint | Result | Tried |\n" in text
    assert text.count("None.") == 2


def test_what_was_all_probed_has_no_such_list() -> None:
    report = _report()
    del report.rows["Cake/eat"]
    assert "## Not probed" not in markdown(report)


def test_for_a_machine() -> None:
    report = json.loads(json.dumps(_report(_finding(field="id")).to_json()))
    assert report["version"] == 1
    assert report["same"] is False
    assert report["counts"] == {"as the table says": 0, "differs": 1, "not probed": 1}
    row = report["endpoints"][0]
    assert row["ms"] == {"min": 10, "median": 11, "max": 30}
    assert (row["calls"], row["largest_bytes"]) == (3, 99)
    assert row["findings"][0]["field"] == "id"
    assert report["endpoints"][1]["ms"] is None


def test_a_real_report_holds_no_secret_and_nothing_of_anybody(lab: Lab) -> None:
    lab.control.create("12.500", customer_Name="Ali Baba", customer_Mobile="+96555512345")
    lab.control.create_object("Customer", name="Sara Al-Ali", email="sara@kuwait.example")
    lab.control.faults.add("Customer/getbyid", "reply_field", path="Sara Al-Ali", value="sara@kuwait.example")
    lab.control.faults.add("Invoice/getbyid", "reply_field", path="amount", retype="text")

    report = lab.probe("Customers", "Invoices")

    assert len(report.differences) == 1
    text = markdown(report) + json.dumps(report.to_json()) + "\n".join(lab.said)
    secrets = (*lab.control._world.tokens, lab.emulator.client_key, lab.emulator.client_secret)
    people = ("Ali", "Sara", "55512345", "kuwait.example", "+965", "probe@example.com", "12.5")
    keys = [invoice["key"] for invoice in lab.control.invoices()]
    assert [word for word in (*secrets, *people, *keys) if word in text] == []
