"""One mirrored object held against Sadad now, for a person: what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.models import Mirror
from django_sadadpay.services import finding, gateway, kinds, transactions
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.lists import Known, Place
from django_sadadpay.services.relating import Relations
from django_sadadpay.services.told import Reader, difference


@dataclass(frozen=True)
class Look:
    """What Sadad said just now.

    :ivar differs: field → (ours, theirs); parents and listed products as our primary keys.
    :ivar ours_changed: something of ours was not sent yet.
    """

    record: ObjectRecord
    differs: dict[str, tuple[Any, Any]]
    ours_changed: bool


def look(row: Mirror) -> Look:
    """Ask Sadad about one object. Nothing is stored.

    :raises InsideTransaction: a transaction is open.
    :raises Refused: ``parked``; ``mirror_gone``: Sadad does not have it.
    :raises TryAgain: it could not be asked.
    """
    transactions.ensure_outside()
    place = place_of(row)
    record = _read(row)
    told = place.reader.read(record.raw)
    if told is None:
        raise TryAgain
    place.reader.deepen(told, record.raw)
    relations = Relations.of(place, Known({row.pk: told}, [], []))
    differs = difference(row, told, place.reader) | relations.difference(row, told)
    return Look(record, differs, row.digest != row.pushed_digest)


def place_of(row: Mirror) -> Place:
    """Where a row's object stands.

    :raises Refused: ``parked``.
    """
    kind = kinds.of(row)
    return Place(kind, row.account, row.environment, Reader(kind, gateway.client_of(row)))


def _read(row: Mirror) -> ObjectRecord:
    try:
        record = finding.by_id(kinds.of(row), gateway.client_of(row), row.sadad_id or "", row.sadad_key)
    except NotFound:
        record = None
    except SadadError as error:
        raise TryAgain from error
    if record is None:
        raise Refused("mirror_gone")
    return record
