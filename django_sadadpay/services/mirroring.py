"""What is wanted at Sadad: from the shop's objects when they are saved, or from staff. No call is made here.

Everything runs inside the transaction that changed the object, so that a rolled-back save leaves nothing.
A draft is made from a fresh instance: the one that was saved may hold old values in fields that it did not
save. Outside a transaction (Django's autocommit) the save and the mark are two statements: a process that
dies between them is caught up by ``sadadpay_push --all``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, models, transaction

from django_sadadpay import conf
from django_sadadpay.gateway.hidden import hide
from django_sadadpay.models import Attention, Mirror, Product, ProductLink, ProductLinkItem
from django_sadadpay.models.base import exact
from django_sadadpay.registry import Customer as Payer
from django_sadadpay.registry import Draft, DraftError, Mirrored, mirrors
from django_sadadpay.services import (
    attention,
    clock,
    finding,
    gateway,
    kinds,
    mirror_states,
    opening,
    transactions,
    waking,
    wishes,
)
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.sources import kind_of, locked, mirrored_of

State, Wanted, Held, Code = Mirror.State, Mirror.Wanted, Mirror.Held, Attention.Code
R = TypeVar("R", bound=Mirror)
T = TypeVar("T")
_CHUNK = 100


# For shops


def mirror(objects: Iterable[models.Model], *, name: str = "") -> int:
    """Mark the mirrors of ``objects`` after a change that sends no signal (``update``, ``bulk_create``).

    In the caller's transaction, if one is open; else in one for each hundred.

    :param name: the registered name, where a model has several mirrors.
    :return: how many mirrors changed.
    """
    changed, left = 0, iter(objects)
    while chunk := [(mirrored_of(obj, name), obj) for obj in islice(left, _CHUNK)]:
        changed += _together(partial(_mark_all, chunk))
    return changed


def _mark_all(chunk: list[tuple[Mirrored[Any], models.Model]]) -> int:
    return sum(mark(mirrored, obj) is not None for mirrored, obj in chunk)


def row_of(obj: models.Model, *, name: str = "") -> Mirror | None:
    """The mirror of a shop's object in its account's present environment."""
    mirrored = mirrored_of(obj, name)
    account = conf.current().account(mirrored.account(obj))
    rows = kind_of(mirrored).model._base_manager.using(transactions.alias())
    key = exact(mirrored.name, str(obj.pk))
    return rows.filter(source_key=key, account=account.name, environment=account.environment).first()


# Marks, in the caller's transaction


def mark(mirrored: Mirrored[Any], obj: models.Model) -> Mirror | None:
    """Want what ``obj`` says now. The row if that changed anything; it is pushed after the commit."""
    return _together(partial(_mark_fresh, mirrored, obj.pk))


def forget(mirrored: Mirrored[Any], pk: Any) -> bool:
    """The object is gone: so is to be its mirror, in every account whose environment is in use."""
    return _together(lambda: _forget(locked(kind_of(mirrored), exact(mirrored.name, str(pk)))))


def again(row: Mirror) -> None:
    """Want what the row's object says by now, inside a transaction; a row that staff keep stays as it is."""
    mirrored = mirrors.get(row.source)
    if mirrored is not None:
        _mark_fresh(mirrored, row.object_id)


def _together(block: Callable[[], T]) -> T:
    """In the caller's transaction; where there is none (autocommit), in one of ours, made again after a lock
    error.
    """
    if not transaction.get_connection(transactions.alias()).in_atomic_block:
        return transactions.run(block)
    with transaction.atomic(using=transactions.alias()):
        return block()


def _mark_fresh(mirrored: Mirrored[Any], pk: Any) -> Mirror | None:
    """The lock first: SQLite cannot turn a read into a write while another writes."""
    for last in (False, True):
        rows = locked(kind_of(mirrored), exact(mirrored.name, str(pk)))
        obj = mirrored.model._base_manager.using(transactions.alias()).filter(pk=pk).first()
        if obj is None:
            _forget(rows)
            return None
        try:
            return _mark(mirrored, obj, rows)
        except IntegrityError:
            if last or rows:
                raise
            # Another transaction has made the object's row meanwhile: it is there to be locked now.
    return None


def _forget(rows: list[Mirror]) -> bool:
    return sum(_want_absent(row) for row in rows if not gateway.is_parked(row)) > 0


def _mark(mirrored: Mirrored[Any], obj: models.Model, rows: list[Mirror]) -> Mirror | None:
    kind, account = kind_of(mirrored), conf.current().account(mirrored.account(obj))
    here: Mirror | None = None
    for row in rows:
        if (row.account, row.environment) == (account.name, account.environment):
            here = row
        elif not gateway.is_parked(row):
            _want_absent(row)  # it moved to another account
    try:
        draft = _draft(mirrored, obj)
        if draft is None:
            return here if here is not None and _want_absent(here) else None
        row = here or _new(kind, mirrored, obj, account)
        return row if want(row, draft) else None
    except DraftError as error:
        row = here or _new(kind, mirrored, obj, account)
        return row if _fail(row, error) else None


def _draft(mirrored: Mirrored[Any], obj: models.Model) -> Draft | None:
    """The shop's own code, in a savepoint: its fault is kept on the row, the save goes on.

    :raises DraftError: names the field, or ``mirror`` when the method itself failed.
    """
    try:
        with transaction.atomic(using=transactions.alias()):
            return mirrored.mirror(obj)
    except DraftError:
        raise
    except Exception as error:  # the shop's code may raise anything; its save must go on
        if transactions.is_lock_error(error):
            raise  # the whole transaction is void
        raise DraftError("mirror", type(error).__name__) from error


def _new(kind: Kind, mirrored: Mirrored[Any], obj: models.Model, account: conf.Account) -> Mirror:
    return kind.model(
        account=account.name,
        environment=account.environment,
        source=mirrored.name,
        object_id=str(obj.pk),
        source_key=exact(mirrored.name, str(obj.pk)),
    )


# What is wanted of one row


def create(draft: Draft, account: str = "default") -> Mirror:
    """A new object, made by staff or code without a model of the shop's.

    :raises DraftError: names the field that Sadad would refuse; nothing was stored.
    """
    return _together(partial(_create, draft, conf.current().account(account)))


def _create(draft: Draft, account: conf.Account) -> Mirror:
    row = kinds.of_draft(type(draft)).model(account=account.name, environment=account.environment)
    want(row, draft)
    return row


def change(row: R, draft: Draft) -> R:
    """Want an object otherwise, by staff. A row with a source follows its source again at its next save.

    :raises DraftError: as ``create``.
    """
    return _together(partial(_change, row, draft))


def _change(row: R, draft: Draft) -> R:
    locked = transactions.lock(type(row), row.pk)
    want(locked, draft)
    return locked


def remove(row: Mirror) -> None:
    """Want an object gone, by staff.

    :raises Refused: ``needed``: others need it; ``field`` names how many of which kind.
    """
    _together(partial(_remove, row))


def _remove(row: Mirror) -> None:
    locked = transactions.lock(type(row), row.pk)
    others = needed_by(locked)
    if others:
        raise Refused("needed", field=", ".join(f"{count} {name}" for name, count in others.items()))
    _want_absent(locked)


def needed_by(row: Mirror) -> dict[str, int]:
    """Kinds and numbers of what is wanted at Sadad and needs ``row`` there."""
    found = {}
    for model, lookup in kinds.dependants(kinds.of(row)):
        rows = model._base_manager.using(transactions.alias())
        count = rows.filter(**{lookup: row}, wanted=Wanted.PRESENT).distinct().count()
        if count:
            found[str(model._meta.verbose_name_plural if count > 1 else model._meta.verbose_name)] = count
    return found


def validate(draft: Draft) -> None:
    """:raises DraftError: names the field that Sadad would refuse. For ``clean`` of forms."""
    draft.payload()


def want(row: Mirror, draft: Draft) -> bool:
    """Set what is wanted and make the row due, inside a transaction and, if it exists, under its lock.

    :return: whether anything changed.
    :raises DraftError: a field cannot be sent, or a parent is not mirrored.
    """
    kind, before = kinds.of(row), row.digest
    _remember(row, kind)
    payload, listed = hide(draft.payload()), _relate(row, draft)
    if kind.has_reference:
        shop = str(getattr(draft, "reference", "") or row.object_id)
        kept = "" if row.state == State.DELETED else getattr(row, "ref_number", "")
        payload["ref_number"] = kept or opening.new_reference(shop)
    if row.state != State.DELETED:
        kept_values = {name: row.payload[name] for name in type(row).KEPT if name in row.payload}
        payload = hide(kept_values | payload)
    shown = row.payload
    row.take(payload, listed)
    if row.pk and row.digest == before and row.is_wanted and row.held != Held.BAD:
        return False
    wishes.revive(row)
    wishes.due(row, [name for name in sorted({*shown, *payload}) if shown.get(name) != payload.get(name)])
    _save(row, listed if kind.children else None)
    return True


def _remember(row: Mirror, kind: Kind) -> None:
    """Of a row, and of those whose key holds its name, if their inserts are not answered."""
    finding.remember(row, kind)
    for model, parent in kinds.named_by(kind) if row.pk else ():
        children = model._base_manager.using(transactions.alias()).select_related(parent)
        for child in children.filter(**{parent: row}, sending="insert", sent_key=""):
            finding.remember(child, kinds.of(child))
            children.filter(pk=child.pk, sending="insert").update(sent_key=child.sent_key)


def _want_absent(row: Mirror) -> bool:
    if not row.is_wanted:
        return False
    row.wanted = Wanted.ABSENT
    if row.sadad_id is None and not row.sending:
        if row.error:
            attention.close(_NEVER_SENT, clock.now(), "deleted", mirror=row)
        mirror_states.deleted(row, None)
        row.save(update_fields=mirror_states.COLUMNS)
    else:
        wishes.due(row, [])
        _save(row, None)
    _relist(row)
    return True


#: What can have been asked about a row that never was at Sadad.
_NEVER_SENT = (Code.MIRROR_BAD, Code.MIRROR_REFUSED, Code.MIRROR_UNKNOWN, Code.MIRROR_GONE)


def _relist(row: Mirror) -> None:
    """A product goes: the links that list it are drafted anew, since no signal tells of their lists."""
    links = ProductLink._base_manager.using(transactions.alias()).filter(items__product_id=row.pk)
    for link in links.filter(wanted=Wanted.PRESENT) if isinstance(row, Product) else ():
        again(link)


def _fail(row: Mirror, error: DraftError) -> bool:
    """Keep what cannot be sent as a failure that names the field. What is at Sadad stays as it is."""
    params: dict[str, Any] = {"field": error.field, "problem": error.problem}
    if row.held == Held.BAD and row.error_params == params:
        return False
    row.wanted = Wanted.PRESENT
    if row.held != Held.CONFLICT:
        mirror_states.hold(row, Held.BAD, **params)
    _store(row)
    return attention.ask(Code.MIRROR_BAD, clock.now(), row, mirror=row, kind=row.kind, **params)


def _save(row: Mirror, listed: list[int] | None) -> None:
    _store(row)
    if listed is not None:
        _list_products(row, listed)
    waking.after_commit(row)


def _store(row: Mirror) -> None:
    if row.pk is None:
        _insert(row)
    else:
        row.save(update_fields=[*mirror_states.MARKED, "sent_key", *wishes.REVIVED, *type(row).columns()])


def _insert(row: Mirror) -> None:
    """:raises IntegrityError: another transaction made the mirror of this object meanwhile."""
    with transaction.atomic(using=transactions.alias()):
        row.save(force_insert=True)


# Parents and children


def _relate(row: Mirror, draft: Draft) -> list[int]:
    """Set the parents; the primary keys of the children, in order.

    :raises DraftError: one of them is not mirrored, or is kept by another account.
    """
    for name in type(row).PARENTS:
        value = getattr(draft, name, None)
        found = None if value is None or isinstance(value, Payer) else _related(row, name, value)
        setattr(row, name, found)
    kind = kinds.of(row)
    if kind.children is None:
        return []
    field, relation = kind.children
    model = type(row)._meta.get_field(relation).related_model
    listed = [_mirror_of(row, field, value, model) for value in getattr(draft, field)]
    return list(dict.fromkeys(child.pk for child in listed))


def _related(row: Mirror, name: str, value: Any) -> Mirror:
    return _mirror_of(row, name, value, type(row)._meta.get_field(name).related_model)


def _mirror_of(row: Mirror, field: str, value: Any, model: Any) -> Mirror:
    found: Mirror = value if isinstance(value, model) else _source_row(field, value, model)
    if (found.account, found.environment) != (row.account, row.environment):
        raise DraftError(field, "is kept by another account")
    if not found.is_wanted:
        raise DraftError(field, "is not mirrored")
    return found


def _source_row(field: str, value: Any, model: Any) -> Mirror:
    """The mirror of a shop's object; made now if its object was saved before it was registered."""
    try:
        draft = next(kind.draft for kind in kinds.KINDS if kind.model is model)
        mirrored = mirrors.for_object(value, draft)
    except (ImproperlyConfigured, StopIteration):
        raise DraftError(field, "is not mirrored") from None
    row = row_of(value, name=mirrored.name)
    if row is not None and row.is_wanted:
        return row
    mark(mirrored, value)
    account = conf.current().account(mirrored.account(value))
    # Read under the lock: on MariaDB an older snapshot may not show a row that is there.
    for row in locked(kind_of(mirrored), exact(mirrored.name, str(value.pk))):
        if (row.account, row.environment) == (account.name, account.environment):
            return row
    raise DraftError(field, "is not mirrored")


def _list_products(row: Mirror, listed: list[int]) -> None:
    items = ProductLinkItem._base_manager.using(transactions.alias()).filter(link_id=row.pk)
    have = list(items.order_by("position", "pk").values_list("product_id", flat=True))
    if have != listed:
        items.delete()
        rows = [ProductLinkItem(link_id=row.pk, product_id=pk, position=i) for i, pk in enumerate(listed)]
        items.bulk_create(rows)
