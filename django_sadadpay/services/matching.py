"""Objects at Sadad that are rows of ours without an id: pending, or their insert was not answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from django_sadadpay.gateway import coerce
from django_sadadpay.models import Mirror
from django_sadadpay.services import finding, transactions
from django_sadadpay.services.among import among
from django_sadadpay.services.lists import Known, Place
from django_sadadpay.services.told import Told, difference


@dataclass
class Found:
    """``rows``: our row by Sadad's id. ``left``: ids left alone: push or a person is at it."""

    rows: dict[str, Mirror] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)


def match(place: Place, known: Known, now: datetime) -> Found:
    """Hold objects that no row has, ``known.new``, against rows that have no id.

    By our own reference or the evidenced key of the kind; what has none is never matched, but what looks just
    like an insert that was not answered is left to the person who is asked about it.
    """
    found, new = Found(), known.new
    names = place.kind.key
    if not names:
        mine = list(place.rows.filter(~Q(sending=""), sadad_id=None))
        found.left = {one.sadad_id for one in new if any(_alike(row, one, place) for row in mine)}
        return found
    keys = {one.sadad_id: tuple(coerce.text(one.values.get(name)) for name in names) for one in new}
    ours = _by_key(place, {key[0] for key in keys.values()} - {""})
    times = Counter(keys.values())
    for sadad_id, key in keys.items():
        rows = ours.get(key, [])
        if len(rows) == 1 and times[key] == 1 and not _is_leased(rows[0], now):
            found.rows[sadad_id] = rows[0]
        elif any(row.sending for row in rows):
            found.left.add(sadad_id)
    _lock(place, known, found)
    return found


def _by_key(place: Place, firsts: set[str]) -> dict[tuple[str, ...], list[Mirror]]:
    column, parents = place.kind.key[0], place.kind.model.PARENTS
    waiting = place.rows.filter(Q(wanted=Mirror.Wanted.PRESENT) | Q(sending="insert"), sadad_id=None)
    if not firsts or not waiting.exists():  # nearly always: then the texts need not be looked for
        return {}
    limit = getattr(place.kind.model._meta.get_field(column), "max_length", None)
    rows = waiting.filter(Q(among(column, {text[:limit] for text in firsts})) | ~Q(sent_key=""))
    if parents:
        rows = rows.select_related(*parents)
    ours: dict[tuple[str, ...], list[Mirror]] = {}
    for row in rows:
        for key in finding.lost_keys(row, place.kind):
            ours.setdefault(key, []).append(row)
    return ours


def _lock(place: Place, known: Known, found: Found) -> None:
    """What was matched, under its lock and as it is now; in a dry run, as it was read."""
    if place.dry_run or not found.rows:
        return
    locked = transactions.lock_all(place.kind.model, sorted(row.pk for row in found.rows.values()))
    for sadad_id, row in list(found.rows.items()):
        fresh = locked.get(row.pk)
        if (
            fresh is None
            or fresh.sadad_id is not None
            or (fresh.digest, fresh.sending) != (row.digest, row.sending)
            or known.is_older(fresh)  # its object was deleted since, and it is wanted again
        ):
            del found.rows[sadad_id]  # somebody is at it: the next pull will see
            found.left.add(sadad_id)
        else:
            found.rows[sadad_id] = fresh


def _is_leased(row: Mirror, now: datetime) -> bool:
    return row.lease_until is not None and row.lease_until > now


def _alike(row: Mirror, told: Told, place: Place) -> bool:
    return not any(name in row.payload for name in difference(row, told, place.reader))
