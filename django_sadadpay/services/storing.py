"""How push claims rows and stores what came of them: one conditional statement each, in autocommit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import IntegrityError, models
from django.db.models import Case, F, Q, Value, When

from django_sadadpay.models import Attention, Mirror, ProductLinkItem
from django_sadadpay.services import attention, clock, kinds, plain, pushing, schedule, transactions
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.pushing import Outcome

T = TypeVar("T")
State, Wanted, Code = Mirror.State, Mirror.Wanted, Attention.Code
_BAD = Q(error="bad_mirror")
#: Cases that a success closes.
_CASES = (Code.MIRROR_BAD, Code.MIRROR_REFUSED, Code.MIRROR_UNKNOWN, Code.MIRROR_GONE)
_FREE = {"lease_holder": "", "lease_until": None}
_ANSWERED: dict[str, Any] = {"sending": "", "sent_at": None, **_FREE}


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
    count = _statement(lambda: rows.filter(_as_selected(group), free, due, to_do(now)).update(**values))
    if count == len(group):
        return list(group)
    mine = set(rows.filter(lease_holder=holder).values_list("pk", flat=True)) if count else set()
    return [each for each in group if each.pk in mine]


def _as_selected(group: Sequence[Mirror]) -> Q:
    """Each row as it was read: what is sent is decided upon these columns."""
    exact = Q()
    for each in group:
        exact |= Q(
            pk=each.pk,
            digest=each.digest,
            wanted=each.wanted,
            sending=each.sending,
            sadad_id=each.sadad_id,
        )
    return exact


def to_do(now: Any) -> Q:
    """Rows that a call can bring further: not in step, and no call of theirs may still be under way."""
    settled = Q(sending="") | Q(sent_at__lte=now - pushing.SETTLED)
    return settled & ~Q(state__in=(State.SYNCED, State.DELETED))


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
    _statement(lambda: _rows(each).filter(pk=each.pk, lease_holder=holder).update(**values))


def store(each: Mirror, kind: Kind, holder: str, outcome: Outcome) -> None:
    """Store what came of a claimed row. What was marked meanwhile stays marked."""
    if outcome.what in _SIMPLE and not outcome.again and _store_simply(each, holder, outcome):
        _tell(each, outcome)
        return
    values = _STORED[outcome.what](each, outcome)
    mine = _rows(each).filter(pk=each.pk, lease_holder=holder)
    if outcome.what in ("inserted", "found"):
        mine = mine.filter(sadad_id=None)
    try:
        stored = _statement(lambda: mine.update(**values))
    except IntegrityError:
        transactions.run(partial(_other_holds_it, each, holder, outcome))
        return
    if not stored and outcome.what == "inserted":
        transactions.run(partial(_too_late, each, outcome))
    if stored:
        _tell(each, outcome)


#: Of these, nearly all rows still want what was sent.
_SIMPLE = ("inserted", "updated")


def _store_simply(each: Mirror, holder: str, outcome: Outcome) -> bool:
    """In step, if nothing was marked meanwhile: the same as ``_ended`` in plain values, which cost less."""
    mine = _rows(each).filter(_done(each), ~_BAD, pk=each.pk, lease_holder=holder)
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
        return bool(_statement(lambda: mine.update(**values)))
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
            When(_BAD, then=Value(State.FAILED)), When(done, then=Value(state)), default=Value(State.PENDING)
        ),
        "next_try_at": Case(When(_BAD, then=None), When(done, then=None), default=clock.sql_now()),
        "error": Case(When(_BAD, then=F("error")), default=Value("")),
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
            When(_BAD, then=Value(State.FAILED)),
            When(gone, then=Value(State.DELETED)),
            default=Value(State.PENDING),
        ),
        "next_try_at": Case(When(_BAD | gone, then=None), default=now),
        "error": Case(When(_BAD, then=F("error")), default=Value("")),
        **outcome.values,
    }


def _unknown(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """``sending`` stays: it is looked at before anything else."""
    lost = {} if each.sending else {"sent_at": clock.sql_now()}  # its call ended only now
    later = clock.sql_now() + max(pushing.SETTLED, _pause(each))
    return {
        **_FREE,
        **lost,
        "state": State.UNKNOWN,
        "error": Case(When(_BAD, then=F("error")), default=Value(outcome.error)),
        "error_params": outcome.params,
        "tries": F("tries") + 1,
        "next_try_at": later,
        "pushed_digest": "",
        **outcome.values,
    }


def _person(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    return {**_unknown(each, outcome), "next_try_at": None}


def _failed(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """Refused as it was sent; tried at once if something else is wanted by now."""
    done, now = _done(each), clock.sql_now()
    later = None if outcome.what == "gone" else now + _pause(each)
    return {
        **_ANSWERED,
        "state": Case(When(_BAD | done, then=Value(State.FAILED)), default=Value(State.PENDING)),
        "next_try_at": Case(When(_BAD, then=None), When(done, then=later), default=now),
        "error": Case(When(_BAD, then=F("error")), When(done, then=Value(outcome.error)), default=F("error")),
        "error_params": outcome.params,
        "tries": F("tries") + 1,
        **outcome.values,
    }


def _later(each: Mirror, outcome: Outcome) -> dict[str, Any]:
    """Surely nothing was done. A look that did not work leaves the call unanswered."""
    return {
        **_FREE,
        "sending": each.sending,
        "sent_at": each.sent_at,
        "state": State.UNKNOWN if each.sending else F("state"),
        "error": Case(When(_BAD, then=F("error")), default=Value(plain.text(outcome.error, 80))),
        "tries": F("tries") + 1,
        "next_try_at": clock.sql_now() + _pause(each),
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
    "later": _later,
    "stop": _stopped,
}


def _pause(each: Mirror) -> timedelta:
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return schedule.back_off(epoch, each.tries + 1) - epoch


# People


def _tell(each: Mirror, outcome: Outcome) -> None:
    """Ask a person, or close what was asked."""
    if outcome.what in ("inserted", "updated", "unchanged", "deleted"):
        if each.error or each.tries or each.sending:
            transactions.run(lambda: attention.close(_CASES, clock.now(), outcome.what, mirror=each))
    elif outcome.what in _ASKED:
        params = {"kind": each.kind, "error_key": outcome.error, **outcome.params}
        code = Code.MIRROR_BAD if outcome.error == "bad_mirror" else _ASKED[outcome.what]
        ask = partial(attention.ask, code, row=each, mirror=each, **params)
        transactions.run(lambda: ask(now=clock.now()))


_ASKED = {"failed": Code.MIRROR_REFUSED, "gone": Code.MIRROR_GONE, "person": Code.MIRROR_UNKNOWN}


def _too_late(each: Mirror, outcome: Outcome) -> None:
    """Our lease ran out before the answer came. Whoever learns the id first writes it."""
    row, sadad_id = transactions.lock(type(each), each.pk), outcome.values["sadad_id"]
    if row.sadad_id is None and row.state != State.DELETED:
        for name, value in {**outcome.values, "pushed_digest": "", "sending": "", "sent_at": None}.items():
            setattr(row, name, value)
        row.state, row.next_try_at = State.PENDING, clock.now()
        row.save(
            update_fields=[*outcome.values, "pushed_digest", "sending", "sent_at", "state", "next_try_at"]
        )
    elif row.sadad_id != sadad_id:
        theirs = {"theirs": sadad_id, "ours": row.sadad_id or ""}
        attention.ask(Code.MIRROR_TWICE, clock.now(), row, mirror=row, kind=row.kind, **theirs)


def _other_holds_it(each: Mirror, holder: str, outcome: Outcome) -> None:
    """Pull made a row for the object before we had its id: that row becomes ours. If the other is no row of
    pull's, another mirror was quicker to adopt the object: we look again.
    """
    model, sadad_id = type(each), outcome.values["sadad_id"]
    mine = _rows(each).filter(account=each.account, environment=each.environment, sadad_id=sadad_id)
    other = mine.exclude(pk=each.pk).first()
    if other is not None and other.source_key is None and outcome.what == "inserted":
        other = transactions.lock(model, other.pk)
        _move_children(other, each)
        other.sadad_id, other.wanted, other.state, other.error = None, Wanted.ABSENT, State.DELETED, "merged"
        other.sending, other.sent_at, other.next_try_at = "", None, None
        other.save(
            update_fields=["sadad_id", "wanted", "state", "error", "sending", "sent_at", "next_try_at"]
        )
        values = _STORED[outcome.what](each, outcome)
    else:
        values = _unknown(each, Outcome("unknown", error="outcome_unknown"))
    _rows(each).filter(pk=each.pk, lease_holder=holder).update(**values)


def _move_children(other: Mirror, each: Mirror) -> None:
    for model, lookup in kinds.dependants(kinds.of(each)):
        if lookup == "items__product":
            ours = ProductLinkItem._base_manager.using(transactions.alias()).filter(product_id=each.pk)
            taken = list(ours.values_list("link_id", flat=True))
            items = ProductLinkItem._base_manager.using(transactions.alias()).filter(product_id=other.pk)
            items.filter(link_id__in=taken).delete()
            items.update(product_id=each.pk)
        else:
            model._base_manager.using(transactions.alias()).filter(**{lookup: other}).update(**{lookup: each})


# Statements


def _rows(each: Mirror) -> models.QuerySet[Any]:
    return type(each)._base_manager.using(transactions.alias()).all()


def _statement(call: Callable[[], T]) -> T:
    """One statement in autocommit; made again after a lock error, which has undone all of it."""
    for attempt in range(1, transactions.TRIES):
        try:
            return call()
        except Exception as error:  # drivers wrap lock errors in classes of their own
            if not transactions.is_lock_error(error):
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - jitter, not a secret
    return call()
