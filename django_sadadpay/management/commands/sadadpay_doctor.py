"""Is everything in place for taking payments? Made for a person at a terminal and for a monitor."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_sadadpay.management import doctor
from django_sadadpay.management.doctor import Finding

_WORDS = {"ok": "ok", "warning": "WARNING", "failure": "FAILURE"}


class Command(BaseCommand):
    help = "Look at settings, keys, database, background work and cases. Exit code 1 if something failed."
    requires_system_checks: list[str] = []  # they are its first findings

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
        parser.add_argument("--offline", action="store_true", help="do not call Sadad")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in doctor.examine(ask_sadad=not options["offline"]):
            findings.append(finding)
            if not options["json"]:
                self._line(finding)
        failed = sum(finding.failed for finding in findings)
        if options["json"]:
            rows = [asdict(finding) for finding in findings]
            self.stdout.write(json.dumps({"ok": not failed, "findings": rows}, indent=2))
        if failed:
            raise CommandError(f"{failed} failed")

    def _line(self, finding: Finding) -> None:
        style = {"failure": self.style.ERROR, "warning": self.style.WARNING}.get(finding.level, str)
        self.stdout.write(f"{style(_WORDS[finding.level]):8} {finding.subject}: {finding.text}")
        if finding.hint:
            self.stdout.write(f"{'':8}   {finding.hint}")
