"""Take over what exists at Sadad: made in its panel, or by an older system."""

from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_sadadpay.management.parsing import day
from django_sadadpay.management.progress import Meter
from django_sadadpay.services import pull
from django_sadadpay.services.lists import Change
from django_sadadpay.services.pull import CannotPull, Counted, Progress, Report


class Command(BaseCommand):
    help = (
        "Read Sadad's lists and take over what is there. Writes nothing that is the same; goes on where a run"
        " that was killed has been; safe to run again, and twice at once. Exit code 0: all is well. 1: some"
        " objects or lists failed, or were changed on both sides. 2: nothing could be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(pull.resources())
        parser.add_argument("--account", help="only this account (default: all accounts)")
        parser.add_argument(
            "--resource",
            action="append",
            metavar="NAME",
            help=f"only this list; may be given several times (default: all but invoices). One of: {names}",
        )
        parser.add_argument(
            "--since",
            type=day,
            metavar="YYYY-MM-DD",
            help="only what was made on that day (Kuwait) or later; Sadad's list of invoices knows dates",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what differs, and store nothing")
        parser.add_argument(
            "--no-details",
            action="store_true",
            help="do not read new products and links one by one, of which the lists show a part only",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        meter = Meter(self.stdout)
        try:
            report = pull.run(
                account=options["account"],
                resources=options["resource"],
                since=options["since"],
                dry_run=options["dry_run"],
                details=not options["no_details"],
                on_progress=partial(self._show, meter),
            )
        except CannotPull as error:
            raise CommandError(str(error), returncode=2) from None
        meter.clear()
        self._say(report)
        if report.exit_code:
            words = "nothing could be read" if report.exit_code == 2 else "some need a look"
            raise CommandError(words, returncode=report.exit_code)

    def _show(self, meter: Meter, progress: Progress) -> None:
        if progress.changes:
            meter.clear()
        for change in progress.changes:
            self.stdout.write(difference(change))
        name = f"pull: {progress.account} {progress.resource}"
        meter.show(name, progress.done, progress.total, progress.seconds)

    def _say(self, report: Report) -> None:
        would = "; nothing was stored" if report.dry_run else ""
        for counted in report.lists:
            text = line(counted)
            self.stdout.write(self.style.ERROR(text) if counted.error else text)
        self.stdout.write(f"pull: {report.calls} calls of Sadad in {report.seconds:.1f} s{would}")


def line(counted: Counted) -> str:
    """A list in one line of a log."""
    words = ", ".join(f"{what} {number:,}" for what, number in sorted(counted.counts.items()))
    rate = f", {counted.seen / counted.seconds:,.0f} a second" if counted.seen and counted.seconds else ""
    parts = [f"pull: {counted.account} {counted.resource}: {counted.seen:,} seen{rate}"]
    parts += [words] if words else []
    parts += [f"went on after {counted.began_at:,}"] if counted.began_at else []
    parts += [f"NOT READ TO ITS END: {counted.error}"] if counted.error else []
    return "; ".join(parts)


def difference(change: Change) -> str:
    """``changed product 7: price: 1.250 → 2.000``."""
    text = f"{change.what} {change.kind} {change.sadad_id}"
    return f"{text}: {change.name}: {change.ours} → {change.theirs}" if change.name else text
