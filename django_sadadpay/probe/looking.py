"""Finding again what an insert made: by its id, and by the text that it carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import paging
from django_sadadpay.gateway.coerce import fold
from django_sadadpay.gateway.endpoints import Endpoint
from django_sadadpay.gateway.errors import InvalidRequest
from django_sadadpay.gateway.records import ObjectRecord

if TYPE_CHECKING:
    from django_sadadpay.gateway.envelope import Reply
    from django_sadadpay.gateway.fields import Field
    from django_sadadpay.probe.calling import Caller

_PAGES = 20
#: Invoice/getall shows one type at a time (contract 3.4).
_TYPES = ("", "PaymentLink", "Order", "InstallmentPlan", "Subscription")


@dataclass(frozen=True, slots=True)
class Found:
    """What a look gave: ``raw`` is the object, or None.

    :ivar sure: the look itself worked. By id alone that proves nothing: another account, or a token that is
        refused, is answered like an id that names nothing (contract 1.4, 3.2). A list read to its end does.
    :ivar fields: of the reply that it was in, in the account's spelling.
    """

    raw: Mapping[str, Any] | None = field(default=None, repr=False)
    sure: bool = True
    id: str = ""
    key: str = ""
    fields: tuple[Field, ...] = ()


class Looker:
    """Looks through the caller's eyes; calls are timed as all others are."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def by_id(self, folder: str, number: str) -> Found:
        """The object with this id; where its group has no getbyid, from the list."""
        row = self._caller.endpoints.get(f"{folder}/getbyid")
        if row is None:
            return self._first(folder, lambda found: found.id == number)
        try:
            reply = self._caller.send(row.name, query={row.fields[0].wire: number})
        except InvalidRequest:  # an id of another form than the table's cannot be asked for: the list is left
            return Found()
        if reply is None or reply.lost:
            return Found(sure=False)
        if reply.failed or not isinstance(reply.response, Mapping):
            unknown = row.missing | {"UnauthorizedAccess"}  # contract 3.2: it is about the id
            return Found(sure=reply.status == 200 and reply.error_key in unknown)
        return replace(_found(row, reply.response), id=number)

    def by_mark(self, folder: str, mark: str) -> Found:
        """The object that carries this text, wherever it stands in the row."""
        return self._first(folder, lambda found: carries(found.raw, mark))

    def _first(self, folder: str, wanted: Any) -> Found:
        sure = True
        for found in self._rows(folder):
            if found.raw is not None and wanted(found):
                return found
            sure = sure and found.sure
        return Found(sure=sure)

    def _rows(self, folder: str) -> Iterator[Found]:
        """Every row; one without ``raw`` where the list could not be read to its end."""
        row = self._caller.endpoints[f"{folder}/getall"]
        for query in self._queries(row, folder):
            yield from self._pages(row, query)

    def _pages(self, row: Endpoint, query: Mapping[str, str]) -> Iterator[Found]:
        """The end is an empty page, or as many rows as Sadad counts: a short page may be a list cut short."""
        seen: set[str] = set()
        count = 0
        for _ in range(_PAGES):
            options = {"listOptions": paging.options(count)}
            rows = listed(self._caller.send(row.name, query={**query, **options}))
            if rows is None:
                break
            found = [_found(row, item) for item in rows]
            yield from found
            new = {item.id for item in found} - seen
            seen |= new
            count += len(rows)
            if not rows or count == _total(rows[0]) == len(seen):
                return
            if not new:
                break
        yield Found(sure=False)

    def _queries(self, row: Endpoint, folder: str) -> list[dict[str, str]]:
        if folder != "Invoice":
            return [{}]
        wire = next((field.wire for field in row.fields if field.name == "invoice_type"), "invoiceType")
        return [{wire: kind} if kind else {} for kind in _TYPES]


def listed(reply: Reply | None) -> list[Mapping[str, Any]] | None:
    """The rows of a getall; none for EmptyResult; None where it is no usable answer."""
    if reply is None or reply.lost:
        return None
    if reply.failed:
        return [] if reply.error_key == "EmptyResult" else None
    if reply.response is None:
        return []
    if not isinstance(reply.response, list):
        return None
    return [row for row in reply.response if isinstance(row, Mapping)]


def carries(value: Any, mark: str) -> bool:
    """Whether the text stands anywhere in it."""
    if isinstance(value, Mapping):
        return any(carries(item, mark) for item in value.values())
    if isinstance(value, list):
        return any(carries(item, mark) for item in value)
    return isinstance(value, str) and mark in value


def _found(row: Endpoint, raw: Mapping[str, Any]) -> Found:
    record = ObjectRecord.from_wire(raw, row.reply)
    return Found(raw, id=record.id, key=record.key, fields=row.reply)


def _total(row: Mapping[str, Any]) -> int | None:
    """What paging adds to each row (contract 3.4)."""
    said = next((value for name, value in row.items() if fold(str(name)) == "totalcount"), None)
    return said if isinstance(said, int) and not isinstance(said, bool) else None
