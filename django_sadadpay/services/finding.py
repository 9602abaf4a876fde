"""Find an object at Sadad: by its id, or after a lost insert by what is ours in it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django_sadadpay.gateway import coerce, paging
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import ReplyTooLarge, Unavailable
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.models import Mirror
from django_sadadpay.services import clock, transactions
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


@dataclass
class Listing:
    """A list of Sadad's as it was read at ``began``.

    :ivar by_key: records by the values of the kind's key. :ivar by_name: by those that are no parent's name.
    :ivar has_keys: every record says them all.
    """

    began: datetime
    by_key: dict[tuple[str, ...], list[ObjectRecord]] = field(default_factory=dict)
    by_name: dict[tuple[str, ...], list[ObjectRecord]] = field(default_factory=dict)
    is_whole: bool = False
    has_keys: bool = True
    is_too_long: bool = False


class Lists:
    """Where the lost inserts of one phase of a run are looked for: one list for all, not one for each."""

    def __init__(self) -> None:
        self._listing: Listing | None = None
        self._lock = threading.Lock()

    def listing(self, kind: Kind, client: SadadClient, settled: datetime) -> Listing:
        """Read after ``settled``: from then on it shows whatever a lost call came to.

        :raises SadadError: it could not be read.
        """
        with self._lock:
            if self._listing is None or self._listing.began < settled:
                self._listing = _listing(kind, client)
            return self._listing


def _listing(kind: Kind, client: SadadClient) -> Listing:
    listing = Listing(clock.now())
    try:
        records = _list(kind, client)
    except ReplyTooLarge:
        listing.is_too_long = True
        return listing
    listing.is_whole = _is_whole(records)
    for record in records:
        told = kind.told(client, record)
        if not all(name in told for name in kind.key):
            listing.has_keys = False
        elif record.id:
            key = tuple(coerce.text(told[name]) for name in kind.key)
            listing.by_key.setdefault(key, []).append(record)
            listing.by_name.setdefault(kind.own(key), []).append(record)
    return listing


def lost_insert(row: Mirror, kind: Kind, client: SadadClient, lists: Lists, settled: datetime) -> Look:
    """Look for the object of an insert that was not answered.

    Found is one row that carries our key and that no other mirror holds. Surely absent is it only in a list
    that was read to its end and in which each row carries the key at all: what the rows hold is assumed.

    :param settled: when the call was surely over.
    :raises SadadError: the list could not be read.
    """
    if not kind.key:
        return Look(why="no_key")
    listing = lists.listing(kind, client, settled)
    keys = lost_keys(row, kind)
    alike = [record for name in {kind.own(key) for key in keys} for record in listing.by_name.get(name, [])]
    held = _held(row, {record.id for record in alike}) if alike else set()
    matches = [one for key in keys for one in listing.by_key.get(key, []) if one.id not in held]
    if len(matches) == 1:
        return Look(record=matches[0])
    if matches:
        return Look(why="several")
    if listing.is_too_long or not listing.is_whole:
        return Look(why="long_list")
    if len(held) < len(alike):  # its parent may have another name at Sadad by now
        return Look(why="renamed")
    return Look(is_absent=True) if listing.has_keys else Look(why="no_key")


def _list(kind: Kind, client: SadadClient) -> list[ObjectRecord]:
    """Unfiltered: how a filter is spelt is assumed, and one that is misread would hide the object."""
    return list(kind.calls(client).getall(max_pages=_PAGES, max_bytes=_BYTES))


def _is_whole(records: list[ObjectRecord]) -> bool:
    totals = [coerce.number(record.raw.get("totalCount")) for record in records]
    total = max((number for number in totals if number is not None), default=None)
    return len(records) < _PAGES * paging.TAKE and (total is None or len(records) >= total)


def remember(row: Mirror, kind: Kind) -> None:
    """Something else is about to be wanted: an insert that is not answered is found by what it said."""
    if row.sending == "insert" and kind.key and not row.sent_key:
        row.sent_key = json.dumps(list(key_of(row, kind).values()), ensure_ascii=False)


def lost_keys(row: Mirror, kind: Kind) -> list[tuple[str, ...]]:
    """What an unanswered insert may be found by: as it was sent, and under its parent's name of today."""
    now = key_of(row, kind)
    if not row.sent_key:
        return [tuple(now.values())]
    sent = dict(zip(kind.key, json.loads(row.sent_key), strict=True))
    renamed = {name: sent[name] if name in row.payload else now[name] for name in kind.key}
    return list(dict.fromkeys((tuple(sent.values()), tuple(renamed.values()))))


def key_of(row: Mirror, kind: Kind) -> dict[str, str]:
    """The values of the key as wanted now; a product's category is told by its name (contract 10)."""
    values: dict[str, Any] = dict(row.payload)
    category = getattr(row, "category", None)
    if category is not None:
        values["category_name_en"] = category.payload.get("name_en", "")
    return {name: coerce.text(values.get(name)) for name in kind.key}


def _held(row: Mirror, ids: set[str]) -> set[str]:
    """Those of ``ids`` that other mirrors hold."""
    rows = type(row)._base_manager.using(transactions.alias())
    mine = rows.filter(account=row.account, environment=row.environment, sadad_id__in=ids)
    return {one for one in mine.exclude(pk=row.pk).values_list("sadad_id", flat=True) if one is not None}
