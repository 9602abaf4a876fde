"""The groups that are known by path only, as one class (contract 10), and embedded payment (contract 8).

What their bodies hold is assumed. Values take our names of the endpoint table or Sadad's own; what the table
does not list goes out as it is, and everything that comes back stands in ``raw``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import paging
from django_sadadpay.gateway.calls import MAX_BYTES, MAX_PAGES, PAGE_BYTES, Group
from django_sadadpay.gateway.envelope import lost
from django_sadadpay.gateway.errors import InvalidRequest, Unavailable
from django_sadadpay.gateway.hidden import hide
from django_sadadpay.gateway.records import ObjectRecord, SessionRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django_sadadpay.gateway.client import SadadClient


class Resource(Group):
    """One folder of Sadad's API. Which calls it has, the endpoint table says.

    :raises LookupError: Sadad's list has no such call here, for example ``customers.getbykey``.
    """

    def __init__(self, client: SadadClient, folder: str) -> None:
        super().__init__(client)
        self._folder = folder

    def __repr__(self) -> str:
        return f"<{self._folder} of {self._client!r}>"

    def insert(self, values: Mapping[str, Any], *, deadline: float | None = None) -> ObjectRecord:
        """Create one. Never send one twice: there is no idempotency key.

        :return: with ``.id`` where the answer tells it; what an insert answers is not documented.
        :raises InvalidRequest: names the field that is missing or cannot be sent; nothing was sent.
        :raises Rejected: Sadad refused it. :raises OutcomeUnknown: it may exist.
        """
        values = hide(values)
        return self._record("insert", self._send(self._name("insert"), values, deadline=deadline))

    def update(self, values: Mapping[str, Any], *, deadline: float | None = None) -> ObjectRecord:
        """Change the one named by ``id``. Give all of it: whether what is left out stays is not known.

        :raises InvalidRequest: as ``insert``. :raises Rejected: Sadad refused it.
        :raises NotFound: no such one. :raises OutcomeUnknown: it may be changed.
        """
        values = hide(values)
        return self._record("update", self._send(self._name("update"), values, deadline=deadline))

    def delete(self, object_id: str | int, *, deadline: float | None = None) -> None:
        """Delete one.

        :raises Rejected: it is in use. :raises NotFound: no such one. :raises OutcomeUnknown: it may be gone.
        """
        self._ask(self._name("delete"), {"id": object_id}, deadline=deadline)

    def getall(
        self, *, max_pages: int = MAX_PAGES, max_bytes: int = MAX_BYTES, **filters: Any
    ) -> Iterator[ObjectRecord]:
        """All of them, page after page where paging works; ends silently at ``max_pages``.

        A filter may be ignored: compare the rows yourself.

        :raises ReplyTooLarge: the first page alone is over ``max_bytes``.
        :raises Unavailable: no usable answer.
        """
        filters = hide(filters)
        name = self._name("getall")
        for row in self._rows(name, filters, max_pages, max_bytes):
            yield self._record("getall", row)

    def pages(self, *, skip: int = 0, max_bytes: int = PAGE_BYTES, **filters: Any) -> Iterator[paging.Page]:
        """The list to its end, page by page and by Sadad's names: for lists that no memory holds.

        :param skip: rows to leave out, where a walk goes on; ignored where Sadad ignores paging.
        :raises ReplyTooLarge: a page is over ``max_bytes``. :raises Unavailable: no usable answer.
        """
        filters = hide(filters)
        return self._pages(self._name("getall"), filters, skip, max_bytes)

    def getbyid(self, object_id: str | int, *, deadline: float | None = None) -> ObjectRecord:
        """Read one. :raises NotFound: no such one. :raises Unavailable: no usable answer."""
        return self._one("getbyid", {"id": object_id}, deadline)

    def getbykey(self, key: str | int, *, deadline: float | None = None) -> ObjectRecord:
        """Read one by the key of its page. :raises NotFound, Unavailable: as ``getbyid``."""
        return self._one("getbykey", {"key": str(key)}, deadline)

    def getforpayment(self, key: str | int, *, deadline: float | None = None) -> ObjectRecord:
        """What a payer sees of it; takes no token (contract 2.3).

        :raises NotFound, Unavailable: as ``getbyid``.
        """
        return self._one("getforpayment", {"key": str(key)}, deadline)

    def _name(self, call: str) -> str:
        name = f"{self._folder}/{call}"
        if name not in self._client.endpoints:
            raise LookupError(f"Sadad's API has no {name}")
        return name

    def _one(self, call: str, values: Mapping[str, Any], deadline: float | None) -> ObjectRecord:
        name = self._name(call)
        response = self._ask(name, values, deadline=deadline)
        if not isinstance(response, dict):
            raise Unavailable(name, "the answer is no object")
        return self._record(call, response)

    def _record(self, call: str, response: Any) -> ObjectRecord:
        return ObjectRecord.from_wire(response, self._row(self._name(call)).reply)


class Subscriptions(Resource):
    """Subscriptions, with their schedule."""

    def generate_schedule(
        self, subscription_id: str | int, *, deadline: float | None = None
    ) -> tuple[ObjectRecord, ...]:
        """The periods of a subscription, in Sadad's order (contract 10: a GET in the vendor's list).

        :raises NotFound: no such subscription. :raises Unavailable: no usable answer.
        """
        call = "generatesubscriptionschedule"
        name = self._name(call)
        response = self._ask(name, {"id": subscription_id}, deadline=deadline)
        return tuple(self._record(call, row) for row in paging.page(self._row(name), response))


class SubscriptionLinks(Resource):
    """Subscription links."""

    def get_link_detail(self, key: str | int, *, deadline: float | None = None) -> ObjectRecord:
        """The link with its template. :raises NotFound, Unavailable: as ``getbyid``."""
        return self._one("getlinkdetail", {"key": str(key)}, deadline)


class Embedded(Group):
    """Embedded payment (contract 8)."""

    def allow_domain(self, domain: str, *, deadline: float | None = None) -> ObjectRecord:
        """Let the widgets run on a site (contract 8.1: body and reply are assumed).

        :param domain: a host name such as ``shop.example``, without ``https://``.
        :raises InvalidRequest: no host name. :raises Rejected: Sadad refused it.
        """
        name = "EmbeddedPayment/allow_domain"
        if not domain or any(sign in domain for sign in "/:@ ?#"):
            raise InvalidRequest(name, "domain", "must be a host name, without https:// and path")
        return ObjectRecord.from_wire(self._send(name, {"domain": domain}, deadline=deadline))

    def initiate_order_session(
        self, values: Mapping[str, Any], *, deadline: float | None = None
    ) -> SessionRecord:
        """Open a session for the KNET or card widget (contract 8.2).

        :param values: ``ref_number``, ``amount`` (KWD), ``currency_code``, ``customer_name``,
            ``customer_mobile``, ``customer_email``, ``payment_gateway_code`` (``Knet``, ``CCCSSA`` or the
            merchant's own), ``items``.
        :raises InvalidRequest: names the field at fault. :raises Rejected: Sadad refused it, as a wrong code.
        :raises OutcomeUnknown: it may be open; it costs nothing until somebody pays.
        """
        values = hide(values)
        name = "EmbeddedPayment/intiate_order_session"
        response = self._send(name, values, deadline=deadline)
        row = self._row(name)
        record = SessionRecord.from_wire(response if isinstance(response, dict) else {}, row.reply)
        if not record.session_id:
            raise lost(row, "the answer names no session")
        return record
