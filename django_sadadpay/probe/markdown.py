"""The report for a person, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django_sadadpay.probe.report import DIFFERS, NOT_PROBED, SAME, Finding, Probed, Report, groups

_EVIDENCE = {"doc": "documented", "vendor": "vendor's code", "observed": "observed", "assumed": "assumed"}


def text(report: Report, *, measured: bool = True) -> str:
    """The whole report.

    :param measured: False leaves out what differs from run to run: date, name of the run, times, sizes.
    """
    return "\n".join(_lines(report, measured)) + "\n"


def _lines(report: Report, measured: bool) -> Iterator[str]:
    yield "# What Sadad's API answered"
    yield ""
    yield from _summary(report, measured)
    yield from _left(report.left)
    yield from _findings("Differences", report.differences)
    yield from _endpoints(report, measured)
    yield from _findings("Notes", report.notes)
    yield from _skipped(report)


def _summary(report: Report, measured: bool) -> Iterator[str]:
    where = f"Account `{report.account}`, environment {report.environment}"
    yield (
        f"{where}, run `{report.run}`, {report.started}, {report.seconds:.0f} s." if measured else f"{where}."
    )
    yield ""
    if report.stopped:
        yield f"**Stopped early: {report.stopped}.** What follows is what was seen until then."
        yield ""
    if report.unrecorded:
        yield f"**Not all replies were recorded: {report.unrecorded}.**"
        yield ""
    yield f"- {report.count(SAME)} endpoints answered as the table says"
    yield f"- {report.count(DIFFERS)} differ"
    yield f"- {report.count(NOT_PROBED)} were not probed"
    yield ""


def _left(left: list[str]) -> Iterator[str]:
    if left:
        yield "**Left in the account**, to be looked for and deleted in the panel by name:"
        yield ""
        yield from (f"- {line}" for line in left)
        yield ""


def _findings(title: str, findings: Iterable[Finding]) -> Iterator[str]:
    rows = [_finding(alike) for alike in _alike(findings)]
    yield f"## {title}"
    yield ""
    if not rows:
        yield "None."
    else:
        yield "| Endpoint | Field | Expected | Came | What to do |"
        yield "| --- | --- | --- | --- | --- |"
        yield from rows
    yield ""


def _alike(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Notes that differ in nothing but the field go in one line."""
    found: dict[object, list[Finding]] = {}
    for finding in findings:
        alone = finding.cause if finding.level == "difference" or len(finding.cause) > 4 else ()
        mark = (finding.endpoint, finding.kind, finding.came, finding.evidence, alone)
        found.setdefault(mark, []).append(finding)
    yield from found.values()


def _finding(alike: list[Finding]) -> str:
    finding = alike[0]
    named = ", ".join(f"`{each.field}`" for each in alike if each.field)
    wanted = finding.expected if len({each.expected for each in alike}) == 1 else "there"
    expected = f"{wanted} ({_EVIDENCE.get(finding.evidence, finding.evidence)})"
    where = f"`{finding.endpoint}`, {finding.step}"
    cells = (where, named, expected, finding.came, finding.advice or "nothing")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _endpoints(report: Report, measured: bool) -> Iterator[str]:
    yield "## Endpoints"
    yield ""
    for group, rows in groups(report):
        yield f"### {group}"
        yield ""
        columns = (
            "Endpoint",
            "Result",
            "Tried",
            *(("ms least / median / most", "Bytes") if measured else ()),
        )
        yield f"| {' | '.join(columns)} |"
        yield f"| {' | '.join('---' for _ in columns)} |"
        yield from (_endpoint(row, measured) for row in rows)
        yield ""


def _endpoint(row: Probed, measured: bool) -> str:
    times = row.milliseconds
    measures = (
        " / ".join(map(str, times)) if times else "",
        str(max(row.sizes)) if row.sizes else "",
    )
    tried = ", ".join(row.done) if row.status != NOT_PROBED else next(iter(row.skipped.values()), "")
    cells = (f"`{row.endpoint}`", _bold(row.status), tried, *(measures if measured else ()))
    return f"| {' | '.join(cells)} |"


def _bold(status: str) -> str:
    return f"**{status}**" if status == DIFFERS else status


def _skipped(report: Report) -> Iterator[str]:
    rows = [(row.endpoint, step, why) for row in report.rows.values() for step, why in row.skipped.items()]
    if not rows:
        return
    yield "## Not probed"
    yield ""
    yield "| Endpoint | What | Why |"
    yield "| --- | --- | --- |"
    yield from (f"| `{endpoint}` | {step} | {why} |" for endpoint, step, why in rows)
    yield ""
