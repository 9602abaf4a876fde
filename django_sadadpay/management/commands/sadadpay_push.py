"""Send what is wanted at Sadad and not there yet: customers, catalogue, links, plans, subscriptions."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_sadadpay.management.parsing import positive
from django_sadadpay.registry import mirrors
from django_sadadpay.services import push, sweeping
from django_sadadpay.services.kinds import BY_NAME


class Command(BaseCommand):
    help = (
        "Bring Sadad in step with the shop's mirrored objects: insert, update or delete what is due. "
        "Safe to run twice at once. Exit code 1 if something failed; it is tried again by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", default="", help="only this account")
        parser.add_argument("--limit", type=positive, help="at most so many objects")
        parser.add_argument("--max-seconds", type=positive, help="begin nothing new after this")
        parser.add_argument(
            "--resource",
            action="append",
            default=[],
            choices=sorted(BY_NAME),
            help="only this kind of object; may be given several times",
        )
        parser.add_argument(
            "--all",
            action="store_true",
            help="look at every object of the registered models first, for changes that no signal told of",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"]:
            self._mark_all()
        try:
            report = push.run(
                account=options["account"],
                limit=options["limit"],
                max_seconds=options["max_seconds"],
                kinds=options["resource"],
            )
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(line(report))
        if report.failed or report.resting:
            raise CommandError(f"tried again later: {_counts(report.failed) or 'accounts that rest'}")

    def _mark_all(self) -> None:
        for mirrored in mirrors:
            changed = sweeping.mirror_all(mirrored)
            self.stdout.write(f"push: {mirrored.name}: {changed} changed")


def line(report: push.Report) -> str:
    """A run in one line of a log."""
    parts = [f"{_counts(report.done) or 'nothing'} done", f"{_counts(report.failed) or 'nothing'} failed"]
    parts.append(f"{report.calls} calls of Sadad in {report.seconds:.1f} s")
    resting = f"; resting: {', '.join(sorted(report.resting))}" if report.resting else ""
    return f"push: {'; '.join(parts)}{resting}{'; more is due' if report.left else ''}"


def _counts(table: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(table.items()))
