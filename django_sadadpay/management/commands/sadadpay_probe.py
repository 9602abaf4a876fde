"""Ask a sandbox account how far our table of Sadad's API is right, on throwaway objects."""

from __future__ import annotations

import json
import os
import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_sadadpay import conf
from django_sadadpay.management.parsing import positive
from django_sadadpay.probe import Account, CouldNotRun, Options, Report, cleanup, markdown, probe
from django_sadadpay.probe.options import EMAIL, MOBILE

#: Windows has no SIGHUP.
_STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))


class Command(BaseCommand):
    help = (
        "Walk Sadad's endpoints on throwaway objects, compare each reply with the endpoint table, and delete "
        "what was made. Exit code 0: all as the table says; 1: differences; 2: it could not run."
    )

    _unheard = False
    requires_system_checks: list[str] = []  # it needs the account's keys and nothing else of the shop

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", default="default", help="an account of SADADPAY (default: default)")
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="write report.md and report.json there"
        )
        parser.add_argument("--record", type=Path, metavar="DIR", help="keep the replies there, masked")
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="GROUP",
            help="for example Products; can be repeated",
        )
        parser.add_argument("--timeout", type=positive, default=20, help="seconds for each call")
        parser.add_argument(
            "--change-account",
            action="store_true",
            help="try too what cannot be undone: allow a domain of the probe's for embedded payment",
        )
        parser.add_argument(
            "--cleanup",
            type=Path,
            metavar="JOURNAL",
            help="only delete what a run that was killed left behind",
        )
        parser.add_argument("--mobile", default=MOBILE, help=f"of made-up customers (default: {MOBILE})")
        parser.add_argument("--email", default=EMAIL, help=f"of made-up customers (default: {EMAIL})")
        self._add_paying(parser)

    def _add_paying(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--pay", action="store_true", help="print a pay link, wait for the payment, and refund it"
        )
        parser.add_argument(
            "--amount", type=_kwd, default=Decimal("0.100"), help="KWD to be paid with --pay (default: 0.100)"
        )
        parser.add_argument(
            "--wait", type=positive, default=600, help="seconds to wait for the payment (default: 600)"
        )
        parser.add_argument("--live", action="store_true", help="the account may be the live one, if also:")
        parser.add_argument("--yes-this-is-live-money", action="store_true", help="said twice, it is meant")

    def handle(self, *args: Any, **options: Any) -> None:
        account = _account(options["account"])
        live = options["live"] and options["yes_this_is_live_money"]
        if options["cleanup"] is not None:
            self._clean(account, options["cleanup"], live, options["timeout"])
            return
        report = self._probe(account, self._options(options, live))
        self._write(report, options["output"])
        if report.stopped:
            raise CommandError(f"stopped: {report.stopped}", returncode=2)
        if not report.same:
            raise CommandError(f"{len(report.differences)} differences", returncode=1)

    def _options(self, options: dict[str, Any], live: bool) -> Options:
        folder = options["output"] or Path()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{folder}: {type(error).__name__}", returncode=2) from None
        chosen = Options(
            journal=folder,
            only=frozenset(options["only"]),
            record=options["record"],
            pay=options["pay"],
            amount=options["amount"],
            wait=options["wait"],
            change_account=options["change_account"],
            live=live,
            timeout=options["timeout"],
            mobile=options["mobile"],
            email=options["email"],
        )
        return chosen.with_journal(folder / f"sadadpay-probe-{chosen.run}.journal")

    def _probe(self, account: Account, options: Options) -> Report:
        self._say(f"what is made is written down in {options.journal}")
        with _stoppable() as hold:
            try:
                return probe(account, options, say=self._say, before_cleaning=hold)
            except CouldNotRun as error:
                raise CommandError(str(error), returncode=2) from None
            except KeyboardInterrupt:
                raise CommandError(_stopped(options.journal), returncode=2) from None

    def _clean(self, account: Account, journal: Path, live: bool, timeout: int) -> None:
        try:
            left = cleanup(account, journal, say=self._say, live=live, timeout=timeout)
        except CouldNotRun as error:
            raise CommandError(str(error), returncode=2) from None
        except KeyboardInterrupt:
            raise CommandError(_stopped(journal), returncode=2) from None
        if left:
            raise CommandError(f"{len(left)} are left; the journal is kept", returncode=1)
        self._say("nothing is left")

    def _write(self, report: Report, folder: Path | None) -> None:
        if folder is None:
            self._say(markdown(report))
            return
        (folder / "report.md").write_text(markdown(report), encoding="utf-8")
        (folder / "report.json").write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
        self._say(f"{len(report.differences)} differences, {len(report.notes)} notes: {folder / 'report.md'}")

    def _say(self, text: str) -> None:
        """To whoever listens: without a terminal, or with its pipe closed, the work goes on."""
        if self._unheard:
            return
        try:
            self.stdout.write(text)
            self.stdout.flush()  # the pay link is waited for
        except (OSError, ValueError):
            self._unheard = True
            self._hush()

    def _hush(self) -> None:
        """What is still buffered would raise once more at the end of the process, and spoil its exit code."""
        with suppress(OSError, ValueError, AttributeError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self.stdout.fileno())


def _stopped(journal: Path) -> str:
    if journal.exists():
        return f"stopped; what was made is in {journal}: run it with --cleanup"
    return "stopped before anything was made"


def _account(name: str) -> Account:
    try:
        found = conf.current().account(name)
    except ImproperlyConfigured as error:
        raise CommandError(str(error), returncode=2) from None
    return Account(
        found.client_key,
        found.client_secret,
        found.environment,
        api_url=found.api_url,
        pay_url=found.pay_url,
        fields=found.fields,
        name=name,
    )


def _kwd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
        if 0 < amount < 1000 and amount == amount.quantize(Decimal("0.001")):
            return amount
    except InvalidOperation:
        pass
    raise ArgumentTypeError(f"{text!r} is not an amount of KWD with three places at most")


@contextmanager
def _stoppable() -> Iterator[Any]:
    """SIGTERM and its like end the walk as Ctrl-C does; nothing interrupts the cleaning once it has begun."""

    def hold() -> None:
        for number in _STOPS:
            signal.signal(number, signal.SIG_IGN)

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        hold()  # a second one would end the cleaning that the first one begins
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        yield hold
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
