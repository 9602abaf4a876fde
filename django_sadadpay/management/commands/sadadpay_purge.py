"""Blank personal data that nothing needs any more; for cron, and for a person who asks to be forgotten."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_sadadpay import conf
from django_sadadpay.management.parsing import positive
from django_sadadpay.services import purge, retention
from django_sadadpay.services.purge import Report


class Command(BaseCommand):
    help = (
        "Blank customers' data, Sadad's raw replies and webhook bodies; never an amount or a ledger row. "
        "Rows that are still needed are kept and named. Safe to run again, and twice at once. "
        "Exit code 1 if a person's data could not all be blanked yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=positive,
            metavar="DAYS",
            help="rows made more than so many days ago (default: RETENTION_DAYS; with --person, of any age)",
        )
        parser.add_argument(
            "--person", metavar="WHO", help="only what names this e-mail, phone number or order number"
        )
        parser.add_argument("--account", help="only this account's rows (default: all accounts)")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        report = self._purge(options)
        would = "would be blanked" if options["dry_run"] else "blanked"
        for line in _lines(report, would):
            self.stdout.write(f"purge: {line}")
        if options["person"] and report.kept:
            raise CommandError("not everything could be blanked yet; run it again later")

    def _purge(self, options: dict[str, Any]) -> Report:
        account, person = options["account"] or "", options["person"]
        if account and account not in conf.current().accounts:
            # A typing mistake would find nothing, and look like a job that is done.
            raise CommandError(f'SADADPAY["ACCOUNTS"] has no account {account!r}')
        if person is not None and not person.strip():
            raise CommandError("--person must not be empty: that would be everybody")
        return purge.purge(
            older_than=options["older_than"],
            person=person or "",
            account=account,
            dry_run=options["dry_run"],
        )


def _lines(report: Report, would: str) -> list[str]:
    done = [f"{name} {count} {would}" for name, count in sorted(report.blanked.items()) if count]
    kept = [
        f"{name} {count} kept: {retention.WHY[why]}" for (name, why), count in sorted(report.kept.items())
    ]
    return [*(done or [f"nothing {would}"]), *kept]
