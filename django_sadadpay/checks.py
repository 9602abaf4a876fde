"""System checks: configuration that cannot work, or is not safe, is refused with a hint how to mend it.

No message holds a setting's value where that could be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.http.request import validate_host
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from django_sadadpay import conf
from django_sadadpay.conf import Account, Config
from django_sadadpay.models import Invoice
from django_sadadpay.registry import mirrors, payables

Found = Iterator[CheckMessage]
#: Below this a secret can be guessed by trying; ``secrets.token_urlsafe(32)`` gives 43.
SHORTEST_SECRET = 16
_LAZY = re.compile(
    r"change[-_.]?me|secret|password|example|your[-_.]|test|webhook|sadad|123456|qwerty", re.IGNORECASE
)


def connect() -> None:
    """Register the checks (``AppConfig.ready``)."""
    checks.register(check_settings, "sadadpay")
    checks.register(check_urls, "sadadpay", Tags.urls)
    checks.register(check_payables, "sadadpay", Tags.models)
    checks.register(check_mirrors, "sadadpay", Tags.models)
    checks.register(check_database, "sadadpay", Tags.database)


def check_settings(**_: Any) -> list[CheckMessage]:
    """``SADADPAY`` and what it needs of the project."""
    found: list[CheckMessage] = [] if settings.USE_TZ else [_no_time_zones()]
    try:
        config = conf.current()
    except ImproperlyConfigured as error:
        return [*found, _invalid(error)]
    for look in _SETTINGS_CHECKS:
        found += look(config)
    return found


def check_urls(**_: Any) -> list[CheckMessage]:
    """Our views have addresses, and the webhook's does not depend on a language."""
    addresses = set()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            try:
                addresses.add(reverse("sadadpay:webhook", args=["account", "secret"]))
            except NoReverseMatch:
                return [_no_urls()]
    return [_address_has_a_language()] if len(addresses) > 1 else []


def check_payables(**_: Any) -> list[CheckMessage]:
    """There is something to pay for, in the same database as the invoices."""
    registered = list(payables)
    if not registered:
        return [_nothing_payable()]
    ours = router.db_for_write(Invoice)
    written = [(p, router.db_for_write(p.model)) for p in registered if p.model is not None]
    return [_other_database(p.name, theirs, ours) for p, theirs in written if theirs != ours]


def check_mirrors(**_: Any) -> list[CheckMessage]:
    """What is mirrored is written in the same database as its mirror: one transaction holds both."""
    ours = router.db_for_write(Invoice)
    written = [(m, router.db_for_write(m.model)) for m in mirrors]
    return [_mirror_elsewhere(m.name, theirs, ours) for m, theirs in written if theirs != ours]


def check_database(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """SQLite serves a small shop, in WAL mode. Asks the database: Django runs it on ``check --database``."""
    alias = router.db_for_write(Invoice)
    connection = connections[alias]
    if alias not in (databases or ()) or connection.vendor != "sqlite":
        return []
    found: list[CheckMessage] = [_sqlite_live()] if _live_accounts() else []
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        (mode,) = cursor.fetchone()
    return found if mode in ("wal", "memory") else [*found, _no_wal(alias)]


def _live_accounts() -> list[Account]:
    try:
        return _live(conf.current())
    except ImproperlyConfigured:  # check_settings says so
        return []


# Settings


def _live(config: Config) -> list[Account]:
    return [account for account in config.accounts.values() if account.environment == "live"]


def _site_url(config: Config) -> Found:
    if not _live(config):
        return
    if config.site_url is None:
        yield Error(
            "A live account needs SITE_URL: the addresses that Sadad is given must not come from a request.",
            hint='Set SADADPAY["SITE_URL"] = "https://your.shop".',
            id="sadadpay.E003",
        )
    elif urlsplit(config.site_url).scheme != "https":
        yield Error(
            "A live account needs a SITE_URL that starts with https://.",
            hint='Set SADADPAY["SITE_URL"] to the https:// address of the shop.',
            id="sadadpay.E004",
        )
    elif not validate_host(urlsplit(config.site_url).hostname or "", settings.ALLOWED_HOSTS):
        yield Caution(
            "The host of SITE_URL is not in ALLOWED_HOSTS: buyers who return from Sadad would get a 400.",
            hint="Add the host to ALLOWED_HOSTS, unless a proxy in front sends another one.",
            id="sadadpay.W008",
        )


def _overrides(config: Config) -> Found:
    for account in _live(config):
        if account.api_url or account.pay_url:
            yield Error(
                f"The live account {account.name!r} has API_URL or PAY_URL: no money would reach Sadad.",
                hint="Take both out; they are for the emulator and the sandbox.",
                id="sadadpay.E005",
            )


def _secrets(config: Config) -> Found:
    for account in config.accounts.values():
        for secret in account.webhook_secrets:
            if len(secret) < SHORTEST_SECRET:
                yield _short_secret(account.name)
            elif secret in (account.client_key, account.client_secret):
                yield _reused_secret(account.name)
            elif _is_lazy(secret):
                yield _lazy_secret(account.name)


def _is_lazy(secret: str) -> bool:
    """Few different characters, or little left when words that everybody writes are taken out."""
    return len(set(secret)) < 8 or len(_LAZY.sub("", secret)) < SHORTEST_SECRET // 2


def _same_keys(config: Config) -> Found:
    for one, other in combinations(config.accounts.values(), 2):
        if (one.client_key, one.environment) == (other.client_key, other.environment):
            yield Caution(
                f"The accounts {one.name!r} and {other.name!r} have the same CLIENT_KEY and ENVIRONMENT.",
                hint="Use one account for both, or give each its own keys: Sadad knows one webhook for each.",
                id="sadadpay.W004",
            )


def _debug(config: Config) -> Found:
    if settings.DEBUG and _live(config):
        yield Caution(
            "DEBUG is on with a live account: error pages show customers' data.",
            hint='Set DEBUG = False, or ENVIRONMENT = "sandbox".',
            id="sadadpay.W005",
        )


def _celery(config: Config) -> Found:
    if config.task_runner == "celery" and find_spec("celery") is None:
        yield Error(
            'TASK_RUNNER is "celery", but Celery is not installed.',
            hint='pip install "django-sadadpay[celery]", or set TASK_RUNNER = "inline".',
            id="sadadpay.E007",
        )


_SETTINGS_CHECKS: tuple[Callable[[Config], Found], ...] = (
    _site_url,
    _overrides,
    _secrets,
    _same_keys,
    _debug,
    _celery,
)


# Messages


def _invalid(error: ImproperlyConfigured) -> Error:
    return Error(
        str(error), hint="Mend the SADADPAY setting; the README shows a whole one.", id="sadadpay.E001"
    )


def _no_time_zones() -> Error:
    return Error(
        "USE_TZ is off: times of payments, expiries and leases would be wrong.",
        hint="Set USE_TZ = True.",
        id="sadadpay.E002",
    )


def _short_secret(account: str) -> Error:
    return Error(
        f"WEBHOOK_SECRET of account {account!r} is shorter than {SHORTEST_SECRET} characters.",
        hint='python -c "import secrets; print(secrets.token_urlsafe(32))" gives a good one.',
        id="sadadpay.E008",
    )


def _reused_secret(account: str) -> Error:
    return Error(
        f"WEBHOOK_SECRET of account {account!r} is also its client key or secret.",
        hint='python -c "import secrets; print(secrets.token_urlsafe(32))" gives one of its own.',
        id="sadadpay.E009",
    )


def _lazy_secret(account: str) -> Caution:
    return Caution(
        f"WEBHOOK_SECRET of account {account!r} looks as if it were made up by hand.",
        hint='python -c "import secrets; print(secrets.token_urlsafe(32))" gives one that nobody guesses.',
        id="sadadpay.W006",
    )


def _no_urls() -> Error:
    return Error(
        "The URLs of django_sadadpay are not included: no webhook could arrive, and no buyer return.",
        hint='Add path("payments/", include("django_sadadpay.urls")) to the project\'s urlpatterns.',
        id="sadadpay.E010",
    )


def _address_has_a_language() -> Caution:
    return Caution(
        "The webhook's address differs by language: django_sadadpay.urls stands in i18n_patterns.",
        hint="Include it outside of them: Sadad calls one address.",
        id="sadadpay.W007",
    )


def _nothing_payable() -> Caution:
    return Caution(
        "No payable is registered: nothing can be paid for.",
        hint='Write a class with @register(Order, name="order") in sadadpay.py of an installed app.',
        id="sadadpay.W001",
    )


def _other_database(name: str, theirs: str, ours: str) -> Error:
    return Error(
        f"The payable {name!r} is written to the database {theirs!r}, invoices to {ours!r}.",
        hint="No transaction spans both: let DATABASE_ROUTERS send the app sadadpay to the payable's.",
        id="sadadpay.E006",
    )


def _mirror_elsewhere(name: str, theirs: str, ours: str) -> Error:
    return Error(
        f"The mirrored model {name!r} is written to the database {theirs!r}, its mirror to {ours!r}.",
        hint="No transaction spans both: let DATABASE_ROUTERS send the app sadadpay to the model's.",
        id="sadadpay.E011",
    )


def _sqlite_live() -> Caution:
    return Caution(
        "A live account on SQLite: one writer at a time, and no second machine.",
        hint="Use PostgreSQL or MariaDB for a live shop.",
        id="sadadpay.W002",
    )


def _no_wal(alias: str) -> Caution:
    return Caution(
        f"The SQLite database {alias!r} is not in WAL mode: readers and the webhook lock each other out.",
        hint='Add "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;"} to DATABASES.',
        id="sadadpay.W003",
    )
