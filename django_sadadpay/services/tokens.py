"""The gateway's token store in the database: one row an account, leased to who renews it (money-flow 8)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from django_sadadpay.conf import Account
from django_sadadpay.gateway.tokens import Tokens
from django_sadadpay.models import GatewayToken
from django_sadadpay.services import clock, crypto, transactions
from django_sadadpay.services.points import point


@dataclass(frozen=True)
class DatabaseTokenStore:
    """Implements ``gateway.tokens.TokenStore`` for one account and environment."""

    account: str
    environment: str

    def load(self) -> Tokens | None:
        row = self._rows().first()
        if row is None or row.access_expires_at is None or row.fetched_at is None:
            return None
        access, refresh = crypto.decrypt(row.access), crypto.decrypt(row.refresh)
        if not access or refresh is None:
            return None
        return Tokens(access, refresh, row.access_expires_at, row.fetched_at)

    def now(self) -> datetime:
        return clock.now()

    def acquire(self, seconds: int) -> str | None:
        holder = secrets.token_hex(16)
        transactions.run(self._ensure_row)
        free = Q(lease_until=None) | Q(lease_until__lt=clock.sql_now())
        until = clock.sql_now() + timedelta(seconds=seconds)
        taken = self._write(free, lease_holder=holder, lease_until=until)
        if not taken:
            return None
        point("token.leased")
        return holder

    def save(self, holder: str, tokens: Tokens) -> bool:
        point("token.fetched")
        kept = self._write(
            Q(lease_holder=holder),
            access=crypto.encrypt(tokens.access),
            refresh=crypto.encrypt(tokens.refresh),
            access_expires_at=tokens.access_expires_at,
            fetched_at=tokens.fetched_at,
            lease_holder="",
            lease_until=None,
        )
        point("token.stored")
        return kept

    def release(self, holder: str) -> None:
        self._write(Q(lease_holder=holder), lease_holder="", lease_until=None)

    def _write(self, condition: Q, **values: Any) -> bool:
        return bool(transactions.run(lambda: self._rows().filter(condition).update(**values)))

    def _ensure_row(self) -> None:
        GatewayToken.objects.get_or_create(account=self.account, environment=self.environment)

    def _rows(self) -> Any:
        return GatewayToken.objects.filter(account=self.account, environment=self.environment)


class HeldTokenStore:
    """The same for a run of many calls: what was read serves half a minute, with one reading of the clock."""

    SECONDS = 30.0

    def __init__(self, store: DatabaseTokenStore) -> None:
        self._store = store
        self._held: tuple[float, datetime, Tokens] | None = None

    def load(self) -> Tokens | None:
        held = self._held
        if held is not None and time.monotonic() - held[0] < self.SECONDS:
            return held[2]
        tokens = self._store.load()
        self._held = None if tokens is None else (time.monotonic(), self._store.now(), tokens)
        return tokens

    def now(self) -> datetime:
        held = self._held
        return self._store.now() if held is None else held[1] + timedelta(seconds=time.monotonic() - held[0])

    def acquire(self, seconds: int) -> str | None:
        self._held = None
        return self._store.acquire(seconds)

    def save(self, holder: str, tokens: Tokens) -> bool:
        self._held = None
        return self._store.save(holder, tokens)

    def release(self, holder: str) -> None:
        self._store.release(holder)


def store_for(account: Account) -> DatabaseTokenStore:
    return DatabaseTokenStore(account.name, account.environment)
