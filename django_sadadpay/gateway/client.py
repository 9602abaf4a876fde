"""``SadadClient``: Sadad's API as Python calls. Works without Django."""

from __future__ import annotations

import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django_sadadpay.gateway import envelope, outgoing
from django_sadadpay.gateway.catalog import Embedded, Resource, SubscriptionLinks, Subscriptions
from django_sadadpay.gateway.hidden import Hidden, hide
from django_sadadpay.gateway.resources import CommonCalls, InvoiceCalls, RefundCalls, UserCalls
from django_sadadpay.gateway.spelling import respelt
from django_sadadpay.gateway.tokens import EARLY_SECONDS, MemoryTokenStore, TokenSource
from django_sadadpay.gateway.transport import Attempts, Outgoing, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.envelope import Reply
    from django_sadadpay.gateway.spelling import Spellings
    from django_sadadpay.gateway.tokens import TokenStore

# Contract 1.1. The API host is one word, "apisandbox".
API_URLS = {"sandbox": "https://apisandbox.sadadpay.net/api", "live": "https://api.sadadpay.net/api"}
PAY_URLS = {"sandbox": "https://sandbox.sadadpay.net/pay", "live": "https://sadadpay.net/pay"}
WARM_SECONDS = 300


class SadadClient:
    """One merchant account.

    :param key, secret: from the merchant panel (contract 2.1); blanks around them are cut off.
    :param environment: ``"sandbox"`` or ``"live"``; says which hosts, unless ``api_url`` and ``pay_url`` do.
    :param store: where tokens are kept; by default in this object, for one process.
    :param before_call: called with the endpoint's name before every HTTP call.
    :param deadline: seconds for each call.
    :param fields: the account's own names where they differ from the table's:
        ``{"Product/insert": {"name_en": "name_En", "reply.id": "productId"}}``.
    :param on_reply: called after every HTTP answer with the endpoint, the reply and the seconds it took.
    :raises ValueError: an unknown environment or field, or an empty key or secret.
    """

    def __init__(
        self,
        key: str,
        secret: str,
        environment: str = "sandbox",
        *,
        api_url: str | None = None,
        pay_url: str | None = None,
        store: TokenStore | None = None,
        before_call: Callable[[str], None] | None = None,
        deadline: float = 20.0,
        fields: Spellings | None = None,
        on_reply: Callable[[Endpoint, Reply, float], None] | None = None,
    ) -> None:
        if environment not in API_URLS:
            raise ValueError(f"environment must be one of {', '.join(API_URLS)}")
        self._basic = _basic(key, secret)
        self.environment = environment
        self.endpoints = respelt(fields)
        self._on_reply = on_reply
        self.pay_url = (pay_url or PAY_URLS[environment]).rstrip("/")
        self.transport = Transport(
            api_url or API_URLS[environment], deadline=deadline, before_call=before_call
        )
        self.user = UserCalls(self)
        self.invoices = InvoiceCalls(self)
        self.refunds = RefundCalls(self)
        self.common = CommonCalls(self)
        self.payment_links = Resource(self, "PaymentLink")
        self.installment_plans = Resource(self, "InstallmentPlan")
        self.products = Resource(self, "Product")
        self.product_links = Resource(self, "ProductLink")
        self.product_categories = Resource(self, "ProductCategory")
        self.customers = Resource(self, "Customer")
        self.subscriptions = Subscriptions(self, "Subscription")
        self.subscription_templates = Resource(self, "SubscriptionTemplate")
        self.subscription_links = SubscriptionLinks(self, "SubscriptionLink")
        self.embedded = Embedded(self)
        self.tokens = TokenSource(
            store or MemoryTokenStore(),
            lambda seconds: self.user.generate_refresh_token(deadline=seconds),
            lambda refresh, seconds: self.user.generate_access_token(refresh, deadline=seconds),
        )

    def __repr__(self) -> str:
        return f"<SadadClient {self.environment}>"

    @property
    def pay_host(self) -> str:
        """The pay page's host, with its port if it has one."""
        return urlsplit(self.pay_url).netloc

    def pay_url_for(self, key: str) -> str:
        """The pay page of an invoice, from its ``key`` (contract 1.1).

        :raises ValueError: the key is not made of digits.
        """
        if not (key.isascii() and key.isdigit()):
            raise ValueError("an invoice's key is made of digits")
        return f"{self.pay_url}/{key}"

    def warm(self) -> None:
        """Make sure of a token that lasts five minutes.

        :raises SadadError: as ``TokenSource.access``.
        """
        self.tokens.access(WARM_SECONDS, seconds=self.transport.deadline)

    def call(
        self,
        endpoint: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        token: bool = True,
        deadline: float | None = None,
        max_bytes: int | None = None,
        min_token_seconds: int = EARLY_SECONDS,
    ) -> Any:
        """Call any endpoint of the table, with Sadad's own names; the result is the decoded ``response``.

        :param endpoint: for example ``"Product/getall"``.
        :param token: False sends none, to an endpoint that asks for one.
        :param deadline: seconds. A read has them for all, a write for itself after as many for a token.
        :raises SadadError: see ``errors``. :raises KeyError: no such endpoint.
        """
        query, body = hide(query), hide(body)
        return self.call_sized(
            endpoint,
            query=query,
            body=body,
            token=token,
            deadline=deadline,
            max_bytes=max_bytes,
            min_token_seconds=min_token_seconds,
        )[0]

    def call_sized(
        self,
        endpoint: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        token: bool = True,
        deadline: float | None = None,
        max_bytes: int | None = None,
        min_token_seconds: int = EARLY_SECONDS,
    ) -> tuple[Any, int]:
        """As ``call``, with the size of the reply's body in bytes."""
        query, body = hide(query), hide(body)
        row = self.endpoints[endpoint]
        order = _Order(
            row,
            outgoing.query_texts(row, query),
            outgoing.body_bytes(row, body),
            self.transport.deadline if deadline is None else deadline,
            max_bytes,
            Attempts(row.attempts),
        )
        if token and row.auth == "access":
            reply, fresh = self._with_token(order, min_token_seconds)
        else:
            reply, fresh = self._send(order, self._own_credential(row) if token else None), True
        return envelope.result(row, reply, fresh=fresh), reply.size

    def call_with(self, endpoint: str, authorization: Hidden, *, deadline: float | None = None) -> Any:
        """Call with an ``Authorization`` header of one's own; the result is the decoded ``response``."""
        row = self.endpoints[endpoint]
        seconds = self.transport.deadline if deadline is None else deadline
        order = _Order(row, {}, None, seconds, None, Attempts(row.attempts))
        return envelope.result(row, self._send(order, authorization), fresh=True)

    def _own_credential(self, row: Endpoint) -> Hidden | None:
        if row.auth == "refresh":
            held = self.tokens.store.load()
            return Hidden(f"Bearer {held.refresh if held else self.user.generate_refresh_token()}")
        return self._basic if row.auth == "basic" else None

    def _with_token(self, order: _Order, min_seconds: int) -> tuple[Reply, bool]:
        """Send with the access token; renew it and repeat once if it is refused for its age (money-flow 8).

        The refusal proves that Sadad did not look at the call, so a write may be repeated too.
        """
        token = self.tokens.access(min_seconds, seconds=order.left())
        reply = self._send(order, Hidden(f"Bearer {token}"))
        if reply.refuses_token and order.attempts.left > 0 and not self.tokens.is_fresh(token):
            token = self.tokens.renew(token, seconds=order.left())
            reply = self._send(order, Hidden(f"Bearer {token}"))
        return reply, reply.refuses_token and self.tokens.is_fresh(token)

    def _send(self, order: _Order, authorization: Hidden | None) -> Reply:
        began = time.monotonic()
        reply = self.transport.send(
            Outgoing(order.endpoint, order.query, order.body, authorization),
            deadline=order.left(),
            max_bytes=order.max_bytes,
            attempts=order.attempts,
        )
        if self._on_reply is not None:
            self._on_reply(order.endpoint, reply, time.monotonic() - began)
        return reply


@dataclass(slots=True, repr=False)
class _Order:
    """One call of ours, with its repeats."""

    endpoint: Endpoint
    query: dict[str, str]
    body: bytes | None
    deadline: float
    max_bytes: int | None
    attempts: Attempts
    began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds for the next step. A write has them all: cut short, it would end unknown."""
        if not self.endpoint.reads:
            return self.deadline
        return self.deadline - (time.monotonic() - self.began)


def _basic(key: str, secret: str) -> Hidden:
    # A stray newline from copying gives WrongClientKeyOrClientSecret (contract 2.1).
    key, secret = key.strip(), secret.strip()
    if not key or not secret:
        raise ValueError("the client key and the client secret must not be empty")
    return Hidden(f"Basic {b64encode(f'{key}:{secret}'.encode()).decode()}")
