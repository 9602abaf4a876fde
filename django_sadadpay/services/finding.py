"""Find an object at Sadad: by its id, or after a lost insert by what is ours in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_sadadpay.gateway import coerce, paging
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import ReplyTooLarge, Unavailable
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.models import Mirror
from django_sadadpay.services import transactions
from django_sadadpay.services.kinds import Kind

_PAGES, _BYTES = 100, 32 * 1024 * 1024


@dataclass(frozen=True)
class Look:
    """What a look in Sadad's list gave. ``is_absent``: surely not there; else ``why`` it cannot be told."""

    record: ObjectRecord | None = None
    is_absent: bool = False
    why: str = ""


def by_id(kind: Kind, client: SadadClient, sadad_id: str, key: str) -> ObjectRecord | None:
    """One object; None when Sadad's whole list does not hold it.

    :raises NotFound: Sadad says so. :raises SadadError: it could not be asked.
    """
    calls = kind.calls(client)
    record: ObjectRecord | None = None
    if kind.read == "getbyid":
        record = calls.getbyid(sadad_id)
    elif key:
        record = calls.getbykey(key)
    if record is not None:
        # An answer about another one is no answer (money-flow 4).
        return _checked(kind, record, sadad_id)
    records = _list(kind, client)
    found = next((one for one in records if one.id == sadad_id), None)
    if found is None and not _is_whole(records):
        raise Unavailable(f"{kind.folder}/getall", "the list has no end")
    return found


def _checked(kind: Kind, record: ObjectRecord, sadad_id: str) -> ObjectRecord:
    if record.id != sadad_id:
        raise Unavailable(f"{kind.folder}/{kind.read}", "the answer is about another one")
    return record


def lost_insert(row: Mirror, kind: Kind, client: SadadClient) -> Look:
    """Look for the object of an insert that was not answered.

    Found is one row that carries our key and that no other mirror holds. Surely absent is it only in a list
    that was read to its end and in which each row carries the key at all: what the rows hold is assumed.

    :raises SadadError: the list could not be read.
    """
    if not kind.key:
        return Look(why="no_key")
    try:
        records = _list(kind, client)
    except ReplyTooLarge:
        return Look(why="long_list")
    told = [kind.told(client, record) for record in records]
    wanted = key_of(row, kind)
    held = _held(row, {record.id for record in records})
    matches = [
        record
        for record, values in zip(records, told, strict=True)
        if record.id and record.id not in held and _matches(wanted, values)
    ]
    if len(matches) == 1:
        return Look(record=matches[0])
    if matches:
        return Look(why="several")
    if not _is_whole(records):
        return Look(why="long_list")
    if not all(name in values for values in told for name in wanted):
        return Look(why="no_key")
    return Look(is_absent=True)


def _list(kind: Kind, client: SadadClient) -> list[ObjectRecord]:
    """Unfiltered: how a filter is spelt is assumed, and one that is misread would hide the object."""
    return list(kind.calls(client).getall(max_pages=_PAGES, max_bytes=_BYTES))


def _is_whole(records: list[ObjectRecord]) -> bool:
    totals = [coerce.number(record.raw.get("totalCount")) for record in records]
    total = max((number for number in totals if number is not None), default=None)
    return len(records) < _PAGES * paging.TAKE and (total is None or len(records) >= total)


def key_of(row: Mirror, kind: Kind) -> dict[str, str]:
    """The values of the key; a product's category is told by its name (contract 10)."""
    values: dict[str, Any] = dict(row.payload)
    category = getattr(row, "category", None)
    if category is not None:
        values["category_name_en"] = category.payload.get("name_en", "")
    return {name: coerce.text(values.get(name)) for name in kind.key}


def _matches(wanted: dict[str, str], told: dict[str, Any]) -> bool:
    return all(name in told and coerce.text(told[name]) == value for name, value in wanted.items())


def _held(row: Mirror, ids: set[str]) -> set[str]:
    """Those of ``ids`` that other mirrors hold."""
    rows = type(row)._base_manager.using(transactions.alias())
    mine = rows.filter(account=row.account, environment=row.environment, sadad_id__isnull=False)
    return ids & set(mine.exclude(pk=row.pk).values_list("sadad_id", flat=True))
