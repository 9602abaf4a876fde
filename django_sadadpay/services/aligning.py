"""One mirrored object held against Sadad now, for a person: what differs, and whose word counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import (
    attention,
    clock,
    finding,
    gateway,
    kinds,
    plain,
    pulling,
    transactions,
    waking,
)
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.pulling import Known, Place
from django_sadadpay.services.relating import Relations
from django_sadadpay.services.told import Reader, difference

State = Mirror.State
#: What is settled once a person has said whose word counts.
_CASES = (
    Attention.Code.MIRROR_CONFLICT,
    Attention.Code.MIRROR_REFUSED,
    Attention.Code.MIRROR_GONE,
)


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
    place = _place(row)
    record = _read(row)
    told = place.reader.read(record.raw)
    if told is None:
        raise TryAgain
    place.reader.deepen(told, record.raw)
    relations = Relations.of(place, Known({row.pk: told}, [], []))
    differs = difference(row, told, place.reader) | relations.difference(row, told)
    return Look(record, differs, row.digest != row.pushed_digest)


def take(row: Mirror, seen: Look, origin: Origin | None = None) -> Mirror:
    """Want what Sadad has, and note what else it says (a plan's payments, a subscription's next bill).

    :param seen: what a person decided upon.
    :raises Refused: ``no_longer_waiting``: it was changed, or is being sent, since.
    """
    return transactions.run(partial(_take, row, seen, origin))


def insist(row: Mirror, origin: Origin | None = None) -> Mirror:
    """Ours counts: it is due to be sent, whatever Sadad has.

    :raises Refused: ``no_longer_waiting``: as ``take``.
    """
    return transactions.run(partial(_insist, row, origin))


def _place(row: Mirror) -> Place:
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


def _take(row: Mirror, seen: Look, origin: Origin | None) -> Mirror:
    locked = _locked(row)
    place = _place(locked)
    locked.reply = plain.data(seen.record.raw)
    pulling.follow_stored(place, locked)
    attention.close(_CASES, clock.now(), "both sides agree", mirror=locked, origin=origin)
    return locked


def _insist(row: Mirror, origin: Origin | None) -> Mirror:
    locked, now = _locked(row), clock.now()
    locked.state, locked.pushed_digest, locked.error, locked.error_params = State.PENDING, "", "", {}
    locked.tries, locked.next_try_at = 0, now
    locked.save(update_fields=["state", "pushed_digest", "error", "error_params", "tries", "next_try_at"])
    attention.close(_CASES, now, "ours was kept", mirror=locked, origin=origin)
    waking.after_commit(locked)
    return locked


def _locked(row: Mirror) -> Mirror:
    """:raises Refused: it is no longer what the person has seen."""
    locked: Mirror = transactions.lock(type(row), row.pk)
    leased = locked.lease_until is not None and locked.lease_until > clock.now()
    same = (locked.digest, locked.sadad_id, locked.wanted) == (row.digest, row.sadad_id, row.wanted)
    if leased or locked.sending or not same or not locked.is_wanted:
        raise Refused("no_longer_waiting")
    return locked
