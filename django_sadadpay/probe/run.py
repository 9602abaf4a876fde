"""A whole run: check, walk, clean up, whatever happens between."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django_sadadpay.gateway.coerce import KUWAIT
from django_sadadpay.gateway.errors import AuthenticationError, Rejected, SadadError
from django_sadadpay.probe.calling import Caller
from django_sadadpay.probe.cleaning import Cleaner
from django_sadadpay.probe.journal import Journal, Unwritten
from django_sadadpay.probe.options import Account, CouldNotRun, Options, head, place
from django_sadadpay.probe.report import Report
from django_sadadpay.probe.runner import Runner
from django_sadadpay.probe.steps import chosen

Say = Callable[[str], None]


def quiet(_: str) -> None:
    """Says nothing."""


def probe(
    account: Account,
    options: Options,
    *,
    say: Say = quiet,
    sleep: Callable[[float], None] = time.sleep,
    before_cleaning: Callable[[], None] = lambda: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """Walk all endpoints, or the groups of ``options.only``, and delete what was made.

    Stopped by KeyboardInterrupt, it cleans up and gives the report of what was seen until then
    (``report.stopped``); any other exception is raised again once everything is deleted.

    :param say: gets a line for each step, and the pay link. No secrets, no personal data.
    :param before_cleaning: called once before anything is deleted, in whichever way the walk ended.
    :raises CouldNotRun: nothing was made: wrong keys, no way to Sadad, live without ``options.live``,
        a group that does not exist, or a journal that exists.
    """
    if account.live and not options.live:
        raise CouldNotRun("this is the live account, and it was not said twice that it may be")
    caller, report = _prepared(account, options, now(), sleep)
    try:
        steps = chosen(options.only, caller.endpoints)
    except ValueError as error:
        raise CouldNotRun(str(error)) from None
    _log_in(caller)
    journal = _started(account, options)
    today = now().astimezone(KUWAIT).date()
    runner = Runner(caller, journal, report, options, live=account.live, today=today, say=say)
    began = time.monotonic()
    try:
        try:
            runner.run(steps)
        finally:
            before_cleaning()
    except KeyboardInterrupt:  # also one that comes as the walk ends
        report.stopped = "interrupted"
    except Unwritten as error:
        report.stopped = str(error.strerror or error)
    finally:
        report.left = Cleaner(caller, journal, say, pause=_pause(options)).clean()
        journal.close()
    report.unrecorded = caller.unrecorded
    _explain(report)
    report.seconds = time.monotonic() - began
    return report


def cleanup(
    account: Account,
    journal: Path,
    *,
    say: Say = quiet,
    live: bool = False,
    timeout: float = 20.0,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Delete what a run that was killed left behind; the names of what is left even so.

    :raises CouldNotRun: no journal, one of another environment or account, wrong keys, live without ``live``.
    """
    try:
        found = Journal.read(journal)
    except OSError as error:
        raise CouldNotRun(f"the journal cannot be read: {type(error).__name__}") from None
    except ValueError as error:
        raise CouldNotRun(str(error)) from None
    if account.live and not live:
        raise CouldNotRun("this is the live account, and it was not said twice that it may be")
    options = Options(journal=journal, timeout=timeout, live=live)
    _same_account(account, found)
    caller, _ = _prepared(account, options, datetime.now(UTC), sleep)
    _log_in(caller)
    left = Cleaner(caller, found, say, pause=_pause(options)).clean()
    found.close()
    return left


def _pause(options: Options) -> float:
    return max(options.timeout, options.settle)


def _same_account(account: Account, journal: Journal) -> None:
    """Other keys see another account, where nothing of the journal is: it would seem to be deleted."""
    if any(journal.head.get(name) != value for name, value in place(account).items()):
        raise CouldNotRun("the journal was written with another environment or API address")
    if journal.head.get("account") != account.fingerprint(journal.head.get("run", "")):
        raise CouldNotRun("the journal was written with another client key: only its own account is cleaned")


def _prepared(
    account: Account, options: Options, now: datetime, sleep: Callable[[float], None]
) -> tuple[Caller, Report]:
    report = Report(options.run, account.name, account.environment, f"{now:%Y-%m-%d %H:%M} UTC")
    try:
        caller = Caller(account, options, report.rows, sleep=sleep)
    except ValueError as error:
        raise CouldNotRun(str(error)) from None
    report.fill(caller.endpoints)
    return caller, report


def _log_in(caller: Caller) -> None:
    caller.step = "log in"
    try:
        caller.client.warm()
    except (AuthenticationError, Rejected) as error:
        raise CouldNotRun(f"Sadad refuses the keys: {error}") from None
    except SadadError as error:
        raise CouldNotRun(f"no token: {error}") from None


def _started(account: Account, options: Options) -> Journal:
    try:
        return Journal.start(options.journal, head(account, options))
    except FileExistsError:
        raise CouldNotRun(f"{options.journal} exists: clean up with it first") from None
    except OSError as error:
        raise CouldNotRun(f"the journal cannot be written: {type(error).__name__}") from None


def _explain(report: Report) -> None:
    """Why a row was not probed, for those that no step came to."""
    why = "stopped before" if report.stopped else "not asked for"
    for row in report.rows.values():
        if not row.done and not row.skipped:
            row.skipped["everything"] = why
