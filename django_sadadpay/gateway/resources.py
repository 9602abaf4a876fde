"""The calls of User, Invoice, Refund and Common, with typed arguments and records."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import checking, fields, outgoing
from django_sadadpay.gateway.calls import MAX_BYTES, MAX_PAGES, PAGE_BYTES, Group, is_id, named
from django_sadadpay.gateway.coerce import Row, id_text
from django_sadadpay.gateway.envelope import lost
from django_sadadpay.gateway.errors import InvalidRequest, OutcomeUnknown, Unavailable
from django_sadadpay.gateway.hidden import Hidden, hide
from django_sadadpay.gateway.records import CurrencyRate, InvoiceRecord, RefundReceipt, RefundRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django_sadadpay.gateway import paging
    from django_sadadpay.gateway.endpoints import Endpoint

# Used when the reply tells no life: short, since a day is only what the docs' sample says (contract 2.2).
UNTOLD_LIFE = 600
LONGEST_LIFE = 7 * 24 * 3600


class UserCalls(Group):
    """Tokens (contract 2)."""

    def generate_refresh_token(self, *, deadline: float | None = None) -> str:
        """Client key and secret → refresh token (contract 2.1).

        :raises AuthenticationError, Rejected: wrong key or secret.
        """
        name = "User/GenerateRefreshToken"
        response = self._client.call(name, deadline=deadline)
        return self._token(name, response, "refresh_token")

    def generate_access_token(self, refresh: str, *, deadline: float | None = None) -> tuple[str, int]:
        """Refresh token → access token and its life in seconds (contract 2.2).

        :raises AuthenticationError, Rejected: the refresh token is refused.
        """
        name = "User/GenerateAccessToken"
        response = self._client.call_with(name, Hidden(f"Bearer {refresh}"), deadline=deadline)
        token = self._token(name, response, "access_token")
        life = Row(response, self._row(name).reply).number("expires_after")
        return token, UNTOLD_LIFE if life is None or life < 1 else min(int(life), LONGEST_LIFE)

    def _token(self, name: str, response: Any, field: str) -> str:
        token = Row(response, self._row(name).reply).text(field) if isinstance(response, dict) else ""
        # What could not stand in a header line is no token; sending it would fail, and could show it.
        if not token or not token.isascii() or not token.isprintable():
            raise Unavailable(name, "the answer holds no token")
        return Hidden(token)


class InvoiceCalls(Group):
    """Invoices (contract 3)."""

    def insert(self, invoice: Mapping[str, Any], *, deadline: float | None = None) -> str:
        """Create one invoice; the result is its id. ``amount`` is KWD as text or Decimal (contract 3.1).

        Fields by our names or Sadad's. Never send one twice: there is no idempotency key.

        :raises InvalidRequest: a required field is missing, or a value such as a float cannot be sent.
        :raises Rejected: Sadad refused it.
        :raises OutcomeUnknown: it may exist.
        """
        invoice = hide(invoice)
        name = "Invoice/insert"
        endpoint = self._row(name)
        body = {"Invoices": [outgoing.to_wire(endpoint, invoice)]}
        response = self._client.call(name, body=body, deadline=deadline)
        return self._made(endpoint, response)

    def create_payment_link_invoice(self, values: Mapping[str, Any], *, deadline: float | None = None) -> str:
        """An invoice for who pays a payment link; the result is its id. Takes no token (contract 3.7).

        :param values: ``payment_link_key``, ``amount`` (KWD), ``customer_name``, ``customer_mobile``, …
        :raises InvalidRequest, Rejected, OutcomeUnknown: as ``insert``.
        """
        values = hide(values)
        return self._create("Invoice/createpaymentlinkinvoice", values, deadline)

    def create_product_link_invoice(self, values: Mapping[str, Any], *, deadline: float | None = None) -> str:
        """An invoice for an order from a product link; the result is its id. Takes no token (contract 3.8).

        :param values: ``product_link_key``, ``total_amount`` (KWD), ``customer_name``, ``customer_mobile``,
            ``products``: rows of ``product_id``, ``quantity``, ``amount`` (unit price, KWD).
        :raises InvalidRequest, Rejected, OutcomeUnknown: as ``insert``.
        """
        values = hide(values)
        return self._create("Invoice/createproductlinkinvoice", values, deadline)

    def create_installment_plan_link_invoice(
        self, values: Mapping[str, Any], *, deadline: float | None = None
    ) -> str:
        """An invoice for one installment of a plan; the result is its id (contract 3.9: the body is a guess).

        :param values: ``installment_plan_key``, ``installment_id``.
        :raises InvalidRequest, Rejected, OutcomeUnknown: as ``insert``.
        """
        values = hide(values)
        return self._create("Invoice/createinstallmentplanlinkinvoice", values, deadline)

    def _create(self, name: str, values: Mapping[str, Any], deadline: float | None) -> str:
        return self._made(self._row(name), self._send(name, values, deadline=deadline))

    @staticmethod
    def _made(endpoint: Endpoint, response: Any) -> str:
        """The id of the new invoice, which came as an object (contract 3.1) or alone."""
        row = Row(response, (*endpoint.reply, *fields.ID)) if isinstance(response, dict) else None
        found = (row.id("invoice_id") or row.id("id")) if row else id_text(response)
        if not is_id(found):
            raise lost(endpoint, "the answer names no invoice")
        return found

    def get_by_type_key(
        self,
        type: str,  # noqa: A002  (Sadad's word)
        key: str,
        *,
        deadline: float | None = None,
    ) -> InvoiceRecord:
        """Read the invoice of a type and key (contract 3.9: the parameters are a guess).

        It names what to look at, as a link does; the payment status is ``getbyid``'s alone.

        :raises NotFound: no such invoice. :raises Unavailable: no usable answer.
        """
        name = "Invoice/GetByTypeKey"
        response = self._ask(name, {"type": type, "key": key}, deadline=deadline)
        if not isinstance(response, dict):
            raise Unavailable(name, "the answer is no invoice")
        return InvoiceRecord.from_wire(response, self._row(name).reply)

    def getbyid(self, invoice_id: str | int, *, deadline: float | None = None) -> InvoiceRecord:
        """Read one invoice: the only trusted payment status (contract 3.2).

        :raises NotFound: Sadad knows no such invoice of this account.
        :raises OutcomeUnknown: the answer is about another invoice (money-flow 4): ask again.
        :raises Unavailable: no usable answer.
        """
        name = "Invoice/getbyid"
        wanted = named(name, invoice_id)
        response = self._ask(name, {"id": wanted}, deadline=deadline)
        if not isinstance(response, dict):
            raise Unavailable(name, "the answer is no invoice")
        record = InvoiceRecord.from_wire(response, self._row(name).reply)
        if record.id != wanted:
            raise OutcomeUnknown(name, "the answer is about another invoice")
        return record

    def getall(
        self, *, max_pages: int = MAX_PAGES, max_bytes: int = MAX_BYTES, **filters: Any
    ) -> Iterator[InvoiceRecord]:
        """Invoices, newest first where paging works (contract 3.4: filters and paging are assumed).

        Compare the rows yourself: a filter may be ignored. Ends silently at ``max_pages``.

        :raises ReplyTooLarge: the first page alone is over ``max_bytes``.
        :raises Unavailable: no usable answer.
        """
        filters = hide(filters)
        name = "Invoice/getall"
        for row in self._rows(name, filters, max_pages, max_bytes):
            yield InvoiceRecord.from_wire(row, self._row(name).reply)

    def pages(self, *, skip: int = 0, max_bytes: int = PAGE_BYTES, **filters: Any) -> Iterator[paging.Page]:
        """The list to its end, page by page and by Sadad's names, as ``Resource.pages``."""
        filters = hide(filters)
        return self._pages("Invoice/getall", filters, skip, max_bytes)

    def update(self, invoice: Mapping[str, Any], *, deadline: float | None = None) -> None:
        """Change an unpaid invoice, named by its ``id`` (contract 3.5, assumed).

        :raises Rejected: it can no longer be changed. :raises NotFound: no such invoice.
        :raises OutcomeUnknown: it may have been changed.
        """
        invoice = hide(invoice)
        self._send("Invoice/update", invoice, deadline=deadline)

    def delete(self, invoice_id: str | int, *, deadline: float | None = None) -> None:
        """Delete an unpaid invoice (contract 3.6, assumed).

        :raises Rejected: it can no longer be deleted. :raises NotFound: no such invoice.
        :raises OutcomeUnknown: it may have been deleted.
        """
        name = "Invoice/delete"
        self._ask(name, {"id": named(name, invoice_id)}, deadline=deadline)


class RefundCalls(Group):
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
        endpoint = self._row(name)
        body = outgoing.to_wire(
            endpoint,
            {
                "invoice_id": named(name, invoice_id),
                "amount": _kwd(name, amount),
                "refund_type": "DeductFromBalance",
                "currency_code": "KWD",
            },
        )
        response = self._client.call(name, body=body, deadline=deadline, min_token_seconds=min_token_seconds)
        receipt = RefundReceipt.from_wire(response if isinstance(response, dict) else {}, endpoint.reply)
        if not receipt.refund_id:
            raise lost(endpoint, "the answer names no refund")
        return receipt

    def getall(
        self, *, max_pages: int = MAX_PAGES, max_bytes: int = MAX_BYTES, **filters: Any
    ) -> Iterator[RefundRecord]:
        """Refunds; every field of a row is assumed (contract 6.2)."""
        filters = hide(filters)
        name = "Refund/getall"
        for row in self._rows(name, filters, max_pages, max_bytes):
            yield RefundRecord.from_wire(row, self._row(name).reply)


class CommonCalls(Group):
    """Currencies (contract 9)."""

    def getcurrencies(self, *, deadline: float | None = None) -> tuple[CurrencyRate, ...]:
        """The rates to KWD. Rows that convert nothing are left out.

        :raises Unavailable: no usable answer.
        """
        name = "Common/getcurrencies"
        response = self._client.call(name, deadline=deadline)
        if not isinstance(response, list):
            raise Unavailable(name, "the answer is no list")
        rates = (
            CurrencyRate.from_wire(row, self._row(name).reply) for row in response if isinstance(row, dict)
        )
        return tuple(rate for rate in rates if rate is not None)


def _kwd(endpoint: str, amount: object) -> str:
    """KWD with three places. A fourth place is refused, not rounded."""
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount <= 0:
        raise InvalidRequest(endpoint, "amount", "is not a Decimal above zero")
    try:
        return checking.kwd(amount)
    except checking.Wrong as wrong:
        raise InvalidRequest(endpoint, "amount", str(wrong)) from None
