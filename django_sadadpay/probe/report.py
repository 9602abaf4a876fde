"""What was found, endpoint by endpoint. Names of fields, kinds of values and error keys; never a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_sadadpay.gateway.endpoints import Endpoint

Level = Literal["difference", "note"]

#: About what one call was to meet: another call that ends the same way is another difference.
_EACH = frozenset({"accepted", "error_key", "is_valid", "http_status"})

SAME, DIFFERS, NOT_PROBED = "as the table says", "differs", "not probed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the table says.

    :ivar level: ``difference`` (exit code 1), or ``note``: worth knowing, and allowed by the table.
    :ivar kind: for machines: ``missing``, ``retyped``, ``spelling``, ``error_key``, ``paging`` …
    :ivar field: path of the field in the reply, ``""`` where it is not about one.
    :ivar evidence: how well what was expected is known: doc, vendor, observed or assumed.
    :ivar advice: what to do about it; ``""`` where nothing is to be done.
    """

    endpoint: str
    step: str
    level: Level
    kind: str
    field: str
    expected: str
    evidence: str
    came: str
    advice: str = ""

    @property
    def mark(self) -> tuple[str, str, str, str]:
        """What it is about, whichever call showed it."""
        return self.endpoint, self.kind, self.field, self.came

    @property
    def cause(self) -> tuple[str, ...]:
        """The same for findings that several calls of one endpoint give for one reason."""
        return (*self.mark, self.step, self.expected) if self.kind in _EACH else self.mark


@dataclass(slots=True)
class Probed:
    """One endpoint: what was tried, how long it took (seconds), how large the replies were (bytes).

    :ivar refused: of ``done``, those that were to be refused: they alone say nothing about the reply.
    :ivar skipped: what was not tried, with the reason.
    """

    endpoint: str
    group: str
    verb: str
    evidence: str
    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    findings: dict[tuple[str, ...], Finding] = field(default_factory=dict)

    @property
    def differences(self) -> list[Finding]:
        return [finding for finding in self.findings.values() if finding.level == "difference"]

    @property
    def notes(self) -> list[Finding]:
        return [finding for finding in self.findings.values() if finding.level == "note"]

    @property
    def status(self) -> str:
        if self.differences:
            return DIFFERS
        return SAME if len(self.done) > len(self.refused) else NOT_PROBED

    @property
    def milliseconds(self) -> tuple[int, int, int] | None:
        """Least, median, most."""
        if not self.seconds:
            return None
        found = (min(self.seconds), median(self.seconds), max(self.seconds))
        return round(found[0] * 1000), round(found[1] * 1000), round(found[2] * 1000)

    def to_json(self) -> dict[str, Any]:
        times = self.milliseconds
        return {
            "endpoint": self.endpoint,
            "group": self.group,
            "verb": self.verb,
            "evidence": self.evidence,
            "status": self.status,
            "probed": self.done,
            "not_probed": self.skipped,
            "calls": len(self.seconds),
            "ms": dict(zip(("min", "median", "max"), times, strict=True)) if times else None,
            "largest_bytes": max(self.sizes, default=None),
            "findings": [as_json(finding) for finding in self.findings.values()],
        }


@dataclass(slots=True)
class Report:
    """A whole run.

    :ivar started: ISO, UTC. :ivar stopped: why it ended early, else ``""``.
    :ivar unrecorded: why not all replies were recorded, else ``""``.
    :ivar left: what could not be deleted or found again: its kind and the name that it carries.
    """

    run: str
    account: str
    environment: str
    started: str
    seconds: float = 0.0
    stopped: str = ""
    unrecorded: str = ""
    rows: dict[str, Probed] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def fill(self, table: Mapping[str, Endpoint]) -> None:
        """A row for each endpoint."""
        for row in table.values():
            self.rows[row.name] = Probed(row.name, row.group, row.verb, row.evidence)

    def add(self, finding: Finding) -> None:
        """Keep a finding; the same one from another call of the endpoint is not kept twice."""
        self.rows[finding.endpoint].findings.setdefault(finding.cause, finding)

    @property
    def differences(self) -> list[Finding]:
        return [finding for row in self.rows.values() for finding in row.differences]

    @property
    def notes(self) -> list[Finding]:
        return [finding for row in self.rows.values() for finding in row.notes]

    @property
    def same(self) -> bool:
        """All that was probed is as the table says, and nothing was left behind."""
        return not (self.differences or self.left or self.stopped)

    def count(self, status: str) -> int:
        return sum(row.status == status for row in self.rows.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "run": self.run,
            "account": self.account,
            "environment": self.environment,
            "started": self.started,
            "seconds": round(self.seconds, 1),
            "stopped": self.stopped,
            "unrecorded": self.unrecorded,
            "same": self.same,
            "counts": {status: self.count(status) for status in (SAME, DIFFERS, NOT_PROBED)},
            "left": self.left,
            "endpoints": [row.to_json() for row in self.rows.values()],
        }


def as_json(finding: Finding) -> dict[str, str]:
    names = ("step", "level", "kind", "field", "expected", "evidence", "came", "advice")
    return {name: str(getattr(finding, name)) for name in names}


def groups(report: Report) -> Iterator[tuple[str, list[Probed]]]:
    """The rows by group, in the table's order."""
    found: dict[str, list[Probed]] = {}
    for row in report.rows.values():
        found.setdefault(row.group, []).append(row)
    yield from found.items()
