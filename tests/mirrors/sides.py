"""Both sides held against each other, object by object: what the shop says, what its mirror's row says, and
what Sadad has under the row's own id. Not as bags of values: two rows with each other's ids are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.models import Attention, Mirror, ProductLink
from django_sadadpay.registry import Draft, DraftError, mirrors
from django_sadadpay.services import attention, mirroring, opening
from django_sadadpay.services.kinds import KINDS, Kind, dependants, of
from django_sadadpay.services.sources import kind_of

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator

State = Mirror.State
_NUMBERS = ("kwd", "number", "integer")


def nobody(_row: Mirror) -> bool:
    return False


def differences(
    emulator: Emulator,
    *,
    cases: bool = False,
    from_panel: Callable[[Mirror], bool] = nobody,
) -> list[str]:
    """Every place where the sides disagree, in words. Empty: all is in step, and nobody is at anything.

    :param cases: a row may be out of step while exactly one open case says so to a person, or while it waits
        for another one of which that is true.
    :param from_panel: rows whose object was changed in Sadad's panel: that may have been taken, and then the
        shop's own object says otherwise until it is saved again.
    """
    found: list[str] = []
    for kind in KINDS:
        rows = list(kind.model._base_manager.order_by("pk"))
        there = {str(one["id"]): one for one in emulator.control.objects(kind.folder)}
        asked = {row.pk: open_cases(row) for row in rows}
        for row in rows:
            if asked[row.pk]:
                problems = _asked(asked[row.pk], cases)
            elif cases and is_waiting(row):
                problems = []
            else:
                problems = [*_at_rest(row), *_at_sadad(emulator, kind, row, there, from_panel(row))]
                problems += [] if from_panel(row) else _in_shop(row)
            found += [f"{kind.name} {row.pk}: {problem}" for problem in problems]
        found += _strays(kind, rows, there, asked)
    return found + list(_unmirrored())


def open_cases(row: Mirror) -> list[str]:
    """Codes of what waits for a person about a row."""
    waiting = Attention.objects.filter(resolved_at=None, subject=attention.subject_of(row))
    return list(waiting.order_by("pk").values_list("code", flat=True))


def is_waiting(row: Mirror) -> bool:
    """For a parent or a listed product that is not at Sadad yet, or for those that still need it there; and a
    person is asked about them.
    """
    if row.state in (State.SYNCED, State.DELETED):
        return False
    needed = (
        [getattr(row, name) for name in type(row).PARENTS] + row.listed() if row.is_wanted else _children(row)
    )
    return any(open_cases(one) or is_waiting(one) for one in needed if one is not None)


def _children(row: Mirror) -> list[Mirror]:
    return [
        one for model, lookup in dependants(of(row)) for one in model._base_manager.filter(**{lookup: row})
    ]


def _asked(codes: list[str], allowed: bool) -> list[str]:
    return [] if allowed and len(codes) == 1 else [f"waits for a person: {', '.join(codes)}"]


def _at_rest(row: Mirror) -> Iterator[str]:
    """Nobody holds it, nothing is unanswered, nothing is due."""
    idle: dict[str, Any] = {"sending": "", "sent_at": None, "lease_holder": "", "lease_until": None}
    idle["next_try_at"] = None
    if row.state == State.DELETED:
        expected = {**idle, "wanted": "absent", "sadad_id": None}
    else:
        expected = {**idle, "state": "synced", "wanted": "present", "error": "", "pushed_digest": row.digest}
    for name, value in expected.items():
        if getattr(row, name) != value:
            yield f"{name} is {getattr(row, name)!r}, not {value!r}"


def _at_sadad(
    emulator: Emulator, kind: Kind, row: Mirror, there: dict[str, dict[str, Any]], from_panel: bool
) -> Iterator[str]:
    if row.state == State.DELETED:
        return
    theirs = there.get(row.sadad_id or "")
    if theirs is None:
        yield f"Sadad has no {row.sadad_id}"
        return
    fields = {field.name: field for field in ENDPOINTS[f"{kind.folder}/update"].fields}
    for name, ours in row.payload.items():
        field = fields[name]
        if plain(ours, field.kind) != plain(theirs.get(field.wire), field.kind):
            yield f"{name}: {ours!r} here, {theirs.get(field.wire)!r} at Sadad"
    for name, sent in kind.model.PARENTS.items():
        parent, shown = getattr(row, name), theirs.get(fields[sent].wire)
        if (parent.sadad_id if parent else "") != str(shown or ""):
            yield f"{name}: {parent and parent.sadad_id} here, {shown} at Sadad"
    if isinstance(row, ProductLink):
        ours_listed = [one.sadad_id for one in row.listed()]
        listed = [
            str(pk) for pk in emulator.world.objects[kind.folder][int(row.sadad_id or 0)].values["products"]
        ]
        if (set(ours_listed) != set(listed)) if from_panel else (ours_listed != listed):
            yield f"products: {ours_listed} here, {listed} at Sadad"


def plain(value: Any, kind: str) -> str:
    """A value once its spelling is set aside. By rules of our own: the app's are what is tested."""
    if kind == "flag":
        return str(bool(value))
    if kind in _NUMBERS:
        return f"{Decimal(str(value or 0)):.3f}"
    if kind == "date":
        return str(value or "")[:10]
    return str(value or "").lower() if kind in ("word", "language") else str(value or "")


def _in_shop(row: Mirror) -> Iterator[str]:
    """The row of a shop's object says what the object's draft says now."""
    draft = _draft_of(row)
    if not row.source or isinstance(draft, DraftError):
        return
    if draft is None or row.state == State.DELETED:
        if draft is not None or row.state != State.DELETED:
            yield f"the shop wants {'it' if draft else 'nothing'}, the row is {row.state}"
        return
    wanted = dict(draft.payload())
    kept = {name for name in type(row).KEPT if name not in wanted}
    for name in wanted.keys() | (row.payload.keys() - kept - {"ref_number"}):
        if wanted.get(name) != row.payload.get(name):
            yield f"{name}: {wanted.get(name)!r} in the shop, {row.payload.get(name)!r} on the row"
    if "ref_number" in type(row).SHOWN:
        own = opening.new_reference(str(getattr(draft, "reference", "") or row.object_id)).rpartition("-")[0]
        if own != str(row.payload.get("ref_number")).rpartition("-")[0]:
            yield f"reference: {own!r} in the shop, {row.payload.get('ref_number')!r} on the row"
    yield from _relations(row, draft)


def _draft_of(row: Mirror) -> Draft | DraftError | None:
    mirrored = mirrors.get(row.source)
    obj = mirrored and mirrored.model._base_manager.filter(pk=row.object_id).first()
    if mirrored is None or obj is None:
        return None
    try:
        return mirrored.mirror(obj)
    except DraftError as error:
        return error


def _relations(row: Mirror, draft: Draft) -> Iterator[str]:
    for name, pk in row.parent_pks().items():
        wanted = _pk_of(getattr(draft, name, None))
        if wanted != pk:
            yield f"{name}: row {wanted} by the shop, row {pk} by the mirror"
    if isinstance(row, ProductLink):
        ours, listed = [_pk_of(one) for one in getattr(draft, "products")], [one.pk for one in row.listed()]  # noqa: B009 - of one kind of draft only
        if ours != listed:
            yield f"products: rows {ours} by the shop, {listed} by the mirror"


def _pk_of(value: Any) -> int | None:
    if value is None or isinstance(value, Mirror):
        return None if value is None else value.pk
    try:
        row = mirroring.row_of(value)
    except Exception:  # noqa: BLE001 - a payer by name is no object of the shop's
        return None
    return None if row is None else row.pk


def _strays(
    kind: Kind, rows: list[Any], there: dict[str, dict[str, Any]], asked: dict[int, list[str]]
) -> Iterator[str]:
    """Objects at Sadad that no row has, but for those that a person is asked about."""
    held = [row.sadad_id for row in rows if row.sadad_id is not None]
    strays = sorted(there.keys() - set(held))
    unsure = sum(row.sadad_id is None and bool(asked[row.pk]) for row in rows)
    if len(strays) > unsure:
        yield f"{kind.name}: at Sadad, and nobody's: {', '.join(strays)}"
    if len(held) != len(set(held)):
        yield f"{kind.name}: two rows have the same id"
    wanted = sum(row.is_wanted for row in rows)
    if not any(asked.values()) and not any(map(is_waiting, rows)) and len(there) != wanted:
        yield f"{kind.name}: {len(there)} at Sadad, {wanted} wanted"


def _unmirrored() -> Iterator[str]:
    for mirrored in mirrors:
        rows = kind_of(mirrored).model._base_manager.filter(source=mirrored.name)
        known = set(rows.values_list("object_id", flat=True))
        for obj in mirrored.model._base_manager.all():
            if str(obj.pk) not in known and mirrored.mirror(obj) is not None:
                yield f"{mirrored.name} {obj.pk}: the shop wants it, and it has no row"
