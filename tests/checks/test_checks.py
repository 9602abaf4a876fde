"""Configuration that cannot work or is not safe is refused at start-up, with a way to mend it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.core import checks as django_checks
from django.core.management import call_command
from django.db.utils import ConnectionHandler

from django_sadadpay import checks
from django_sadadpay.registry import payables
from tests.views.buying import SECRET, changed, with_account

KEY, CLIENT_SECRET = "ck_test", "cs_test"
LIVE: dict[str, Any] = {"ENVIRONMENT": "live", "API_URL": None, "PAY_URL": None}


def said(*, databases: list[str] | None = None) -> dict[str, str]:
    """Message by id, of all our checks, run as Django runs them."""
    messages = django_checks.run_checks(tags=["sadadpay"], databases=databases or [])
    assert all(message.hint for message in messages), "every message says how to mend it"
    text = " ".join(f"{message.msg} {message.hint}" for message in messages)
    assert not [secret for secret in (SECRET, KEY, CLIENT_SECRET) if secret in text], "no secret is shown"
    return {str(message.id): message.msg for message in messages}


def test_a_good_project_has_nothing_to_complain_about() -> None:
    assert said() == {}


def test_django_runs_them_by_itself() -> None:
    registered = django_checks.registry.registry.get_checks()
    assert {checks.check_settings, checks.check_urls, checks.check_payables, checks.check_database} <= set(
        registered
    )


@pytest.mark.django_db
def test_the_check_command_is_content() -> None:
    call_command("check")


# Settings


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "SADADPAY is missing"),
        ({}, "ACCOUNTS"),
        ({"ACCOUNTS": {"default": {"CLIENT_KEY": KEY}}}, "CLIENT_SECRET"),
        ({"ACCONTS": {}}, "unknown ACCONTS"),
    ],
)
def test_unreadable_settings_are_one_error_that_names_what_is_wrong(
    value: Any, words: str, settings: Any
) -> None:
    settings.SADADPAY = value
    found = said()
    assert list(found) == ["sadadpay.E001"]
    assert words in found["sadadpay.E001"]


def test_a_missing_setting_is_the_same_error(settings: Any) -> None:
    del settings.SADADPAY
    assert list(said()) == ["sadadpay.E001"]


@pytest.mark.parametrize("secret", ["a/b-unguessable-secret", "what?is-this-secret", "غير قابل للتخمين"])
def test_a_secret_that_no_address_can_carry_is_an_error(secret: str, settings: Any) -> None:
    settings.SADADPAY = with_account(WEBHOOK_SECRET=secret)
    assert "WEBHOOK_SECRET" in said()["sadadpay.E001"]


def test_without_time_zones_nothing_starts(settings: Any) -> None:
    settings.USE_TZ = False
    assert list(said()) == ["sadadpay.E002"]


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (None, ["sadadpay.E003"]),
        ("http://shop.example", ["sadadpay.E004"]),
        ("https://other.example", ["sadadpay.W008"]),
        ("https://shop.example:8443/kw", []),
    ],
)
def test_a_live_account_needs_its_own_safe_address(
    site: str | None, expected: list[str], settings: Any
) -> None:
    settings.SADADPAY = {**with_account(**LIVE), "SITE_URL": site}
    assert list(said()) == expected


def test_a_sandbox_needs_no_address(settings: Any) -> None:
    settings.SADADPAY = changed(SITE_URL=None)
    assert said() == {}


@pytest.mark.parametrize("name", ["API_URL", "PAY_URL"])
def test_a_live_account_never_talks_to_another_host(name: str, settings: Any) -> None:
    settings.SADADPAY = with_account(**{**LIVE, name: "http://127.0.0.1:8000/api"})
    assert list(said()) == ["sadadpay.E005"]


def test_debug_with_a_live_account_is_a_warning(settings: Any) -> None:
    settings.SADADPAY, settings.DEBUG = with_account(**LIVE), True
    assert list(said()) == ["sadadpay.W005"]


def test_celery_must_be_installed_to_be_used(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SADADPAY = changed(TASK_RUNNER="celery")
    assert said() == {}
    find = importlib.util.find_spec
    monkeypatch.setattr(checks, "find_spec", lambda name: None if name == "celery" else find(name))
    assert list(said()) == ["sadadpay.E007"]


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("short", ["sadadpay.E008"]),
        ("x" * 15, ["sadadpay.E008"]),
        ("x" * 40, ["sadadpay.W006"]),
        ("change-me-webhook-secret", ["sadadpay.W006"]),
        ("my-webhook-secret-123456", ["sadadpay.W006"]),
        ("Zk3vQ8x1T6m0bWcR2pLhYg", []),
        ("9f86d081884c7d659a2feaa0c55ad015", []),
        (["Zk3vQ8x1T6m0bWcR2pLhYg", "old"], ["sadadpay.E008"]),
    ],
)
def test_a_webhook_secret_must_not_be_guessed(secret: Any, expected: list[str], settings: Any) -> None:
    settings.SADADPAY = with_account(WEBHOOK_SECRET=secret)
    assert list(said()) == expected


@pytest.mark.parametrize("name", ["CLIENT_KEY", "CLIENT_SECRET"])
def test_the_webhook_secret_is_not_one_of_the_keys(name: str, settings: Any) -> None:
    settings.SADADPAY = with_account(**{name: SECRET})
    messages = django_checks.run_checks(tags=["sadadpay"], databases=[])
    assert [message.id for message in messages] == ["sadadpay.E009"]
    assert SECRET not in str(messages)


def test_two_accounts_with_one_key_are_a_warning(settings: Any) -> None:
    settings.SADADPAY = with_account("second")
    found = said()
    assert list(found) == ["sadadpay.W004"]
    assert "'default' and 'second'" in found["sadadpay.W004"]
    settings.SADADPAY = with_account("second", CLIENT_KEY="ck_other")
    assert said() == {}


# Addresses


@pytest.mark.parametrize("urlconf", ["tests.checks.urls_without"])
def test_urls_that_are_not_included_are_an_error(urlconf: str, settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf
    assert list(said()) == ["sadadpay.E010"]


def test_a_webhook_address_with_a_language_is_a_warning(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.views.urls_by_language"
    assert list(said()) == ["sadadpay.W007"]


# Payables


def test_a_shop_with_nothing_to_pay_for_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payables, "_by_name", {})
    assert list(said()) == ["sadadpay.W001"]


class Elsewhere:
    """Orders live in another database."""

    def db_for_write(self, model: Any, **_: Any) -> str | None:
        return "orders" if model is apps.get_model("shop", "Order") else None


def test_a_payable_of_another_database_is_refused(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [Elsewhere()]
    found = said()
    assert list(found) == ["sadadpay.E006"]
    assert "'order' is written to the database 'orders'" in found["sadadpay.E006"]


# Database

WAL = {"OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;"}}


@pytest.fixture
def on_sqlite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, db: None) -> Iterator[Callable[..., None]]:
    """Let the check look at a SQLite database of its own."""
    made: list[ConnectionHandler] = []

    def use(name: str = "", **values: Any) -> None:
        row = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": name or str(tmp_path / "shop.sqlite3"),
            **values,
        }
        made.append(ConnectionHandler({"default": row}))
        monkeypatch.setattr(checks, "connections", made[-1])

    yield use
    for handler in made:
        handler.close_all()


@pytest.mark.parametrize(
    ("values", "expected"), [(WAL, []), ({"name": ":memory:"}, []), ({}, ["sadadpay.W003"])]
)
def test_sqlite_without_wal_is_a_warning(
    values: dict[str, Any], expected: list[str], on_sqlite: Callable[..., None]
) -> None:
    on_sqlite(**values)
    assert list(said(databases=["default"])) == expected


def test_a_live_shop_on_sqlite_is_a_warning(settings: Any, on_sqlite: Callable[..., None]) -> None:
    on_sqlite(**WAL)
    settings.SADADPAY = with_account(**LIVE)
    assert list(said(databases=["default"])) == ["sadadpay.W002"]


def test_broken_settings_do_not_break_the_database_check(
    settings: Any, on_sqlite: Callable[..., None]
) -> None:
    on_sqlite(**WAL)
    settings.SADADPAY = None
    assert list(said(databases=["default"])) == ["sadadpay.E001"]


def test_the_database_is_left_alone_unless_asked_for() -> None:
    assert checks.check_database() == []
    assert checks.check_database(databases=["other"]) == []


def test_another_database_than_sqlite_has_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = mock.Mock(vendor="postgresql")
    monkeypatch.setattr(checks, "connections", {"default": elsewhere})
    assert checks.check_database(databases=["default"]) == []
