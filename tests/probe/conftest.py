"""A probe of the emulator over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from django_sadadpay.emulator import Emulator
from django_sadadpay.gateway.transport import Transport
from django_sadadpay.probe import Account, Finding, Options, Report, cleanup, probe
from django_sadadpay.probe.calling import Caller
from django_sadadpay.probe.cleaning import Cleaner
from django_sadadpay.probe.journal import Journal
from django_sadadpay.probe.runner import Runner
from django_sadadpay.probe.steps import STEPS

RUN = "0000test"
KINDS = (
    "ProductCategory",
    "Product",
    "ProductLink",
    "PaymentLink",
    "Customer",
    "SubscriptionTemplate",
    "Subscription",
    "SubscriptionLink",
    "InstallmentPlan",
)


@dataclass
class Lab:
    """An emulator and what is done with it. ``said`` are the lines of the last run."""

    emulator: Emulator
    folder: Path
    said: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def control(self) -> Any:
        return self.emulator.control

    @property
    def journal(self) -> Path:
        return self.folder / "probe.journal"

    def account(self, **changes: Any) -> Account:
        known = {
            "key": self.emulator.client_key,
            "secret": self.emulator.client_secret,
            "api_url": self.emulator.api_url,
            "pay_url": self.emulator.pay_url,
        }
        return Account(**{**known, **changes})

    def options(self, *only: str, **changes: Any) -> Options:
        return Options(**{"journal": self.journal, "only": frozenset(only), "run": RUN, **changes})

    def probe(self, *only: str, say: Callable[[str], None] | None = None, **changes: Any) -> Report:
        self.said.clear()

        def hear(line: str) -> None:
            self.said.append(line)
            if say is not None:
                say(line)

        return probe(self.account(), self.options(*only, **changes), say=hear, sleep=self.waits.append)

    def cleanup(self) -> list[str]:
        return cleanup(self.account(), self.journal, say=self.said.append, sleep=self.waits.append)

    def abandon(self, line: str, *only: str) -> None:
        """A run that ends at this line as if it had been killed: nothing is cleaned up."""

        def say(said: str) -> None:
            if said == line:
                raise KeyboardInterrupt

        with mock.patch.object(Cleaner, "clean", return_value=[]):
            assert self.probe(*only, say=say).stopped

    def left(self) -> list[str]:
        """What stands in the account, invoices that can still be paid included."""
        objects = [f"{kind} {row['id']}" for kind in KINDS for row in self.control.objects(kind)]
        return objects + [f"Invoice {row['id']}" for row in self.control.invoices() if not row["deleted"]]

    def calls(self, endpoint: str) -> int:
        return sum(call.endpoint == endpoint for call in self.control.log)


@pytest.fixture(autouse=True)
def _repeats_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that was not answered is repeated; what is waited before is not the probe's business."""
    defaults = Transport.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "pause", 0.001)


@pytest.fixture
def runner(lab: Lab) -> Iterator[Runner]:
    """Walks single steps; what they leave is cleaned up."""
    options = lab.options()
    report = Report(RUN, "default", "sandbox", "now")
    caller = Caller(lab.account(), options, report.rows, sleep=lab.waits.append)
    report.fill(caller.endpoints)
    journal = Journal.start(lab.journal, {"run": RUN})
    yield Runner(caller, journal, report, options, live=False, today=date(2026, 11, 22), say=lab.said.append)
    Cleaner(caller, journal, lab.said.append, pause=0.0).clean()
    assert lab.left() == []


#: Everything made and deleted, and nothing else tried.
SKELETON = tuple(
    step for step in STEPS if (step.makes or step.ends) and not (step.expect.keys or step.gate or step.filter)
)
#: What the account of the whole walk holds before.
THEIRS: dict[str, dict[str, Any]] = {
    "ProductCategory": {"nameEn": "Cakes"},
    "Customer": {"name": "Sara Al-Ali", "email": "sara@kuwait.example", "iban": "KW81CBKU"},
    "PaymentLink": {"title": "Donation", "isOpenAmount": True},
}


@dataclass
class Whole:
    """One walk over everything, recorded, in an account that holds other things; only to be looked at."""

    lab: Lab
    report: Report
    record: Path
    theirs: list[dict[str, Any]]
    invoice: dict[str, Any]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with Emulator(deliver="manual") as emulator:
        lab = Lab(emulator, tmp_path_factory.mktemp("whole"))
        theirs = [lab.control.create_object(kind, **body) for kind, body in THEIRS.items()]
        invoice = lab.control.create("12.500", customer_Name="Ali", customer_Mobile="+96555512345")
        record = lab.folder / "fixtures"
        report = lab.probe(change_account=True, record=record)
        yield Whole(lab, report, record, theirs, invoice)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Emulator(deliver="manual") as emulator:
        yield Lab(emulator, tmp_path)


def short(findings: list[Finding]) -> list[tuple[str, str, str, str]]:
    """Endpoint, kind, field, what came."""
    return sorted(finding.mark for finding in findings)
