"""sadadpay_doctor: what is in place, what is not, and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from django_sadadpay.management import doctor
from django_sadadpay.models import Attention, CurrencyRate, Invoice, Mark
from django_sadadpay.services import clock, reconcile
from django_sadadpay.testing.gateway import Sadad
from tests.views.buying import SECRET, with_account

pytestmark = pytest.mark.django_db(transaction=True)


def report(*arguments: str) -> tuple[dict[str, Any], bool]:
    """Findings by subject, and whether it failed."""
    out = StringIO()
    failed = False
    try:
        call_command("sadadpay_doctor", "--json", *arguments, stdout=out)
    except CommandError:
        failed = True
    text = out.getvalue()
    assert SECRET not in text
    assert "cs_" not in text
    said = json.loads(text)
    assert said["ok"] is not failed
    return {finding["subject"]: finding for finding in said["findings"]}, failed


def test_all_is_well(sadad: Sadad) -> None:
    found, failed = report()
    assert not failed
    assert {finding["level"] for finding in found.values()} == {"ok"}
    assert found["settings"]["text"] == "accounts default (sandbox); webhook calls are handled inline"
    assert found["tokens default"]["text"].startswith("Sadad gave a token in ")
    assert found["reconcile"]["text"] == "has never run"
    address = "https://shop.example/payments/webhook/default/SECRET/"
    assert (
        found["webhook default"]["text"]
        == f"enter in Sadad's panel: {address} with WEBHOOK_SECRET for SECRET"
    )


def test_lines_for_a_person(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "SITE_URL": None}
    out = StringIO()
    call_command("sadadpay_doctor", stdout=out, no_color=True)
    lines = out.getvalue().splitlines()
    assert lines[0] == "ok       settings: accounts default (sandbox); webhook calls are handled inline"
    assert "           Set SITE_URL to see the whole address." in lines


def test_a_failure_is_the_exit_code(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = None
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("sadadpay_doctor", stdout=out, no_color=True)
    assert (str(error.value), error.value.returncode) == ("1 failed", 1)
    assert "FAILURE  settings: SADADPAY is missing" in out.getvalue()


def test_with_unreadable_settings_nothing_else_is_said(settings: Any) -> None:
    settings.SADADPAY = {"ACCOUNTS": {}}
    found, failed = report()
    assert (list(found), failed) == (["settings"], True)


def test_other_checks_that_fail_leave_the_rest_to_be_looked_at(sadad: Sadad, settings: Any) -> None:
    settings.USE_TZ = True
    settings.ROOT_URLCONF = "tests.checks.urls_without"
    found, failed = report()
    assert failed
    assert "(sadadpay.E010)" in found["check"]["text"]
    assert "urlpatterns" in found["check"]["hint"]
    assert found["tokens default"]["level"] == "ok"
    assert "webhook default" not in found


# Sadad


def test_wrong_keys_are_told_with_a_hint(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = with_account(CLIENT_SECRET="cs_mistyped")
    found, failed = report()
    assert failed
    assert found["tokens default"]["text"].startswith("Sadad refuses the keys (sandbox)")
    assert "panel" in found["tokens default"]["hint"]


def test_a_sadad_that_cannot_be_reached_is_told(settings: Any) -> None:
    found, failed = report()
    assert failed
    assert found["tokens default"]["text"].startswith("no token: User/GenerateRefreshToken")


def test_every_account_is_asked(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = with_account("second", CLIENT_KEY="ck_other")
    found, failed = report()
    assert failed
    levels = [found[f"tokens {name}"]["level"] for name in ("default", "second")]
    assert levels == ["ok", "failure"]


def test_offline_nobody_is_asked(sadad: Sadad) -> None:
    found, failed = report("--offline")
    assert (sadad.calls(), failed, "tokens default" in found) == ([], False, False)


# Database


def test_a_database_that_is_away_ends_the_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> datetime:
        raise OperationalError("could not connect to server: password of noor")

    monkeypatch.setattr(clock, "now", away)
    found, failed = report()
    assert failed
    assert found["database"]["text"] == "the database 'default' cannot be asked (OperationalError)"
    assert "migrations" not in found


def test_clocks_that_differ_are_a_warning(sadad: Sadad, sadad_clock: Callable[[float], None]) -> None:
    sadad_clock(-90)
    found, failed = report()
    assert not failed
    assert "differ by 90 s" in found["database"]["text"]


def test_migrations_that_are_missing_end_the_examination(sadad: Sadad) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("sadadpay", "0001_initial")
    try:
        found, failed = report()
    finally:
        recorder.record_applied("sadadpay", "0001_initial")
    assert failed
    assert "sadadpay.0001_initial" in found["migrations"]["text"]
    assert "pending" not in found


# Rows


def test_what_is_due_is_counted(sadad: Sadad, invoice: Invoice) -> None:
    Invoice.objects.update(next_check_at=clock.now())
    assert report()[0]["pending"]["text"] == "due now: invoice 1"


def test_background_work_that_stands_still_is_a_failure(sadad: Sadad, invoice: Invoice) -> None:
    Invoice.objects.update(next_check_at=clock.now() - timedelta(hours=1))
    found, failed = report()
    assert failed
    assert found["reconcile"]["text"].startswith("has never run; 60 minutes late")
    Mark.objects.create(name=reconcile.MARK, at=clock.now() - timedelta(minutes=40))
    found, failed = report()
    assert found["reconcile"]["text"].startswith("last ran ")
    assert "40 minutes late" in found["reconcile"]["text"]
    assert "--loop" in found["reconcile"]["hint"]


def test_after_a_run_all_is_well_again(sadad: Sadad, invoice: Invoice) -> None:
    Invoice.objects.update(next_check_at=clock.now() - timedelta(hours=1))
    call_command("sadadpay_reconcile", stdout=StringIO())
    found, failed = report()
    assert (failed, found["reconcile"]["text"].startswith("last ran ")) == (False, True)


def test_cases_that_wait_are_a_warning(sadad: Sadad) -> None:
    for number, code in enumerate(("mismatch", "mismatch", "paid_twice")):
        Attention.objects.create(
            account="default", environment="sandbox", code=code, open_slot=str(number), created_at=clock.now()
        )
    found, failed = report()
    assert not failed
    assert found["attention"]["text"] == "wait for a person: mismatch 2, paid_twice 1"


def test_transactions_that_were_run_again_are_counted(sadad: Sadad) -> None:
    Mark.objects.create(name="lock_reruns", count=7)
    assert report()[0]["locks"]["text"].startswith("7 transactions")


def test_old_exchange_rates_are_a_warning(sadad: Sadad) -> None:
    assert "rates" not in report()[0]
    CurrencyRate.objects.create(environment="sandbox", code="USD", rate="0.31", fetched_at=clock.now())
    assert report()[0]["rates"]["level"] == "ok"
    CurrencyRate.objects.update(fetched_at=clock.now() - timedelta(days=2))
    assert report()[0]["rates"]["level"] == "warning"


def test_the_order_is_that_of_what_stands_on_what() -> None:
    subjects = [finding.subject for finding in doctor.examine(ask_sadad=False)]
    assert subjects == [
        "settings",
        "database",
        "migrations",
        "pending",
        "reconcile",
        "push",
        "attention",
        "locks",
        "webhook default",
    ]
