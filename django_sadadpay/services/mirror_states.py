"""What may become of a mirror's row, by name: called under its lock, by whoever decides.

``storing`` does the same in SQL, for rows that may be marked while their call is under way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django_sadadpay.models import Mirror

State, Wanted, Held = Mirror.State, Mirror.Wanted, Mirror.Held
#: Columns that a wish changes.
MARKED = ("wanted", "state", "held", "error", "error_params", "tries", "next_try_at")
#: Columns that any of these functions sets.
COLUMNS = (
    *MARKED,
    "sadad_id",
    "pushed_digest",
    "synced_at",
    "sending",
    "sent_at",
    "sent_key",
    "lease_holder",
    "lease_until",
)
#: ``error`` of a row that is held; a sentence of ``texts`` each.
ERRORS = {Held.BAD: "bad_mirror", Held.CONFLICT: "mirror_conflict", Held.GONE: "mirror_gone"}


def due(row: Mirror, now: datetime) -> None:
    """To be sent now. Its last error stays to be read until the next answer."""
    row.state, row.next_try_at, row.tries, row.held = State.PENDING, now, 0, ""


def in_step(row: Mirror, now: datetime) -> None:
    """Sadad has what is wanted."""
    row.state, row.wanted, row.pushed_digest = State.SYNCED, Wanted.PRESENT, row.digest
    row.next_try_at, row.tries, row.synced_at = None, 0, now
    _clear(row)


def hold(row: Mirror, why: str, **params: Any) -> None:
    """Nothing is sent before somebody has acted.

    :param why: one of ``Held``. :param params: of the error's sentence.
    """
    row.held, row.error, row.error_params = why, ERRORS[Held(why)], params
    if not row.sending:  # else it is looked at all the same
        row.state, row.next_try_at = State.FAILED, None


def deleted(row: Mirror, now: datetime | None) -> None:
    """Sadad has it no more, as wanted. ``now``: None if it never was there."""
    row.state, row.wanted, row.sadad_id, row.pushed_digest = State.DELETED, Wanted.ABSENT, None, ""
    row.next_try_at, row.tries, row.synced_at = None, 0, now or row.synced_at
    _clear(row)
    answered(row)


def answered(row: Mirror) -> None:
    """What became of its last call is known, and nobody is at it."""
    row.sending, row.sent_at, row.sent_key, row.lease_holder, row.lease_until = "", None, "", "", None


def _clear(row: Mirror) -> None:
    row.held, row.error, row.error_params = "", "", {}
