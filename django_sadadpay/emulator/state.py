"""The stand-in's world: every record under one lock, a clock that can be moved, a state file."""

from __future__ import annotations

import json
import os
import random
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from django_sadadpay.emulator import ledger, subscriptions
from django_sadadpay.emulator.entities import Currency, Invoice, Refund, Stored, Token, WebhookMessage
from django_sadadpay.emulator.faults import Faults
from django_sadadpay.emulator.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where the ids of the real sandbox replies stood when they were kept, so that a replay gives the same ids.
FIRST_IDS = {"invoice": 68141, "item": 14030, "transaction": 90001, "refund": 501, "webhook": 1, "order": 1}

#: Code → (rate, decimals). USD is the documented sample's 0.31; the others are assumed, and can be changed.
CURRENCIES = {
    "KWD": (1.0, 3),
    "USD": (0.31, 2),
    "EUR": (0.335, 2),
    "GBP": (0.39, 2),
    "SAR": (0.082, 2),
    "AED": (0.084, 2),
    "QAR": (0.085, 2),
    "BHD": (0.815, 3),
    "OMR": (0.8, 3),
}

OPENING_BALANCE_FILS = 1_000_000_000


CHOICES = {
    "webhook_style": ("camel", "documented"),
    "refund_id": ("true", "number", "text", "empty"),
    "empty_error_key": ("null", "empty"),
    "insert_reply": ("object", "id", "text", "true"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The merchant's account as in the panel, and the choices where the contract leaves two readings.

    Times are seconds. ``refund_delay`` 0 refunds at once, more leaves it ``WaitingRefund`` for so long.
    """

    client_key: str = field(default="ck_emulator", repr=False)
    client_secret: str = field(default="cs_emulator", repr=False)
    webhook_url: str | None = field(default=None, repr=False)
    webhook_interval: float = 180.0
    webhook_tries: int = 5
    webhook_timeout: float = 10.0
    webhook_style: Literal["camel", "documented"] = "camel"
    vendor_id: int = 20456
    vendor_company: str = "Test shop"
    valid_days: int = 7
    access_token_seconds: int = 86400
    success_return_url: str | None = None
    fail_return_url: str | None = None
    refund_delay: float = 0.0
    refund_id: Literal["true", "number", "text", "empty"] = "true"
    refund_transactions: bool = False
    list_deleted: bool = True
    empty_error_key: Literal["null", "empty"] = "null"
    insert_reply: Literal["object", "id", "text", "true"] = "object"
    update_reply: bool | None = True
    delete_reply: bool | None = None

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}")


class World:
    """Everything that the stand-in knows. Read and change it only inside ``transaction()``."""

    def __init__(
        self, settings: Settings | None = None, *, seed: int = 0, state_file: str | Path | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.seed = seed
        self.base_url = ""
        self.lock = threading.RLock()
        self.wake = threading.Event()
        self.faults = Faults(seed, [route.name for route in ROUTES])
        self._state_file = Path(state_file) if state_file else None
        self._dirty = False
        self.clear()
        if self._state_file and self._state_file.exists():
            self._load(json.loads(self._state_file.read_text("utf-8")))

    def clear(self) -> None:
        """Forget everything: a new merchant with the opening balance. Marks the world as changed."""
        self.invoices: dict[int, Invoice] = {}
        self.refunds: list[Refund] = []
        self.objects: dict[str, dict[int, Stored]] = {}
        self.webhooks: list[WebhookMessage] = []
        self.tokens: dict[str, Token] = {}
        self.currencies = {code: Currency(code, *row) for code, row in CURRENCIES.items()}
        self.counters = dict(FIRST_IDS)
        self.balance_fils = OPENING_BALANCE_FILS
        self.offset = 0.0
        self._dirty = True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One change at a time. What has changed is in the state file before anyone is told of it."""
        with self.lock:
            ledger.complete_due_refunds(self)
            subscriptions.bill_due(self)
            try:
                yield
            finally:
                if self._dirty and self._state_file:
                    self._write(self._state_file)
                self._dirty = False

    def touch(self) -> None:
        """Say that something has changed, so that the state file is written."""
        self._dirty = True

    def now(self) -> float:
        """Seconds since the epoch on the stand-in's clock."""
        return time.time() + self.offset

    def next_id(self, kind: str) -> int:
        """The next number of its kind, from 1 where ``FIRST_IDS`` says nothing; touches the world."""
        number = self.counters.get(kind, 1)
        self.counters[kind] = number + 1
        self.touch()
        return number

    def digits(self, purpose: str, number: int, count: int) -> str:
        """Digits without a leading zero that depend only on the seed, the purpose and the number.

        So keys do not depend on the order of other calls, and a restart does not repeat them.
        """
        source = random.Random(f"{self.seed}:{purpose}:{number}")  # noqa: S311 (repeatable on purpose)
        return str(source.randrange(10 ** (count - 1), 10**count))

    def new_token(self, kind: str, seconds: float | None = None) -> str:
        """A new token, never one of an earlier run: a stale token in a shop must not work by luck."""
        value = f"{kind}.{secrets.token_urlsafe(48)}"
        self.tokens[value] = Token(value, kind, None if seconds is None else self.now() + seconds)
        self.touch()
        return value

    def _write(self, path: Path) -> None:
        """Beside it, then renamed: a killed process leaves the old file or the new one, never half of one."""
        beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with open(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(self._dump(), file)
        beside.replace(path)

    def _dump(self) -> dict[str, Any]:
        return {
            "invoices": [row.to_json() for row in self.invoices.values()],
            "refunds": [row.to_json() for row in self.refunds],
            "objects": [row.to_json() for kind in self.objects.values() for row in kind.values()],
            "webhooks": [row.to_json() for row in self.webhooks],
            "tokens": [row.to_json() for row in self.tokens.values()],
            "currencies": [row.to_json() for row in self.currencies.values()],
            "counters": self.counters,
            "balance_fils": self.balance_fils,
            "offset": self.offset,
            "seed": self.seed,
        }

    def _load(self, data: dict[str, Any]) -> None:
        self.invoices = {row["id"]: Invoice.from_json(row) for row in data["invoices"]}
        self.refunds = [Refund.from_json(row) for row in data["refunds"]]
        self.objects = {}
        for stored in map(Stored.from_json, data.get("objects", [])):  # older state files have none
            self.objects.setdefault(stored.kind, {})[stored.id] = stored
        self.webhooks = [WebhookMessage.from_json(row) for row in data["webhooks"]]
        self.tokens = {row["value"]: Token.from_json(row) for row in data["tokens"]}
        self.currencies = {row["code"]: Currency.from_json(row) for row in data["currencies"]}
        self.counters = {**FIRST_IDS, **data["counters"]}
        self.balance_fils = data["balance_fils"]
        self.offset = data["offset"]
        self.seed = data["seed"]
        self._dirty = False
