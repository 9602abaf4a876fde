"""Settings as frozen, typed, validated objects. Nothing is read at import; ``override_settings`` works."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from django_sadadpay.gateway import spelling
from django_sadadpay.gateway.spelling import Spellings

ENVIRONMENTS = ("sandbox", "live")
RUNNERS = ("inline", "celery")
CONFLICTS = ("theirs", "ask")


@dataclass(frozen=True)
class Account:
    """One merchant account at Sadad. Its keys come from settings only and are never shown."""

    name: str
    client_key: str = field(repr=False)
    client_secret: str = field(repr=False)
    environment: str
    webhook_secrets: tuple[str, ...] = field(repr=False)
    api_url: str | None
    pay_url: str | None
    fields: Spellings = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """``SADADPAY``. Durations are seconds unless the name says otherwise."""

    accounts: Mapping[str, Account]
    site_url: str | None
    task_runner: str
    encryption_keys: tuple[str, ...] = field(repr=False)
    invoice_valid_days: int = 3
    reconcile_max_calls: int = 200
    reconcile_max_seconds: int = 60
    reconcile_late_after: int = 15 * 60
    refund_look_hours: int = 72
    rate_max_age_hours: int = 24
    return_view_deadline: int = 10
    push_concurrency: int = 4
    push_on_save: bool = False
    retention_days: int = 730
    pull_conflict: str = "theirs"

    def account(self, name: str) -> Account:
        """:raises ImproperlyConfigured: an account that is not in ``SADADPAY["ACCOUNTS"]``."""
        try:
            return self.accounts[name]
        except KeyError:
            raise ImproperlyConfigured(f'SADADPAY["ACCOUNTS"] has no account {name!r}') from None


_KNOWN = {"ACCOUNTS", "SITE_URL", "TASK_RUNNER", "ENCRYPTION_KEYS", "PUSH_ON_SAVE", "PULL_CONFLICT"}
_NUMBERS = tuple(f.name for f in fields(Config) if f.type == "int")
#: As days, seconds or calls this is for ever, and still within what dates can reckon with.
_MOST = 1_000_000
_ACCOUNT_KEYS = {
    "CLIENT_KEY",
    "CLIENT_SECRET",
    "ENVIRONMENT",
    "WEBHOOK_SECRET",
    "API_URL",
    "PAY_URL",
    "FIELDS",
}


def current() -> Config:
    """The validated settings.

    :raises ImproperlyConfigured: names the setting and what to write; never its value, which may be a secret.
    """
    return _read()


@cache
def _read() -> Config:
    raw = getattr(settings, "SADADPAY", None)
    if not isinstance(raw, Mapping):
        raise ImproperlyConfigured("SADADPAY is missing: a dict with ACCOUNTS, SITE_URL and TASK_RUNNER")
    _refuse_unknown("SADADPAY", raw, _KNOWN | {name.upper() for name in _NUMBERS})
    return Config(
        accounts=_accounts(raw.get("ACCOUNTS")),
        site_url=_url("SITE_URL", raw.get("SITE_URL")),
        task_runner=_choice("TASK_RUNNER", raw.get("TASK_RUNNER", "inline"), RUNNERS),
        encryption_keys=_texts("ENCRYPTION_KEYS", raw.get("ENCRYPTION_KEYS", ())),
        push_on_save=_flag("PUSH_ON_SAVE", raw.get("PUSH_ON_SAVE", False)),
        pull_conflict=_choice("PULL_CONFLICT", raw.get("PULL_CONFLICT", "theirs"), CONFLICTS),
        **{name: _whole(name.upper(), raw[name.upper()]) for name in _NUMBERS if name.upper() in raw},
    )


def _accounts(raw: Any) -> Mapping[str, Account]:
    if not isinstance(raw, Mapping) or not raw:
        raise ImproperlyConfigured('SADADPAY["ACCOUNTS"] needs at least one account, usually "default"')
    return {name: _account(name, row) for name, row in raw.items()}


def _account(name: Any, row: Any) -> Account:
    where = f"ACCOUNTS[{name!r}]"
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise ImproperlyConfigured(
            f"SADADPAY: {where}: an account's name is 1 to 40 letters, digits, - and _"
        )
    if not isinstance(row, Mapping):
        raise ImproperlyConfigured(f"SADADPAY: {where} must be a dict")
    _refuse_unknown(where, row, _ACCOUNT_KEYS)
    return Account(
        name=name,
        client_key=_text(f"{where}.CLIENT_KEY", row.get("CLIENT_KEY")),
        client_secret=_text(f"{where}.CLIENT_SECRET", row.get("CLIENT_SECRET")),
        environment=_choice(f"{where}.ENVIRONMENT", row.get("ENVIRONMENT"), ENVIRONMENTS),
        webhook_secrets=_url_parts(f"{where}.WEBHOOK_SECRET", row.get("WEBHOOK_SECRET")),
        api_url=_url(f"{where}.API_URL", row.get("API_URL")),
        pay_url=_url(f"{where}.PAY_URL", row.get("PAY_URL")),
        fields=_spellings(f"{where}.FIELDS", row.get("FIELDS", {})),
    )


def _spellings(where: str, value: Any) -> Spellings:
    """Sadad's names where the account's differ from the endpoint table."""
    if not isinstance(value, Mapping) or not all(isinstance(names, Mapping) for names in value.values()):
        raise ImproperlyConfigured(
            f'SADADPAY: {where} must be a dict such as {{"Product/insert": {{"name_en": "name_En"}}}}'
        )
    try:
        spelling.respelt(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"SADADPAY: {where}: {error}") from None
    return value


def _refuse_unknown(where: str, raw: Mapping[Any, Any], known: set[str]) -> None:
    extra = sorted(str(key) for key in raw if key not in known)
    if extra:
        raise ImproperlyConfigured(
            f"{where}: unknown {', '.join(extra)}; known are {', '.join(sorted(known))}"
        )


def _text(where: str, value: Any) -> str:
    # Keys pasted from the panel come with blanks and newlines, which Sadad refuses (contract 2.1).
    if not isinstance(value, str) or not value.strip():
        raise ImproperlyConfigured(f"SADADPAY: {where} must be a text that is not empty")
    return value.strip()


def _texts(where: str, value: Any, least: int = 0) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)) or len(values) < least:
        raise ImproperlyConfigured(f"SADADPAY: {where} must be a text or a list of texts")
    return tuple(_text(where, item) for item in values)


def _url_parts(where: str, value: Any) -> tuple[str, ...]:
    texts = _texts(where, value, least=1)
    if not all(re.fullmatch(r"[A-Za-z0-9._~-]+", text) for text in texts):
        # It stands in the webhook's address: with "/" or "?" no call would ever arrive.
        raise ImproperlyConfigured(f"SADADPAY: {where} may hold only letters, digits and . _ ~ -")
    return texts


def _choice(where: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ImproperlyConfigured(f"SADADPAY: {where} must be one of {', '.join(choices)}")
    return str(value)


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ImproperlyConfigured(f"SADADPAY: {where} must be True or False")
    return value


def _whole(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ImproperlyConfigured(f"SADADPAY: {where} must be a whole number from 1 to {_MOST}")
    return value


def _url(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _is_address(value.strip()):
        raise ImproperlyConfigured(
            f"SADADPAY: {where} must be an address that starts with http:// or https://"
        )
    return value.strip().rstrip("/")


def _is_address(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:  # "http://["
        return False
    return url.scheme in ("http", "https") and bool(url.hostname)


def reset(*, setting: str = "", **_: Any) -> None:
    """Forget what was read (``setting_changed``)."""
    if setting in ("", "SADADPAY"):
        _read.cache_clear()


def connect() -> None:
    setting_changed.connect(reset, dispatch_uid="sadadpay.conf")
