"""How push claims rows and stores what came of them.

A claim, and a success that nobody was asked about, is one conditional statement in autocommit. Everything
else is one transaction: a row that waits for a person is never stored without the case that asks one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, models
from django.db.models import Case, F, Q, Value, When

from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import (
    attention,
    clock,
    merging,
    mirror_states,
    plain,
    pushing,
    schedule,
    transactions,
)
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.pushing import Outcome

State, Wanted, Held, Code = Mirror.State, Mirror.Wanted, Mirror.Held, Attention.Code
#: Marked meanwhile as what cannot be sent: nobody else holds a row back while its call is under way.
_HELD = ~Q(held="")
#: Cases that a success closes.
_CASES = (
    Code.MIRROR_BAD,
    Code.MIRROR_REFUSED,
    Code.MIRROR_UNKNOWN,
    Code.MIRROR_GONE,
    Code.MIRROR_NEEDED,
)
_FREE = {"lease_holder": "", "lease_until": None}
_ANSWERED: dict[str, Any] = {"sending": "", "sent_at": None, "sent_key": "", **_FREE}


def claim(group: Sequence[Mirror], holder: str, lease: timedelta, *, forced: bool = False) -> list[Mirror]:
    """Those of ``group`` that are ours now. What is about to be sent is written down with the claim.

    A row that somebody else has taken, or whose wish has changed since it was selected, is left out.

    :param forced: a person asks for them: whether or not they are due. Nobody may look into a call that can
        still be under way.
    """
    rows, now = _rows(group[0]), clock.sql_now()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    due = Q() if forced else Q(next_try_at__lte=now)
    values = _claimed(group, holder, lease)
    count = transactions.statement(
        lambda: rows.filter(_as_selected(group), free, due, to_do(now)).update(**values)
    )
    if count == len(group):
        return list(group)
    mine = set(rows.filter(lease_holder=holder).values_list("pk", flat=True)) if count else set()
    return [each for each in group if each.pk in mine]


def _as_selected(group: Sequence[Mirror]) -> Q:
    """Each row as it was read: what is sent is decided upon these columns. What all have in common is asked
    once, which costs less.
    """
    values = {name: {getattr(each, name) for each in group} for name in ("wanted", "sending", "sadad_id")}
    own = ["digest", *(name for name, found in values.items() if len(found) > 1)]
    exact = Q()
    for each in group:
        exact |= Q(pk=each.pk, **{name: getattr(each, name) for name in own})
    return exact & Q(**{name: found.pop() for name, found in values.items() if name not in own})


def to_do(now: Any) -> Q:
    """Rows that a call can bring further: not in step, not held back, and no call of theirs may still be
    under way. A lost call is looked into also where a row is held: that changes nothing at Sadad.
    """
    ready = Q(sending="", held="") | (~Q(sending="") & Q(sent_at__lte=now - pushing.SETTLED))
    return ready & ~Q(state__in=(State.SYNCED, State.DELETED))


def _claimed(group: Sequence[Mirror], holder: str, lease: timedelta) -> dict[str, Any]:
    """What is about to be sent. Most groups send one thing, for which plain values do."""
    now = clock.sql_now()
    leased = {"lease_holder": holder, "lease_until": now + lease}
    actions = {_action(each) for each in group}
    if len(actions) == 1 and (action := actions.pop()):
        return {**leased, "sending": action, "sent_at": now}
    return {
        **leased,
        "sending": Case(
            When(~Q(sending=""), then=F("sending")),
            When(wanted=Wanted.ABSENT, then=Value("delete")),
            When(sadad_id=None, then=Value("insert")),
            default=Value("update"),
        ),
        "sent_at": Case(When(sent_at=None, then=now), default=F("sent_at")),
    }


def _action(each: Mirror) -> str:
    """The call that a row asks for; empty for one whose last call was not answered."""
    if each.sending:
        return ""
    if not each.is_wanted:
        return "delete"
    return "insert" if each.sadad_id is None else "update"


def release(each: Mirror, holder: str) -> None:
    """Give a claimed row back as it was: nothing was sent."""
    values = {"sending": each.sending, "sent_at": each.sent_at, **_FREE}
    transactions.statement(lambda: _rows(each).filter(pk=each.pk, lease_holder=holder).update(**values))


def store(each: Mirror, kind: Kind, holder: str, outcome: Outcome) -> None:
    """Store what came of a claimed row. What was marked meanwhile stays marked.

    :raises TryAgain: the database stayed locked. The row says ``sending``, and is looked at once the lease is
        over.
    """
    if _is_plain(each, outcome) and _store_simply(each, holder, outcome):
        return
    try:
        transactions.run(partial(_store, each, holder, outcome))
    except IntegrityError:
        transactions.run(partial(_other_holds_it, each, holder, outcome))


def _is_plain(each: Mirror, outcome: Outcome) -> bool:
    """Done, and nobody was asked about it: there is no case to close."""
    troubled = each.error or each.tries or each.sending
    return outcome.what in _SIMPLE and not outcome.again and not troubled


def _store(each: Mirror, holder: str, outcome: Outcome) -> None:
    mine = _rows(each).filter(pk=each.pk, lease_holder=holder)
    if outcome.what in ("inserted", "found"):
        mine = mine.filter(sadad_id=None)
    if mine.update(**_STORED[outcome.what](each, outcome)):
        _tell(each, outcome)
    elif outcome.what == "inserted":
        _too_late(each, outcome)


#: Of these, nearly all rows still want what was sent.
_SIMPLE = ("inserted", "updated")


def _store_simply(each: Mirror, holder: str, outcome: Outcome) -> bool:
    """In step, if nothing was marked meanwhile: the same as ``_ended`` in plain values, which cost less."""
    mine = _rows(each).filter(_done(each), pk=each.pk, held="", lease_holder=holder)
    if outcome.what == "inserted":
        mine = mine.filter(sadad_id=None)
    values = {
        **_ANSWERED,
        "state": State.SYNCED,
        "next_try_at": None,
        "error": "",
        "tries": 0,
        "synced_at": clock.sql_now(),
        "pushed_digest": each.digest,
        **outcome.values,
    }
    try:
        return bool(transactions.statement(lambda: mine.update(**values)))
    except IntegrityError:
        return False  # another row holds the id: told apart by the full statement


# Values


def _done(each: Mirror) -> Q:
    """The row still wants what was sent."""
    return Q(digest=each.digest, wanted=each.wanted)


# MariaDB sets columns from left to right and sees those already set: a column that a condition names comes
# after the condition.


def _ended(done: Q, state: str, **values: Any) -> dict[str, Any]:
    """In step with what was sent; due again at once if something else is wanted by now."""
    return {
        **_ANSWERED,
        "state": Case(
            When(_HELD, then=Value(State.FAILED)), When(done, then=Value(state)), default=Value(State.PENDING)
        ),
        "next_try_at": Case(When(_HELD, then=None), When(done, then=None), default=clock.sql_now()),
        "error": Case(When(_HELD, then=F("error")), default=Value("")),
        "tries": 0,
        "synced_at": clock.sql_now(),
        **values,
    }


def _in_step(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    if outcome.again:
        return {**_goes_on(each, outcome), "pushed_digest": ""}
    return _ended(_done(each), State.SYNCED, pushed_digest=each.digest, **outcome.values)


def _deleted(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    return _ended(Q(wanted=Wanted.ABSENT), State.DELETED, sadad_id=None, pushed_digest="", **outcome.values)


def _goes_on(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """Answered, with more to do at once."""
    now = clock.sql_now()
    gone = Q(wanted=Wanted.ABSENT, sadad_id=None) if "sadad_id" not in outcome.values else Q(pk=None)
    return {
        **_ANSWERED,
        "state": Case(
            When(_HELD, then=Value(State.FAILED)),
            When(gone, then=Value(State.DELETED)),
            default=Value(State.PENDING),
        ),
        "next_try_at": Case(When(_HELD | gone, then=None), default=now),
        "error": Case(When(_HELD, then=F("error")), default=Value("")),
        **outcome.values,
    }


def _unknown(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """``sending`` stays: it is looked at before anything else, and soon if it was marked meanwhile."""
    now = clock.sql_now()
    lost = {} if each.sending else {"sent_at": now}  # its call ended only now
    later, soon = now + max(pushing.SETTLED, _pause(each)), now + pushing.SETTLED
    return {
        **_FREE,
        **lost,
        "state": State.UNKNOWN,
        "error": Case(When(_HELD, then=F("error")), default=Value(outcome.error)),
        "error_params": Case(When(_HELD, then=F("error_params")), default=_json(outcome.params)),
        "tries": F("tries") + 1,
        "next_try_at": Case(When(_done(each), then=later), default=soon),
        "pushed_digest": "",
        **outcome.values,
    }


def _person(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    return {**_unknown(each, outcome), "next_try_at": None}


def _failed(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """Refused as it was sent; tried at once if something else is wanted by now. What was changed at Sadad is
    for a person, whatever is wanted by now.
    """
    done, now = _done(each), clock.sql_now()
    if outcome.held == Held.CONFLICT:
        done = Q(pk=each.pk)
    later = None if outcome.held else now + _pause(each)
    return {
        **_ANSWERED,
        "state": Case(When(_HELD | done, then=Value(State.FAILED)), default=Value(State.PENDING)),
        "next_try_at": Case(When(_HELD, then=None), When(done, then=later), default=now),
        "error": Case(
            When(_HELD, then=F("error")), When(done, then=Value(outcome.error)), default=F("error")
        ),
        "error_params": Case(
            When(_HELD, then=F("error_params")),
            When(done, then=_json(outcome.params)),
            default=F("error_params"),
        ),
        "tries": F("tries") + 1,
        "held": Case(When(_HELD, then=F("held")), When(done, then=Value(outcome.held)), default=Value("")),
        **outcome.values,
    }


def _later(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """Surely nothing was done. A look that did not work leaves the call unanswered."""
    now = clock.sql_now()
    return {
        **_FREE,
        "sending": each.sending,
        "sent_at": each.sent_at,
        "state": State.UNKNOWN if each.sending else F("state"),
        "error": Case(When(_HELD, then=F("error")), default=Value(plain.text(outcome.error, 80))),
        "tries": F("tries") + 1,
        "next_try_at": Case(When(_done(each), then=now + _pause(each)), default=now),
    }


def _stopped(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """The account rests, this row is not to blame."""
    pause = timedelta(seconds=min(outcome.wait or 60.0, 3600.0))
    values = {"sending": each.sending, "sent_at": each.sent_at, "next_try_at": clock.sql_now() + pause}
    return {**_FREE, **values}


_STORED: dict[str, Callable[[Mirror, Outcome], dict[str, Any]]] = {
    "inserted": _in_step,
    "updated": _in_step,
    "unchanged": _in_step,
    "deleted": _deleted,
    "found": _goes_on,
    "absent": _goes_on,
    "unknown": _unknown,
    "person": _person,
    "failed": _failed,
    "gone": _failed,
    "conflict": _failed,
    "later": _later,
    "stop": _stopped,
}


def _json(value: Any) -> Value:
    return Value(value, output_field=models.JSONField())


def _pause(each: Mirror) -> timedelta:
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return schedule.back_off(epoch, each.tries + 1) - epoch


# People


def _tell(each: Mirror, outcome: Outcome) -> None:
    """Ask a person, or close what was asked: in the transaction that stores it."""
    if outcome.what in ("inserted", "updated", "unchanged", "deleted"):
        if each.error or each.tries or each.sending:
            attention.close(_CASES, clock.now(), outcome.what, mirror=each)
        return
    now = clock.now()
    params = {"kind": each.kind, "error_key": outcome.error, **outcome.params}
    if outcome.what in _ASKED:
        code = Code.MIRROR_BAD if outcome.held == Held.BAD else _ASKED[outcome.what]
        attention.ask(code, now, each, mirror=each, **params)
    elif outcome.what in ("unknown", "later") and each.sent_at is not None and now - each.sent_at > _IN_VAIN:
        attention.ask(Code.MIRROR_UNKNOWN, now, each, mirror=each, **params, why="cannot_look")


#: A look that has not worked for so long needs a person; it is tried on all the same.
_IN_VAIN = timedelta(days=1)
_ASKED = {
    "failed": Code.MIRROR_REFUSED,
    "gone": Code.MIRROR_GONE,
    "person": Code.MIRROR_UNKNOWN,
    "conflict": Code.MIRROR_CONFLICT,
}


def _too_late(each: Mirror, outcome: Outcome) -> None:
    """Our lease ran out before the answer came. Whoever learns the id first writes it."""
    row, sadad_id, now = transactions.lock(type(each), each.pk), outcome.values["sadad_id"], clock.now()
    if row.sadad_id is None and row.state != State.DELETED:
        for name, value in {**outcome.values, "pushed_digest": "", "sending": "", "sent_at": None}.items():
            setattr(row, name, value)
        if not row.held:
            mirror_states.due(row, now)
        row.save(
            update_fields=[*outcome.values, *mirror_states.MARKED, "pushed_digest", "sending", "sent_at"]
        )
    elif row.sadad_id != sadad_id:
        theirs = {"theirs": sadad_id, "ours": row.sadad_id or ""}
        attention.ask(Code.MIRROR_TWICE, now, row, mirror=row, kind=row.kind, **theirs)


def _other_holds_it(each: Mirror, holder: str, outcome: Outcome) -> None:
    """Pull made a row for the object before we had its id: that row becomes ours, if nobody has touched it;
    else a person decides. What was found and not inserted: another mirror was quicker to adopt it, and we
    look again.
    """
    sadad_id = outcome.values["sadad_id"]
    mine = _rows(each).filter(account=each.account, environment=each.environment, sadad_id=sadad_id)
    found = mine.exclude(pk=each.pk).first()
    other = None if found is None else transactions.lock(type(each), found.pk)
    if outcome.what != "inserted" or other is None:
        again = Outcome("unknown", error="outcome_unknown")
    elif merging.is_pulls(other):
        merging.merge(other, each)
        again = outcome
    else:
        again = Outcome("person", error="id_held", params={"why": "held", "theirs": sadad_id})
    if _rows(each).filter(pk=each.pk, lease_holder=holder).update(**_STORED[again.what](each, again)):
        _tell(each, again)


def _rows(each: Mirror) -> models.QuerySet[Any]:
    return type(each)._base_manager.using(transactions.alias()).all()
