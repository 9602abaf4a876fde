"""What a person decides about a mirror when nothing else can tell: what became of a lost call, whose change
counts, what happens to what Sadad has no more.

Each decision is made under the row's lock, upon the row as the person has seen it: if it was marked, sent or
decided about since, it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError

from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import (
    attention,
    clock,
    finding,
    gateway,
    kinds,
    mirror_states,
    mirroring,
    plain,
    pulling,
    pushing,
    transactions,
    waking,
)
from django_sadadpay.services.aligning import Look, place_of
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.ledger import Origin

State, Held, Code = Mirror.State, Mirror.Held, Attention.Code


@dataclass(frozen=True)
class _Question:
    """What is decided: the cases that it settles, and the columns by which a row is as the person saw it."""

    codes: tuple[str, ...]
    seen: tuple[str, ...]


_LOST = _Question((Code.MIRROR_UNKNOWN, Code.MIRROR_GONE), ("sadad_id", "held", "sending", "sent_at"))
_WHOSE = _Question(
    (Code.MIRROR_CONFLICT, Code.MIRROR_REFUSED, Code.MIRROR_GONE),
    ("sadad_id", "held", "sending", "digest", "wanted"),
)


# What became of it


def adopt(row: Mirror, sadad_id: str, origin: Origin | None = None) -> Mirror:
    """It is at Sadad under this id: the row takes it, and what is wanted is sent as an update.

    :raises InsideTransaction: a transaction is open.
    :raises Refused: ``bad_id``, ``mirror_gone`` (Sadad has no such one), ``id_held`` (another row has it), or
        ``no_longer_waiting``. :raises TryAgain: Sadad could not be asked.
    """
    transactions.ensure_outside()
    sadad_id = sadad_id.strip()
    if not pushing.is_id(sadad_id):
        raise Refused("bad_id")
    kind = kinds.of(row)
    try:
        record = finding.by_id(kind, gateway.client_of(row), sadad_id, "")
    except NotFound:
        record = None
    except SadadError as error:
        raise TryAgain from error
    if record is None:
        raise Refused("mirror_gone")
    values = {**pushing.learned(record), **pushing.seen(record)}
    try:
        return _decide(row, _LOST, "adopted", origin, _is_lost, partial(_take_id, values))
    except IntegrityError:
        raise Refused("id_held") from None


def send_again(row: Mirror, origin: Origin | None = None) -> Mirror:
    """It is not at Sadad: it is sent as new. What nobody could look at for a day is sent once more.

    :raises Refused: ``no_longer_waiting``.
    """
    return _decide(row, _LOST, "sent again", origin, _is_lost_or_asked, _send_again)


def _is_lost(row: Mirror) -> bool:
    """It may be there or not: an insert without an answer, or what Sadad has no more."""
    return row.sending == "insert" or row.held == Held.GONE


def _is_lost_or_asked(row: Mirror) -> bool:
    asked = Attention.objects.using(transactions.alias()).filter(
        code=Code.MIRROR_UNKNOWN, subject=attention.subject_of(row), resolved_at=None
    )
    return _is_lost(row) or (row.state == State.UNKNOWN and asked.exists())


def _take_id(values: Mapping[str, Any], row: Mirror) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    _resend(row, [*values])


def _send_again(row: Mirror) -> None:
    """An update or a delete may be sent twice: it says what is to be, or finds it done."""
    if _is_lost(row):
        row.sadad_id, row.sadad_key, row.code = None, "", ""
    _resend(row, ["sadad_key", "code"])


def _resend(row: Mirror, also: list[str]) -> None:
    row.pushed_digest, row.error, row.error_params = "", "", {}
    mirror_states.answered(row)
    if not row.is_wanted and row.sadad_id is None:
        mirror_states.deleted(row, None)
    else:
        mirror_states.due(row, clock.now())
    row.save(update_fields=dict.fromkeys([*mirror_states.COLUMNS, *also]))
    waking.after_commit(row)


# Whose change counts


def take(row: Mirror, seen: Look, origin: Origin | None = None) -> Mirror:
    """Want what Sadad has, and note what else it says (a plan's payments, a subscription's next bill).

    :param seen: what a person decided upon.
    :raises Refused: ``no_longer_waiting``: it was changed, or is being sent, since.
    """
    return _decide(row, _WHOSE, "both sides agree", origin, _is_wanted, partial(_take, seen))


def insist(row: Mirror, origin: Origin | None = None) -> Mirror:
    """Ours counts: it is due to be sent, whatever Sadad has.

    :raises Refused: ``no_longer_waiting``, as ``take``; ``bad_mirror``: it cannot be sent.
    """
    if row.held == Held.BAD:
        raise Refused("bad_mirror", field=str(row.error_params.get("field", "")))
    return _decide(row, _WHOSE, "ours was kept", origin, _is_wanted, _insist)


def take_theirs(row: Mirror, origin: Origin | None = None) -> Mirror:
    """Of two changes Sadad's counts, as the pull that asked has read it.

    What was to be deleted here stays there, and is no longer the shop's.

    :raises Refused: ``no_longer_waiting``, or ``parked``.
    """
    gateway.client_of(row)
    return _decide(row, _WHOSE, "Sadad's was taken", origin, _is_conflict, _take_theirs)


def keep_ours(row: Mirror, origin: Origin | None = None) -> Mirror:
    """Of two changes ours counts, as the shop's object is now: it is due to be sent.

    :raises Refused: ``no_longer_waiting``.
    """
    return _decide(row, _WHOSE, "ours was kept", origin, _is_conflict, _keep_ours)


def _is_wanted(row: Mirror) -> bool:
    return row.is_wanted and not row.sending


def _is_conflict(row: Mirror) -> bool:
    return row.held == Held.CONFLICT


def _take(seen: Look, row: Mirror) -> None:
    row.reply = plain.data(seen.record.raw)
    pulling.follow_stored(place_of(row), row)


def _take_theirs(row: Mirror) -> None:
    if not row.is_wanted:
        row.source, row.object_id, row.source_key = "", "", None
        row.save(update_fields=["source", "object_id", "source_key"])
    pulling.follow_stored(place_of(row), row)


def _insist(row: Mirror) -> None:
    row.pushed_digest, row.error, row.error_params = "", "", {}  # sent even if it is as it was
    mirror_states.due(row, clock.now())
    row.save(update_fields=mirror_states.COLUMNS)
    waking.after_commit(row)


def _keep_ours(row: Mirror) -> None:
    _insist(row)
    mirroring.again(row)
    row.refresh_from_db()


# The guard


def _decide(
    row: Mirror,
    question: _Question,
    words: str,
    origin: Origin | None,
    waits: Callable[[Mirror], bool],
    act: Callable[[Any], None],
) -> Mirror:
    """:param waits: whether the locked row still waits for this decision."""
    locked = transactions.run(partial(_decided, row, question, words, origin, waits, act))
    if locked is None:
        raise Refused("no_longer_waiting")
    return locked


def _decided(
    row: Mirror,
    question: _Question,
    words: str,
    origin: Origin | None,
    waits: Callable[[Mirror], bool],
    act: Callable[[Any], None],
) -> Mirror | None:
    """None: refused."""
    locked, now = transactions.lock(type(row), row.pk), clock.now()
    if not _is_as_seen(locked, row, question) or not waits(locked):
        if locked.state in (State.SYNCED, State.DELETED):
            # In step: what the case asked has come true without the person.
            attention.close(question.codes, now, "settled by itself", mirror=locked)
        return None
    act(locked)
    attention.close(question.codes, now, words, mirror=locked, origin=origin)
    return locked


def _is_as_seen(locked: Mirror, row: Mirror, question: _Question) -> bool:
    leased = locked.lease_until is not None and locked.lease_until > clock.now()
    return not leased and all(getattr(locked, name) == getattr(row, name) for name in question.seen)
