"""The calls of User, Invoice, Refund and Common, with typed arguments and records."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import fields, outgoing, paging
from django_sadadpay.gateway.coerce import Row, id_text
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.envelope import lost
from django_sadadpay.gateway.errors import InvalidRequest, OutcomeUnknown, Unavailable
from django_sadadpay.gateway.hidden import Hidden
from django_sadadpay.gateway.records import CurrencyRate, InvoiceRecord, RefundReceipt, RefundRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django_sadadpay.gateway.client import SadadClient

# Used when the reply tells no life: short, since a day is only what the docs' sample says (contract 2.2).
UNTOLD_LIFE = 600
LONGEST_LIFE = 7 * 24 * 3600


class _Group:
    def __init__(self, client: SadadClient) -> None:
        self._client = client

    def _rows(
        self, name: str, filters: Mapping[str, Any], max_pages: int, max_bytes: int
    ) -> Iterator[Mapping[str, Any]]:
        endpoint = ENDPOINTS[name]
        query = outgoing.to_wire(endpoint, filters)

        def fetch(skip: int, allowed: int) -> tuple[Any, int]:
            return self._client.call_sized(
                name, query={**query, "listOptions": paging.options(skip)}, max_bytes=allowed
            )

        return paging.rows(endpoint, fetch, max_pages=max_pages, max_bytes=max_bytes)


class UserCalls(_Group):
    """Tokens (contract 2)."""

    def generate_refresh_token(self, *, deadline: float | None = None) -> str:
        """Client key and secret → refresh token (contract 2.1).

        :raises AuthenticationError, Rejected: wrong key or secret.
        """
        name = "User/GenerateRefreshToken"
        response = self._client.call(name, deadline=deadline)
        return self._token(name, response, fields.REFRESH_REPLY, "refresh_token")

    def generate_access_token(self, refresh: str, *, deadline: float | None = None) -> tuple[str, int]:
        """Refresh token → access token and its life in seconds (contract 2.2).

        :raises AuthenticationError, Rejected: the refresh token is refused.
        """
        name = "User/GenerateAccessToken"
        response = self._client.call_with(name, Hidden(f"Bearer {refresh}"), deadline=deadline)
        token = self._token(name, response, fields.ACCESS_REPLY, "access_token")
        life = Row(response, fields.ACCESS_REPLY).number("expires_after")
        return token, UNTOLD_LIFE if life is None or life < 1 else min(int(life), LONGEST_LIFE)

    def _token(self, name: str, response: Any, reply: tuple[fields.Field, ...], field: str) -> str:
        token = Row(response, reply).text(field) if isinstance(response, dict) else ""
        # What could not stand in a header line is no token; sending it would fail, and could show it.
        if not token or not token.isascii() or not token.isprintable():
            raise Unavailable(name, "the answer holds no token")
        return Hidden(token)


class InvoiceCalls(_Group):
    """Invoices (contract 3)."""

    def insert(self, invoice: Mapping[str, Any], *, deadline: float | None = None) -> str:
        """Create one invoice; the result is its id. ``amount`` is KWD as text or Decimal (contract 3.1).

        Fields by our names or Sadad's. Never send one twice: there is no idempotency key.

        :raises InvalidRequest: a required field is missing, or a value such as a float cannot be sent.
        :raises Rejected: Sadad refused it.
        :raises OutcomeUnknown: it may exist.
        """
        name = "Invoice/insert"
        endpoint = ENDPOINTS[name]
        body = {"Invoices": [outgoing.to_wire(endpoint, invoice)]}
        response = self._client.call(name, body=body, deadline=deadline)
        found = (
            Row(response, endpoint.reply).id("invoice_id")
            if isinstance(response, dict)
            else id_text(response)
        )
        if not _is_id(found):
            raise lost(endpoint, "the answer names no invoice")
        return found

    def getbyid(self, invoice_id: str | int, *, deadline: float | None = None) -> InvoiceRecord:
        """Read one invoice: the only trusted payment status (contract 3.2).

        :raises NotFound: Sadad knows no such invoice of this account.
        :raises OutcomeUnknown: the answer is about another invoice (money-flow 4): ask again.
        :raises Unavailable: no usable answer.
        """
        name = "Invoice/getbyid"
        wanted = _named(name, invoice_id)
        response = self._client.call(name, query={"id": wanted}, deadline=deadline)
        if not isinstance(response, dict):
            raise Unavailable(name, "the answer is no invoice")
        record = InvoiceRecord.from_wire(response)
        if record.id != wanted:
            raise OutcomeUnknown(name, "the answer is about another invoice")
        return record

    def getall(
        self, *, max_pages: int = 5, max_bytes: int = 2 * 1024 * 1024, **filters: Any
    ) -> Iterator[InvoiceRecord]:
        """Invoices, newest first where paging works (contract 3.4: filters and paging are assumed).

        Compare the rows yourself: a filter may be ignored. Ends silently at ``max_pages``.

        :raises ReplyTooLarge: the first page alone is over ``max_bytes``.
        :raises Unavailable: no usable answer.
        """
        for row in self._rows("Invoice/getall", filters, max_pages, max_bytes):
            yield InvoiceRecord.from_wire(row)

    def update(self, invoice: Mapping[str, Any], *, deadline: float | None = None) -> None:
        """Change an unpaid invoice, named by its ``id`` (contract 3.5, assumed).

        :raises Rejected: it can no longer be changed. :raises NotFound: no such invoice.
        :raises OutcomeUnknown: it may have been changed.
        """
        name = "Invoice/update"
        self._client.call(name, body=outgoing.to_wire(ENDPOINTS[name], invoice), deadline=deadline)

    def delete(self, invoice_id: str | int, *, deadline: float | None = None) -> None:
        """Delete an unpaid invoice (contract 3.6, assumed).

        :raises Rejected: it can no longer be deleted. :raises NotFound: no such invoice.
        :raises OutcomeUnknown: it may have been deleted.
        """
        name = "Invoice/delete"
        self._client.call(name, query={"id": _named(name, invoice_id)}, deadline=deadline)


class RefundCalls(_Group):
    """Refunds (contract 6)."""

    def insert(
        self,
        invoice_id: str | int,
        amount: Decimal,
        *,
        min_token_seconds: int = 300,
        deadline: float | None = None,
    ) -> RefundReceipt:
        """Ask Sadad to refund ``amount`` KWD from the merchant's balance (contract 6.1).

        Repeated once at most, where Sadad did not look at it: token refused, or no connection opened.

        :raises InvalidRequest: not a Decimal above zero with three places at most.
        :raises Rejected: with ``refusal``, surely nothing was refunded; without, look (money-flow 5).
        :raises OutcomeUnknown: it may have been refunded: look, and never send it again.
        :raises AuthenticationError, NotFound, RateLimited, Unavailable: nothing was refunded.
        """
        name = "Refund/insert"
        endpoint = ENDPOINTS[name]
        body = outgoing.to_wire(
            endpoint,
            {
                "invoice_id": _named(name, invoice_id),
                "amount": _kwd(name, amount),
                "refund_type": "DeductFromBalance",
                "currency_code": "KWD",
            },
        )
        response = self._client.call(name, body=body, deadline=deadline, min_token_seconds=min_token_seconds)
        receipt = RefundReceipt.from_wire(response if isinstance(response, dict) else {})
        if not receipt.refund_id:
            raise lost(endpoint, "the answer names no refund")
        return receipt

    def getall(
        self, *, max_pages: int = 5, max_bytes: int = 2 * 1024 * 1024, **filters: Any
    ) -> Iterator[RefundRecord]:
        """Refunds; every field of a row is assumed (contract 6.2)."""
        for row in self._rows("Refund/getall", filters, max_pages, max_bytes):
            yield RefundRecord.from_wire(row)


class CommonCalls(_Group):
    """Currencies (contract 9)."""

    def getcurrencies(self, *, deadline: float | None = None) -> tuple[CurrencyRate, ...]:
        """The rates to KWD. Rows that convert nothing are left out.

        :raises Unavailable: no usable answer.
        """
        name = "Common/getcurrencies"
        response = self._client.call(name, deadline=deadline)
        if not isinstance(response, list):
            raise Unavailable(name, "the answer is no list")
        rates = (CurrencyRate.from_wire(row) for row in response if isinstance(row, dict))
        return tuple(rate for rate in rates if rate is not None)


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 20


def _named(endpoint: str, value: str | int) -> str:
    found = str(value).strip()
    if not _is_id(found):
        raise InvalidRequest(endpoint, "id", "is not a number")
    return found


def _kwd(endpoint: str, amount: object) -> str:
    """KWD with three places. A fourth place is refused, not rounded."""
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount <= 0:
        raise InvalidRequest(endpoint, "amount", "is not a Decimal above zero")
    text = f"{amount:.3f}"
    if Decimal(text) != amount:
        raise InvalidRequest(endpoint, "amount", "has more than three decimal places")
    return text
