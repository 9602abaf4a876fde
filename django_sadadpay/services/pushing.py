"""One mirror: the call that brings Sadad in step with it, and what came of it, as values to store.

Nothing here writes to the database; ``push`` stores an :class:`Outcome`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django_sadadpay import conf
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import (
    AuthenticationError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    SadadError,
    Unavailable,
)
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.models import Mirror, ProductLink
from django_sadadpay.services import clock, comparing, finding, plain
from django_sadadpay.services.finding import Lists
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.told import has_base

Held = Mirror.Held
#: A lost answer is looked into after this: the call may still be under way at Sadad.
SETTLED = timedelta(seconds=60)


@dataclass
class Outcome:
    """What came of one row.

    :ivar what: ``inserted``, ``updated``, ``deleted``, ``unchanged``: done. ``found``, ``absent``: an
        unanswered call was resolved, the row goes on at once. ``unknown``: nobody knows. ``person``: only a
        person can find out. ``failed``: refused; ``gone``: Sadad has it no more; ``conflict``: it was changed
        there too; ``later``: surely nothing
        was done. ``stop``: nothing was done, and the account is to be left alone for now.
    :ivar values: columns to set.
    :ivar again: there is more to send (fields that only an update takes).
    :ivar held: why nothing is sent any more (``Mirror.Held``), unless something else is wanted by now.
    :ivar wait: seconds that Sadad asked for, with ``stop``.
    """

    what: str
    values: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    again: bool = False
    held: str = ""
    wait: float | None = None
    cause: SadadError | None = None


def act(row: Mirror, kind: Kind, client: SadadClient, lists: Lists | None = None) -> Outcome:
    """Do what the row asks for. Never raises a gateway's error.

    :param lists: shared by the rows of one phase that are looked for.
    """
    if row.sending:
        return _contained(row, "look", lambda: resolve(row, kind, client, lists or Lists()))
    if not row.is_wanted:
        return _contained(row, "delete", lambda: _delete(row, kind, client))
    if row.sadad_id is not None and row.digest == row.pushed_digest:
        return Outcome("unchanged")
    try:
        values = values_of(row, kind)
    except Exception as error:  # noqa: BLE001 - nothing was sent: its fault must not look like a lost answer
        return Outcome("failed", error="program", params={"error": type(error).__name__})
    if values is None:
        return Outcome("later", error="waits")
    if row.sadad_id is None:
        return _contained(row, "insert", lambda: _insert(row, kind, client, values))
    return _contained(row, "update", lambda: _update(row, kind, client, values))


# Calls


def _insert(row: Mirror, kind: Kind, client: SadadClient, values: dict[str, Any]) -> Outcome:
    values = {name: value for name, value in values.items() if value != ""}
    late = _only_updated(kind, client)
    record = kind.calls(client).insert({name: v for name, v in values.items() if name not in late})
    if not is_id(record.id):
        return Outcome("unknown", error="outcome_unknown")  # inserted, and not told as what
    return Outcome(
        "inserted", learned(record) | _page(row, kind, client, record), again=bool(late & values.keys())
    )


def _update(row: Mirror, kind: Kind, client: SadadClient, values: dict[str, Any]) -> Outcome:
    if conf.current().pull_conflict == "ask" and has_base(row):
        conflict = _changed_there(row, kind, client, values)
        if conflict is not None:
            return conflict
    kind.calls(client).update({**values, "id": row.sadad_id})
    return Outcome("updated")


def _changed_there(row: Mirror, kind: Kind, client: SadadClient, values: dict[str, Any]) -> Outcome | None:
    """What differs at Sadad from what it last said and from what is wanted here: an update would undo it.

    Only where nothing was pushed since Sadad's last word; else nobody can tell whose a difference is.
    """
    try:
        record = finding.by_id(kind, client, row.sadad_id or "", row.sadad_key)
    except NotFound:
        record = None
    if record is None:
        return _gone()
    fields = {f.name: f for f in client.endpoints[f"{kind.folder}/update"].fields}
    told = kind.told(client, record, kind.read)
    before = kind.told(client, ObjectRecord(raw=row.reply or {}), kind.read)
    theirs = comparing.difference(before, told, fields)
    names = [name for name in comparing.difference(values, told, fields) if name in theirs]
    if not names:
        return None
    return Outcome(
        "conflict", seen(record), "mirror_conflict", {"fields": ", ".join(names)}, held=Held.CONFLICT
    )


def _delete(row: Mirror, kind: Kind, client: SadadClient) -> Outcome:
    if row.sadad_id is not None:
        try:
            kind.calls(client).delete(row.sadad_id)
        except NotFound:
            pass  # gone already
    return Outcome("deleted")


def _only_updated(kind: Kind, client: SadadClient) -> set[str]:
    """Fields that an insert does not take."""
    takes = {
        name: {f.name for f in client.endpoints[f"{kind.folder}/{name}"].fields}
        for name in ("insert", "update")
    }
    return takes["update"] - takes["insert"] - {"id"}


def values_of(row: Mirror, kind: Kind) -> dict[str, Any] | None:
    """The body of an insert or update: the payload, with Sadad's ids of parents and children; None while one
    of them is not at Sadad.
    """
    values = dict(row.payload)
    for name, sent in kind.model.PARENTS.items():
        parent = getattr(row, name)
        if parent is not None:
            values[sent] = _id_of(parent)
    if kind.children is not None and isinstance(row, ProductLink):
        values[kind.children[0]] = listed = [_id_of(item.product) for item in row.items.all()]
        if None in listed:
            return None
    missing = any(values.get(sent, "") is None for sent in kind.model.PARENTS.values())
    return None if missing else values


def _id_of(row: Mirror) -> int | None:
    return None if row.sadad_id is None else int(row.sadad_id)


def is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 18


def learned(record: ObjectRecord) -> dict[str, Any]:
    """Columns that a record tells."""
    values: dict[str, Any] = {"sadad_id": record.id}
    if record.key:
        values["sadad_key"] = plain.text(record.key, 60)
    code = record.raw.get("code")
    if isinstance(code, str):
        values["code"] = plain.text(code, 60)
    return values


def _page(row: Mirror, kind: Kind, client: SadadClient, record: ObjectRecord) -> dict[str, Any]:
    """Its page is opened by a key, which the answer to an insert may not tell. Pull finds it too."""
    if not kind.has_page or record.key:
        return {}
    try:
        found = finding.by_id(kind, client, record.id, "")
    except SadadError:
        return {}
    return {} if found is None else learned(found) | seen(found)


def seen(record: ObjectRecord) -> dict[str, Any]:
    return {"reply": plain.data(record.raw), "reply_digest": ""}


# Unanswered calls


def resolve(row: Mirror, kind: Kind, client: SadadClient, lists: Lists) -> Outcome:
    """Look what became of a call that was not answered.

    :raises SadadError: Sadad could not be asked; it is looked at again.
    """
    if row.sending == "insert":
        return _resolve_insert(row, kind, client, lists)
    if row.sending == "update" and not row.is_wanted:
        return Outcome("absent", {"pushed_digest": ""})  # whatever it came to: it is to go
    try:
        record = finding.by_id(kind, client, row.sadad_id or "", row.sadad_key)
    except NotFound:
        record = None
    if row.sending == "delete":
        return Outcome("deleted") if record is None else Outcome("absent")
    if record is None:
        return _gone()
    told = kind.told(client, record, kind.read)
    fields = {f.name: f for f in client.endpoints[f"{kind.folder}/update"].fields}
    wanted = values_of(row, kind) or {}
    # What the read does not show (a link's products) may not have come: then it is sent again.
    if wanted.keys() <= told.keys() and not comparing.difference(wanted, told, fields):
        return Outcome("updated", learned(record) | seen(record))
    return Outcome("absent", {"pushed_digest": ""})


def _resolve_insert(row: Mirror, kind: Kind, client: SadadClient, lists: Lists) -> Outcome:
    settled = (row.sent_at or clock.now()) + SETTLED
    look = finding.lost_insert(row, kind, client, lists, settled)
    if look.record is not None:
        return Outcome("found", learned(look.record) | seen(look.record) | {"pushed_digest": ""})
    if look.is_absent:
        return Outcome("absent")
    return Outcome("person", error="mirror_unknown", params={"why": look.why})


def _gone() -> Outcome:
    return Outcome("gone", error="mirror_gone", held=Held.GONE)


# Errors


def _contained(row: Mirror, doing: str, call: Callable[[], Outcome]) -> Outcome:
    try:
        return call()
    except SadadError as error:
        outcome = _failed(doing, error)
        outcome.cause = error
        return outcome


def _failed(doing: str, error: SadadError) -> Outcome:
    if isinstance(error, RateLimited):
        return Outcome("stop", error="rate_limited", wait=error.retry_after)
    if isinstance(error, AuthenticationError) and error.endpoint.startswith("User/"):
        return Outcome("stop", error="keys_refused")
    if isinstance(error, OutcomeUnknown) and doing != "look":
        return Outcome("unknown", error="outcome_unknown")
    if isinstance(error, (Unavailable, OutcomeUnknown)) or doing == "look":
        return Outcome("later", error=error.error_key or "unavailable")
    if isinstance(error, Rejected) and not error.refusal and doing == "insert":
        # An unlisted key proves nothing: the object may exist (as for invoices).
        return Outcome("unknown", error=plain.text(error.error_key, 80))
    if isinstance(error, NotFound) and doing == "update":
        return _gone()
    if isinstance(error, InvalidRequest):
        params = {"field": error.field, "problem": error.detail}
        return Outcome("failed", error="bad_mirror", params=params, held=Held.BAD)
    values = {"pushed_digest": ""} if isinstance(error, Rejected) and not error.refusal else {}
    return Outcome("failed", values, error=plain.text(error.error_key or "UnauthorizedAccess", 80))
