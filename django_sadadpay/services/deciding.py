"""What a person decides about a mirror when nothing else can tell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import IntegrityError

from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import attention, clock, finding, gateway, kinds, pushing, transactions
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.ledger import Origin

State, Wanted, Code = Mirror.State, Mirror.Wanted, Attention.Code
_CASES = (Code.MIRROR_UNKNOWN, Code.MIRROR_GONE)


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
        return transactions.run(partial(_answer, row, values, origin, "adopted"))
    except IntegrityError:
        raise Refused("id_held") from None


def send_again(row: Mirror, origin: Origin | None = None) -> Mirror:
    """It is not at Sadad: it is sent as new.

    :raises Refused: ``no_longer_waiting``.
    """
    values = {"sadad_id": None, "sadad_key": "", "code": ""}
    return transactions.run(partial(_answer, row, values, origin, "sent again"))


def _answer(row: Mirror, values: Mapping[str, Any], origin: Origin | None, words: str) -> Mirror:
    """The answer that Sadad did not give."""
    row, now = transactions.lock(type(row), row.pk), clock.now()
    waits = row.state == State.UNKNOWN or (row.state == State.FAILED and row.error == "mirror_gone")
    if not waits or (row.lease_until is not None and row.lease_until > now):
        raise Refused("no_longer_waiting")
    for name, value in values.items():
        setattr(row, name, value)
    gone = not row.is_wanted and row.sadad_id is None
    row.state, row.next_try_at = (State.DELETED, None) if gone else (State.PENDING, now)
    row.sending, row.sent_at, row.pushed_digest, row.error, row.tries = "", None, "", "", 0
    own = ["state", "next_try_at", "sending", "sent_at", "pushed_digest", "error", "tries"]
    row.save(update_fields=[*own, *values])
    attention.close(_CASES, now, words, mirror=row, origin=origin)
    return row
