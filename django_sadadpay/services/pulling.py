"""A part of Sadad's list, held against our rows: one SELECT, and nothing is written that is the same.

Only rows that are new or that changed are locked and written, in one transaction for each part. What is being
sent is left to push: a row with ``sending`` is looked at there. Nothing here calls Sadad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, connections, models

from django_sadadpay.models import Attention, InstallmentPlan, Mirror, Subscription
from django_sadadpay.services import (
    attention,
    bulk,
    clock,
    instalments,
    matching,
    mirror_states,
    plain,
    transactions,
)
from django_sadadpay.services.among import among
from django_sadadpay.services.lists import Change, Known, Place, Taken
from django_sadadpay.services.relating import Relations
from django_sadadpay.services.told import OF_ROW, Reader, Told, difference, has_base, mark

State, Held, Code = Mirror.State, Mirror.Held, Attention.Code
#: Columns that hold Sadad's word, and the name under which it says it.
_STANDING = {
    "status": "status",
    "paid_amount": "paid_amount",
    "remaining_amount": "remaining_amount",
    "next_bill_on": "next_bill_date",
}
_TRIES = 3


def sort(place: Place, told: Mapping[str, Told], began: datetime | None) -> Known:
    """Which of the objects are new or changed. One SELECT for the part.

    :param told: by Sadad's id. :param began: as ``Known.began``.
    """
    rows = place.rows.filter(among("sadad_id", told)).values_list("sadad_id", "pk", "reply_digest")
    known = Known(began=began)
    held = set()
    for sadad_id, pk, digest in rows:
        one = told[sadad_id]
        held.add(sadad_id)
        known.seen.append(pk)
        if digest[:OF_ROW] != one.digest:
            known.changed[pk] = one
            if not digest:
                known.uncompared.add(pk)
    known.new = [one for sadad_id, one in told.items() if sadad_id not in held]
    return known


def take(place: Place, known: Known) -> Taken:
    """Take over what is new or changed.

    :raises TryAgain: the database stayed locked; nothing of the part was stored.
    """
    if not known.changed and not known.new:
        return Taken()
    if place.dry_run:
        return _part(place, known).look()
    for _ in range(_TRIES - 1):
        try:
            return transactions.run(partial(_take, place, known))
        except IntegrityError:
            # Push or another pull has learned one of the ids meanwhile: it is a row that we know now.
            again = {one.sadad_id: one for one in (*known.changed.values(), *known.new)}
            known = sort(place, again, known.began)
    return transactions.run(partial(_take, place, known))


def _take(place: Place, known: Known) -> Taken:
    return _part(place, known).store()


def _part(place: Place, known: Known) -> _Part:
    return _Part(place, known, Relations.of(place, known), clock.now())


def follow_stored(place: Place, row: Any) -> None:
    """Take what the last pull has read of a row that is locked, after a person's decision."""
    told = place.reader.read(row.reply or {})
    if told is not None:
        place.reader.deepen(told, told.raw)
        told.digest = row.reply_digest[:OF_ROW]  # of the list alone; the stored reply holds more
        _part(place, Known({row.pk: told})).follow(row, told)


def verdict(row: Mirror, known: Known, *, differs: bool, asks: bool) -> str:
    """What is to become of a row that Sadad's list shows otherwise than it did before.

    :param differs: whether it is otherwise than what is wanted here. :param asks: ``PULL_CONFLICT`` is "ask".
    :return: ``waiting`` (left alone), ``same``, ``changed`` (Sadad's is taken), ``conflict`` (likewise, and
        ours is lost), ``asked`` (a person decides).
    """
    if row.sending or not row.is_wanted or row.held == Held.BAD or known.is_older(row):
        # Push looks at what it has sent, what is to be deleted will be, and a mend will be sent. What was
        # sent since the list was asked for is in the next one.
        return "waiting"
    if not differs:
        return "same"
    if row.digest == row.pushed_digest:
        return "changed"
    if not has_base(row):
        return "waiting"  # ours was never compared, or pushed since: it is sent as it is
    return "asked" if asks else "conflict"


class _Part:
    """Decides upon each object and collects what is to be written; only ``store`` and ``follow`` write."""

    def __init__(self, place: Place, known: Known, relations: Relations, now: datetime) -> None:
        self.place, self.known, self.relations, self.now = place, known, relations, now
        self.taken = Taken()
        self._updates: list[Mirror] = []
        self._standing = [name for name in _STANDING if _has(place.kind.model, name)]
        self._told: list[tuple[Mirror, Told]] = []
        self._cases: list[Callable[[], object]] = []
        self._noted: list[tuple[str, Told, Mapping[str, tuple[Any, Any]]]] = []
        where = {"account": place.account, "environment": place.environment}
        # Shared by all new rows: each is given a payload and details of its own.
        self._defaults = [where.get(f.name, f.get_default()) for f in place.kind.model._meta.concrete_fields]

    def look(self) -> Taken:
        """Say what ``store`` would do."""
        self._decide_all(self.place.rows.in_bulk(list(self.known.changed)))
        self.taken.changes = [change for noted in self._noted for change in self._changes(*noted)]
        return self.taken

    def store(self) -> Taken:
        model = self.place.kind.model
        self._decide_all(transactions.lock_all(model, list(self.known.changed)) if self.known.changed else {})
        _upsert(self._updates, self._written())
        self._write_cases()
        new = [row for row, _told in self._told if row.pk is None]
        bulk.insert(new)
        self.relations.store(self._told)
        instalments.store(self.place.reader, self._told)
        self.taken.stored = [row.pk for row, _told in self._told]
        return self.taken

    def follow(self, row: Any, told: Told) -> None:
        self._follow(row, told, self._difference(row, told), "changed")
        row.save(update_fields=self._written())
        self._write_cases()
        self.relations.store(self._told)
        instalments.store(self.place.reader, self._told)

    def _write_cases(self) -> None:
        for write in self._cases:
            write()

    def _written(self) -> list[str]:
        """Columns that a pull writes; ``source`` and its key are the shop's."""
        extra = ["next_check_at"] if _has(self.place.kind.model, "next_check_at") else []
        return [*_OURS, *self.place.kind.model.columns(), *self._standing, *extra]

    def _decide_all(self, rows: Mapping[int, Mirror]) -> None:
        for pk, told in self.known.changed.items():
            row = rows.get(pk)
            if row is None or row.sadad_id != told.sadad_id:
                self.taken.count("waiting")  # it was deleted or moved meanwhile
            else:
                self._decide(row, told)
        found = matching.match(self.place, self.known, self.now) if self.known.new else matching.Found()
        self.taken.count("waiting", len(found.left))
        for told in self.known.new:
            if told.sadad_id in found.left:
                continue
            mine = found.rows.get(told.sadad_id)
            if mine is None:
                self._adopt(told)
            else:
                self._match(mine, told)

    # One object

    def _decide(self, row: Mirror, told: Told) -> None:
        differs = self._difference(row, told)
        what = verdict(row, self.known, differs=bool(differs), asks=self.place.asks)
        if what == "same":
            self._agree(row, told)
        elif what == "asked":
            self._ask(row, told, differs)
        elif what == "waiting":
            self.taken.count(what)
        else:
            self._follow(row, told, differs, what)

    def _difference(self, row: Mirror, told: Told) -> dict[str, tuple[Any, Any]]:
        return difference(row, told, self.place.reader) | self.relations.difference(row, told)

    def _agree(self, row: Mirror, told: Told) -> None:
        """Sadad says what we want, in whatever spelling; its word is kept."""
        self.taken.count("same")
        ours_changed = row.digest != row.pushed_digest
        if row.state == State.FAILED and (not ours_changed or row.held in (Held.CONFLICT, Held.GONE)):
            self._close(row, Code.MIRROR_GONE, Code.MIRROR_CONFLICT)
            if ours_changed:
                mirror_states.due(row, self.now)  # what Sadad does not show is sent
            else:
                mirror_states.in_step(row, self.now)
        self._say(row, told)
        self._updates.append(row)

    def _follow(self, row: Mirror, told: Told, differs: Mapping[str, tuple[Any, Any]], what: str) -> None:
        """Want what Sadad has."""
        self.taken.count(what)
        self._note(what, told, differs)
        self._close(row, Code.MIRROR_GONE, Code.MIRROR_CONFLICT, Code.MIRROR_REFUSED)
        follow(row, told, self.place.reader, self.relations, differs)
        mirror_states.in_step(row, self.now)
        self._say(row, told)
        self._updates.append(row)

    def _ask(self, row: Mirror, told: Told, differs: Mapping[str, tuple[Any, Any]]) -> None:
        """Nothing is sent until a person has decided; Sadad's word is kept to decide upon."""
        self.taken.count("conflict")
        self.taken.count("asked")
        self._note("conflict", told, differs)
        fields = ", ".join(differs)
        mirror_states.hold(row, Held.CONFLICT, fields=fields)
        self._say(row, told)
        self._updates.append(row)
        ask = partial(attention.ask, Code.MIRROR_CONFLICT, self.now, row, mirror=row)
        self._cases.append(partial(ask, kind=row.kind, fields=fields))

    def _adopt(self, told: Told) -> None:
        """An object that was made in Sadad's panel, or by an older system."""
        if not self.relations.knows_children(told):
            self.taken.count("failed")  # a link without its products would empty Sadad's at the next push
            return
        self.taken.count("new")
        self._note("new", told, {})
        row = self._blank()
        row.sadad_id = told.sadad_id
        follow(row, told, self.place.reader, self.relations)
        mirror_states.in_step(row, self.now)
        self._say(row, told)
        if isinstance(row, (Subscription, InstallmentPlan)):
            row.next_check_at = self.now  # its bills are looked at

    def _match(self, row: Mirror, told: Told) -> None:
        """An object that we wanted, or whose insert was not answered: it is this one."""
        self.taken.count("matched")
        differs = self._difference(row, told)
        self._note("matched", told, differs)
        self._close(row, Code.MIRROR_UNKNOWN, Code.MIRROR_REFUSED)
        row.sadad_id, row.pushed_digest = told.sadad_id, ""
        mirror_states.answered(row)
        self._name(row, told)
        if differs or not row.is_wanted or told.values.keys() < row.payload.keys():
            row.error = ""
            mirror_states.due(row, self.now)
        else:
            mirror_states.in_step(row, self.now)
        self._say(row, told)
        self._updates.append(row)

    # Parts of it

    def _blank(self) -> Mirror:
        """A new row. By place: by name, Django takes three times as long, and there may be a million."""
        make: Any = self.place.kind.model
        row: Mirror = make(*self._defaults)
        return row

    def _name(self, row: Mirror, told: Told) -> None:
        key, code = told.values.get("key"), told.values.get("code")
        row.sadad_key = plain.text("" if key is None else str(key), 60) or row.sadad_key
        row.code = plain.text(code, 60) if isinstance(code, str) else row.code

    def _say(self, row: Mirror, told: Told) -> None:
        # The gateway has taken out what no database stores.
        row.reply, row.reply_digest = dict(told.raw), mark(told, row.pushed_digest)
        self._name(row, told)
        for column in self._standing:
            if told.values.get(_STANDING[column]) is not None:
                setattr(row, column, standing(row, column, told.values[_STANDING[column]]))
        self._told.append((row, told))

    def _close(self, row: Mirror, *codes: str) -> None:
        """Called before the row is settled: without trouble there is no case, and no statement."""
        troubled = bool(row.error) or row.tries > 0 or row.state in (State.FAILED, State.UNKNOWN)
        if troubled:
            self._cases.append(partial(attention.close, codes, self.now, "both sides agree", mirror=row))

    def _note(self, what: str, told: Told, differs: Mapping[str, tuple[Any, Any]]) -> None:
        self._noted.append((what, told, differs))

    def _changes(self, what: str, told: Told, differs: Mapping[str, tuple[Any, Any]]) -> Iterator[Change]:
        kind = self.place.kind
        lines = [(name, ours, theirs) for name, (ours, theirs) in differs.items()] or [("", "", "")]
        personal = kind.model.PERSONAL
        for name, ours, theirs in lines:
            shown = (masked(name, ours, personal), masked(name, theirs, personal))
            yield Change(what, kind.name, told.sadad_id, name, *shown)


def follow(
    row: Mirror,
    told: Told,
    reader: Reader,
    relations: Relations,
    differs: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Want what Sadad has: of ``differs``, or of everything that it tells."""
    theirs = reader.payload(told)
    names = theirs.keys() if differs is None else theirs.keys() & differs.keys()
    payload = {**row.payload, **{name: theirs[name] for name in names}}
    relations.follow(row, told)
    row.take(
        {name: value for name, value in payload.items() if value is not None}, relations.children(row, told)
    )
    row.pushed_digest = row.digest


def standing(row: Mirror, column: str, value: Any) -> Any:
    """Sadad's word as the column holds it."""
    field = row._meta.get_field(column)
    if isinstance(field, models.DateField):
        return instalments.day(value)
    if isinstance(field, models.DecimalField):
        return instalments.kwd(value)
    return plain.text(str(value), getattr(field, "max_length", 40))


def masked(name: str, value: Any, personal: Iterable[str]) -> str:
    """A value fit for a screen."""
    if value in (None, ""):
        return "–"
    return "•••" if name in personal else plain.text(str(value), 60)


def _has(model: type[Mirror], name: str) -> bool:
    return any(f.name == name for f in model._meta.concrete_fields)


#: Columns of every kind that a pull may change.
_OURS = (*mirror_states.COLUMNS, "sadad_key", "code", "reply", "reply_digest")


# Statements


def _upsert(rows: list[Any], columns: Sequence[str]) -> None:
    """Write these columns of rows that exist and are locked. Much faster than ``bulk_update``'s CASE."""
    if not rows:
        return
    connection = connections[transactions.alias()]
    named = connection.features.supports_update_conflicts_with_target
    type(rows[0])._base_manager.using(connection.alias).bulk_create(
        rows,
        update_conflicts=True,
        update_fields=list(columns),
        unique_fields=["id"] if named else None,
    )
