"""What a run is asked to do."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import requests
from urllib3.util import parse_url

from django_sadadpay.gateway.client import API_URLS
from django_sadadpay.gateway.spelling import Spellings

#: Nobody can have them: no Kuwaiti number begins with 0 (contract 12), and example.com is reserved.
MOBILE, EMAIL = "+96500000000", "probe@example.com"
_SECOND_MOBILE, _SECOND_EMAIL = "+96500000001", "probe-2@example.com"

_SANDBOX = "apisandbox.sadadpay.net"

_RUN = re.compile(r"[0-9a-z]{4,16}")


class CouldNotRun(Exception):
    """Nothing was probed: the text says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Account:
    """The merchant account: what ``SadadClient`` takes, and the name that advice should use."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    environment: str = "sandbox"
    api_url: str | None = None
    pay_url: str | None = None
    fields: Spellings | None = None
    name: str = "default"

    @property
    def live(self) -> bool:
        """By its name, or by the host that is really called."""
        return self.environment == "live" or _is_live(_host(self.address))

    @property
    def address(self) -> str:
        """Where it is called: ids mean nothing elsewhere."""
        return self.api_url or API_URLS.get(self.environment, "")

    def fingerprint(self, salt: str) -> str:
        """Tells accounts apart, and tells nobody the key."""
        return hashlib.sha256(f"{salt}:{self.key.strip()}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Options:
    """
    :ivar only: groups of the endpoint table (``"Products"``); empty for all.
    :ivar journal: where it is written down what was made; must not exist yet.
    :ivar record: folder for masked replies, or None.
    :ivar pay: ask a person to pay an invoice of ``amount`` KWD, wait ``wait`` seconds, and refund it.
    :ivar poll: seconds between two looks at it.
    :ivar change_account: try too what cannot be undone (a domain of its own for embedded payment).
    :ivar live: the account may be the live one.
    :ivar timeout: seconds for each call.
    :ivar settle: seconds that Sadad may still work at an insert whose answer was given up.
    :ivar mobile, email: of the customers that it makes up; nobody has them, and no message is asked for.
    :ivar run: part of the name of everything that it makes.
    """

    journal: Path
    only: frozenset[str] = frozenset()
    record: Path | None = None
    pay: bool = False
    amount: Decimal = Decimal("0.100")
    wait: float = 600.0
    poll: float = 3.0
    change_account: bool = False
    live: bool = False
    timeout: float = 20.0
    settle: float = 30.0
    mobile: str = MOBILE
    email: str = EMAIL
    run: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        if not _RUN.fullmatch(self.run):
            raise ValueError("run is 4 to 16 small letters and digits")
        if self.amount <= 0 or self.amount != self.amount.quantize(Decimal("0.001")):
            raise ValueError("amount is KWD above zero, with three places at most")

    def with_journal(self, path: Path) -> Options:
        """The same run, with its journal there."""
        return replace(self, journal=path)

    @property
    def prefix(self) -> str:
        """How the name of everything made begins."""
        return f"probe-{self.run}-"

    @property
    def second_mobile(self) -> str:
        """Of the second of two. Beside a number that was given there is none that is surely nobody's."""
        return _SECOND_MOBILE if self.mobile == MOBILE else self.mobile

    @property
    def second_email(self) -> str:
        return _SECOND_EMAIL if self.email == EMAIL else self.email


def head(account: Account, options: Options) -> Mapping[str, str]:
    """What a journal begins with."""
    return {"run": options.run, **place(account), "account": account.fingerprint(options.run)}


def place(account: Account) -> Mapping[str, str]:
    """Where its ids mean something."""
    return {"environment": account.environment, "api_url": account.address}


def _host(url: str) -> str | None:
    """The host that a call to this address really goes to; None for what cannot be called."""
    try:
        prepared = requests.Request("GET", f"{url.rstrip('/')}/Invoice/getall").prepare().url
        host = parse_url(prepared or "").host
    except (requests.RequestException, ValueError):
        return None
    return unquote(host).casefold().strip(".") if host else None


def _is_live(host: str | None) -> bool:
    """Everything of Sadad's but the sandbox; and what cannot be told from it."""
    if host is None:
        return True
    return host != _SANDBOX and (host == "sadadpay.net" or host.endswith(".sadadpay.net"))
