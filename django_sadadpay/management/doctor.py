"""What ``sadadpay_doctor`` looks at. Each part yields findings; none holds a secret or a person's data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core import checks
from django.db import Error as DatabaseFault
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.urls import NoReverseMatch, reverse

from django_sadadpay import conf
from django_sadadpay.checks import check_database
from django_sadadpay.gateway.errors import AuthenticationError, SadadError
from django_sadadpay.models import Attention, CurrencyRate, Mark
from django_sadadpay.services import clock, gateway, links, push, reconcile, transactions

#: Machine and database may differ by so much before someone is told.
_SKEW = timedelta(seconds=5)
_OK, _WARNING, _FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True)
class Finding:
    """``level``: ok, warning (works, but should be looked at) or failure (payments suffer)."""

    subject: str
    level: str
    text: str
    hint: str = ""

    @property
    def failed(self) -> bool:
        return self.level == _FAILURE


Found = Iterator[Finding]


def examine(*, ask_sadad: bool = True) -> Found:
    """All findings. What stands on something that failed is left out.

    :param ask_sadad: False makes no network call.
    """
    sound = True
    for part in (_settings, _database, _migrations):
        for finding in part():
            sound = sound and not (finding.failed and finding.subject != _SETTING)
            yield finding
        if not sound:
            return
    for part in (*((_tokens,) if ask_sadad else ()), *_LAST):
        yield from part()


# Settings

#: A system check that failed, while the settings can be read: the other parts can still be looked at.
_SETTING = "check"


def _settings() -> Found:
    for message in checks.run_checks(tags=["sadadpay"], databases=[]):
        unreadable = message.id == "sadadpay.E001"
        yield _checked(message, "settings" if unreadable else _SETTING)
        if unreadable:
            return
    config = conf.current()
    accounts = ", ".join(f"{a.name} ({a.environment})" for a in config.accounts.values())
    yield Finding("settings", _OK, f"accounts {accounts}; webhook calls are handled {config.task_runner}")


def _checked(message: checks.CheckMessage, subject: str = _SETTING) -> Finding:
    level = _FAILURE if message.is_serious() else _WARNING
    return Finding(subject, level, f"{message.msg} ({message.id})", message.hint or "")


# Database


def _database() -> Found:
    try:
        skew = abs(clock.now() - datetime.now(UTC))
    except DatabaseFault as error:
        text = f"the database {transactions.alias()!r} cannot be asked ({type(error).__name__})"
        yield Finding("database", _FAILURE, text, "Look at DATABASES and at the server.")
        return
    vendor = connections[transactions.alias()].vendor
    if skew > _SKEW:
        text = f"{vendor}: its clock and this machine's differ by {skew.total_seconds():.0f} s"
        yield Finding("database", _WARNING, text, "Let both follow an NTP server.")
    else:
        yield Finding("database", _OK, f"{vendor}, {transactions.alias()!r}; clocks agree")
    yield from map(_checked, check_database(databases=[transactions.alias()]))


def _migrations() -> Found:
    executor = MigrationExecutor(connections[transactions.alias()])
    leaves = executor.loader.graph.leaf_nodes("sadadpay")
    missing = [f"{migration.app_label}.{migration.name}" for migration, _ in executor.migration_plan(leaves)]
    if missing:
        text = f"not applied: {', '.join(missing)}"
        yield Finding("migrations", _FAILURE, text, "python manage.py migrate")
    else:
        yield Finding("migrations", _OK, "all applied")


# Sadad


def _tokens() -> Found:
    for account in conf.current().accounts.values():
        yield _token(account)


def _token(account: conf.Account) -> Finding:
    """Both token calls, from the keys on: a stored token would prove nothing about them."""
    subject, began = f"tokens {account.name}", time.monotonic()
    try:
        user = gateway.client_for(account).user
        user.generate_access_token(user.generate_refresh_token())
    except AuthenticationError as error:
        hint = "Copy both keys again from the panel (profile, API), for the right environment."
        return Finding(subject, _FAILURE, f"Sadad refuses the keys ({account.environment}): {error}", hint)
    except SadadError as error:
        return Finding(subject, _FAILURE, f"no token: {error}", "Is the way to Sadad open from this machine?")
    return Finding(
        subject, _OK, f"Sadad gave a token in {time.monotonic() - began:.1f} s ({account.environment})"
    )


# Rows


def _pending() -> Found:
    due = {name: count for name, count in reconcile.pending(clock.now()).items() if count}
    text = ", ".join(f"{name} {count}" for name, count in sorted(due.items())) or "nothing"
    yield Finding("pending", _OK, f"due now: {text}")


def _reconcile() -> Found:
    late = reconcile.is_late(clock.now())
    mark = Mark.objects.filter(name=reconcile.MARK).first()
    last = f"last ran {mark.at:%Y-%m-%d %H:%M:%S} UTC" if mark is not None and mark.at else "has never run"
    if late is None:
        yield Finding("reconcile", _OK, last)
        return
    minutes = int(late.total_seconds() // 60)
    hint = "Start Celery beat with beat_schedule(), or sadadpay_reconcile from cron or with --loop."
    yield Finding("reconcile", _FAILURE, f"{last}; {minutes} minutes late, and something is due", hint)


def _push() -> Found:
    counts = ", ".join(f"{name} {count}" for name, count in push.pending(clock.now()).items() if count)
    text = f"due now: {counts or 'nothing'}"
    late = push.is_late(clock.now())
    if late is None:
        yield Finding("push", _OK, text)
        return
    hint = "Start Celery beat with beat_schedule(), or sadadpay_push from cron, or sadadpay_reconcile --loop."
    yield Finding("push", _FAILURE, f"{text}; {int(late.total_seconds() // 60)} minutes late", hint)


def _attention() -> Found:
    rows = Attention.objects.filter(resolved_at=None).values("code").annotate(count=Count("pk"))
    waiting = {row["code"]: row["count"] for row in rows.order_by("code")}
    if waiting:
        text = ", ".join(f"{code} {count}" for code, count in waiting.items())
        yield Finding("attention", _WARNING, f"wait for a person: {text}", "See the list in the admin.")
    else:
        yield Finding("attention", _OK, "nothing waits for a person")


def _locks() -> Found:
    mark = Mark.objects.filter(name="lock_reruns").first()
    count = mark.count if mark is not None else 0
    yield Finding(
        "locks", _OK, f"{count} transactions were run again after a lock, since the first migration"
    )


def _rates() -> Found:
    oldest = clock.now() - timedelta(hours=conf.current().rate_max_age_hours)
    rows = CurrencyRate.objects.values("environment").annotate(at=Min("fetched_at"), count=Count("pk"))
    for row in rows.order_by("environment"):
        text = f"{row['count']} of {row['at']:%Y-%m-%d %H:%M} UTC or later ({row['environment']})"
        if row["at"] < oldest:
            yield Finding(
                "rates", _WARNING, f"{text}: too old for foreign checkouts", "Run sadadpay_reconcile."
            )
        else:
            yield Finding("rates", _OK, text)


def _webhooks() -> Found:
    """The address for Sadad's panel, without the secret: this text ends up in logs and tickets."""
    site = conf.current().site_url
    for name in conf.current().accounts:
        try:
            path = reverse("sadadpay:webhook", args=[name, "SECRET"])
        except NoReverseMatch:
            return  # sadadpay.E010 says so
        address = links.absolute(path) if site else path
        text = f"enter in Sadad's panel: {address} with WEBHOOK_SECRET for SECRET"
        hint = "" if site else "Set SITE_URL to see the whole address."
        yield Finding(f"webhook {name}", _OK, text, hint)


_LAST: tuple[Callable[[], Found], ...] = (_pending, _reconcile, _push, _attention, _locks, _rates, _webhooks)
