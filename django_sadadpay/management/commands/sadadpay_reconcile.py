"""Do everything that is due, once or again and again; made for cron and for a service manager alike."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, close_old_connections

from django_sadadpay import conf
from django_sadadpay.management.commands import sadadpay_push
from django_sadadpay.management.parsing import positive
from django_sadadpay.services import maintenance, push, reconcile
from django_sadadpay.services.errors import TryAgain


class Command(BaseCommand):
    help = (
        "Read what is due at Sadad and settle it: open invoices, inbox, unknown outcomes, refunds, hooks. "
        "Safe to run twice at once. Exit code 1 if something failed; it is tried again by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--max-calls", type=positive, help="at most so many calls of Sadad in a run")
        parser.add_argument("--max-seconds", type=positive, help="begin nothing new after this")
        parser.add_argument(
            "--loop",
            type=positive,
            metavar="SECONDS",
            help="go on until SIGTERM or SIGINT, pausing so long when nothing is left; renews and pushes too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        budget = {"max_calls": options["max_calls"], "max_seconds": options["max_seconds"]}
        if options["loop"]:
            self._loop(options["loop"], budget, options["verbosity"])
            return
        report = reconcile.run(**budget)
        self.stdout.write(line(report))
        if report.failed:
            raise CommandError(f"failed and tried again later: {_counts(report.failed)}")

    def _loop(self, pause: int, budget: dict[str, int | None], verbosity: int) -> None:
        with _stopped_by_signals() as stop:
            self._say(f"reconcile: every {pause} s until SIGTERM")
            while not stop.is_set():
                left = self._run(budget, verbosity)
                stop.wait(0 if left else pause)
        self._say("reconcile: stopped")

    def _run(self, budget: dict[str, int | None], verbosity: int) -> bool:
        """One run; True when more is due. A database that is away for a while does not end the service."""
        close_old_connections()
        try:
            maintenance.refresh_tokens()
            report = reconcile.run(**budget)
            pushed = push.run(max_seconds=budget["max_seconds"] or conf.current().reconcile_max_seconds)
        except (Error, TryAgain) as error:
            self._say(f"reconcile: the database failed ({type(error).__name__}); it is tried again")
            return False
        if report.done or report.failed or verbosity > 1:
            self._say(line(report))
        if pushed.done or pushed.failed:
            self._say(sadadpay_push.line(pushed))
        return report.left and not report.failed

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # a log file is read while the service runs


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set: the run in hand ends in peace, its rows are not left claimed."""
    stop = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def line(report: reconcile.Report) -> str:
    """A run in one line of a log."""
    parts = [f"{_counts(report.done) or 'nothing'} done", f"{_counts(report.failed) or 'nothing'} failed"]
    parts.append(f"{report.calls} calls of Sadad in {report.seconds:.1f} s")
    return f"reconcile: {'; '.join(parts)}{'; more is due' if report.left else ''}"


def _counts(table: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(table.items()))
