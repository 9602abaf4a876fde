"""The commands that do background work: what they do, what they print, and how they exit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from django_sadadpay.management.commands import sadadpay_reconcile
from django_sadadpay.models import GatewayToken, Invoice, WebhookEvent
from django_sadadpay.services import reconcile
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import call, fresh, make_order, named

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: Any, **options: Any) -> tuple[str, str]:
    """What it printed, and the error that it ended with."""
    out = StringIO()
    try:
        call_command(*arguments, stdout=out, **options)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


@pytest.fixture
def due(sadad: Sadad, invoice: Invoice) -> Invoice:
    """Paid, and the webhook was dropped; a reconcile is due."""
    sadad.pay(invoice)
    Invoice.objects.update(next_check_at=invoice.created_at)
    return invoice


# Reconcile


def test_reconcile_finds_a_payment_that_no_webhook_told_of(due: Invoice, order: Order) -> None:
    out, error = run("sadadpay_reconcile")
    assert out.startswith("reconcile: invoice 1 done; nothing failed; 1 calls of Sadad in ")
    assert (error, fresh(order).status) == ("", "paid")


def test_with_nothing_to_do_it_says_so(sadad: Sadad) -> None:
    assert run("sadadpay_reconcile")[0].startswith("reconcile: nothing done; nothing failed; 0 calls")


def test_what_fails_ends_it_with_an_error(sadad: Sadad, due: Invoice) -> None:
    sadad.control.faults.add("*", "error_before")
    out, error = run("sadadpay_reconcile")
    assert "nothing done; invoice 1 failed" in out
    assert error == "failed and tried again later: invoice 1"


def test_the_budget_is_kept(sadad: Sadad, due: Invoice) -> None:
    from django_sadadpay import checkout

    checkout(make_order())
    Invoice.objects.update(next_check_at=due.created_at)
    out, _ = run("sadadpay_reconcile", "--max-calls=1", "--max-seconds=30")
    assert "invoice 1 done" in out
    assert out.endswith("; more is due\n")


@pytest.mark.parametrize("argument", ["--max-calls=0", "--max-seconds=-1", "--loop=x", "--loop=²"])
def test_a_number_that_makes_no_sense_is_refused(argument: str) -> None:
    assert "is not a whole number of at least 1" in run("sadadpay_reconcile", argument)[1]


# As a service


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """SIGTERM comes during the given run."""

    def after(count: int) -> None:
        runs: list[int] = []
        work = reconcile.run

        def counted(**budget: Any) -> reconcile.Report:
            runs.append(1)
            if len(runs) == count:
                os.kill(os.getpid(), signal.SIGTERM)
            return work(**budget)

        monkeypatch.setattr(reconcile, "run", counted)

    return after


def test_the_service_ends_its_run_and_stops(
    due: Invoice, order: Order, stop_after: Callable[[int], None]
) -> None:
    stop_after(1)
    before = signal.getsignal(signal.SIGTERM)
    lines = run("sadadpay_reconcile", "--loop=600")[0].splitlines()
    assert lines[0] == "reconcile: every 600 s until SIGTERM"
    assert lines[1].startswith("reconcile: invoice 1 done")
    assert lines[2:] == ["reconcile: stopped"]
    assert fresh(order).status == "paid"
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_service_is_quiet_while_there_is_nothing_to_do(
    sadad: Sadad, stop_after: Callable[[int], None]
) -> None:
    stop_after(2)
    assert len(run("sadadpay_reconcile", "--loop=1")[0].splitlines()) == 2
    stop_after(1)
    assert len(run("sadadpay_reconcile", "--loop=1", verbosity=2)[0].splitlines()) == 3


def test_the_service_goes_on_at_once_while_more_is_due(
    sadad: Sadad, due: Invoice, stop_after: Callable[[int], None]
) -> None:
    from django_sadadpay import checkout

    checkout(make_order())
    Invoice.objects.update(next_check_at=due.created_at)
    stop_after(2)
    began = time.monotonic()
    lines = run("sadadpay_reconcile", "--loop=600", "--max-calls=1")[0].splitlines()
    assert len([line for line in lines if "invoice 1 done" in line]) == 2
    assert time.monotonic() - began < 60


def test_the_service_outlives_a_database_that_is_away(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        raise OperationalError("the connection was closed; noor@example.com")

    monkeypatch.setattr(reconcile, "run", away)
    lines = run("sadadpay_reconcile", "--loop=1")[0].splitlines()
    assert lines[1:] == [
        "reconcile: the database failed (OperationalError); it is tried again",
        "reconcile: stopped",
    ]


def test_the_service_keeps_tokens_warm(sadad: Sadad, stop_after: Callable[[int], None]) -> None:
    stop_after(1)
    run("sadadpay_reconcile", "--loop=1")
    assert GatewayToken.objects.exclude(access="").count() == 1


def test_a_real_process_stops_cleanly_when_told(tmp_path: Any) -> None:
    """As systemd or Docker sees it: a line at the start, SIGTERM, a line at the end, exit code 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "sadadpay_reconcile", "--loop=600", "--skip-checks"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "reconcile: every 600 s until SIGTERM\n"
    process.terminate()
    rest = process.stdout.read()
    watchdog.cancel()
    assert process.wait() == 0
    assert rest.endswith("reconcile: stopped\n")


# Inbox and tokens


def test_the_inbox_is_emptied(sadad: Sadad, invoice: Invoice, order: Order) -> None:
    sadad.pay(invoice)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    call(named(invoice))
    WebhookEvent.objects.update(next_try_at=invoice.created_at)
    out, error = run("sadadpay_process_inbox")
    assert (out, error) == (
        "inbox: 0 handled, 1 tried again later\n",
        "1 webhook calls are tried again later",
    )
    sadad.control.faults.clear()
    WebhookEvent.objects.update(next_try_at=invoice.created_at)
    assert run("sadadpay_process_inbox", "--limit=5") == ("inbox: 1 handled, 0 tried again later\n", "")
    assert fresh(order).status == "paid"


def test_tokens_are_renewed(sadad: Sadad) -> None:
    assert run("sadadpay_refresh_tokens") == ("tokens: account default: ok\n", "")


def test_an_account_without_a_token_is_an_error(sadad: Sadad) -> None:
    sadad.control.faults.add("*", "error_before")
    out, error = run("sadadpay_refresh_tokens")
    assert out == "tokens: account default: NO TOKEN\n"
    assert error == "an account has no token; sadadpay_doctor says why"


def test_a_run_in_one_line() -> None:
    report = reconcile.Report(done={"invoice": 3, "event": 1}, failed={"refund": 1}, calls=5, seconds=0.84)
    line = sadadpay_reconcile.line(report)
    assert line == "reconcile: event 1, invoice 3 done; refund 1 failed; 5 calls of Sadad in 0.8 s"
