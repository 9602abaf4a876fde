"""A probe of the emulator over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from django_sadadpay.emulator import Emulator
from django_sadadpay.probe import Account, Finding, Options, Report, probe

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

    def left(self) -> list[str]:
        """What stands in the account, invoices that can still be paid included."""
        objects = [f"{kind} {row['id']}" for kind in KINDS for row in self.control.objects(kind)]
        return objects + [f"Invoice {row['id']}" for row in self.control.invoices() if not row["deleted"]]

    def calls(self, endpoint: str) -> int:
        return sum(call.endpoint == endpoint for call in self.control.log)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Emulator(deliver="manual") as emulator:
        yield Lab(emulator, tmp_path)


def short(findings: list[Finding]) -> list[tuple[str, str, str, str]]:
    """Endpoint, kind, field, what came."""
    return sorted(finding.mark for finding in findings)
