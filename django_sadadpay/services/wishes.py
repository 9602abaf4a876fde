"""What a new wish does to a row, under its lock: due now, unless a person has to decide first."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import attention, clock, mirror_states

State, Wanted, Held, Code = Mirror.State, Mirror.Wanted, Mirror.Held, Attention.Code


def revive(row: Mirror) -> None:
    """Wanted again after its deletion, or for the first time."""
    row.wanted = Wanted.PRESENT
    if row.state == State.DELETED:
        row.sadad_key = row.code = row.pushed_digest = ""
        row.reply, row.reply_digest = None, ""


def due(row: Mirror, changed: list[str]) -> None:
    """Make it due now, unless a person has to decide first. An unanswered call stays unanswered: it is looked
    at first, at its own time.

    :param changed: names of what is wanted otherwise than before.
    """
    now = clock.now()
    if row.held == Held.CONFLICT or (row.held == Held.GONE and row.is_wanted):
        _ask_again(row, changed, now)
        return
    settled = row.is_wanted and row.sadad_id is not None and row.digest == row.pushed_digest
    back = settled and not row.sending  # changed, and changed back before it was sent
    if row.error and (back or row.held):
        row.error, row.error_params = "", {}
        codes = (Code.MIRROR_BAD, Code.MIRROR_REFUSED, Code.MIRROR_GONE, Code.MIRROR_NEEDED)
        attention.close(codes, now, "mended", mirror=row)
    row.tries, row.held = 0, ""
    if back:
        row.state, row.next_try_at = State.SYNCED, None
    elif row.state != State.UNKNOWN:
        mirror_states.due(row, now)


def _ask_again(row: Mirror, changed: list[str], now: datetime) -> None:
    """Only what is wanted changes. The case names it; a new wish is asked about even if the older one was
    dismissed.
    """
    attention.close((Code.MIRROR_BAD,), now, "mended", mirror=row)
    ask = partial(attention.ask, now=now, row=row, mirror=row, kind=row.kind)
    if row.held == Held.GONE:
        ask(Code.MIRROR_GONE, error_key=row.error, wish=row.digest[:12])
        return
    named = str(row.error_params.get("fields", "")).split(", ")
    row.error_params = {"fields": ", ".join(dict.fromkeys(name for name in (*named, *changed) if name))}
    ask(Code.MIRROR_CONFLICT, **row.error_params)


#: Columns of a row that is wanted again after its deletion.
REVIVED = ("sadad_key", "code", "pushed_digest", "reply", "reply_digest")
