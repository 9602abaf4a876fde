"""Objects of the merchant's catalogue: kept, read and refused by one table a kind (contract 10).

Of these endpoints Sadad documents the paths only; every body here is assumed (README.md). A kind of object is
a ``Shape``: its columns, its views and what may not be done with it. The table is the stand-in's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import columns, listing, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.entities import Stored
from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django_sadadpay.emulator.columns import Column
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World

    Test = Callable[[Stored, str], bool]
    Values = dict[str, Any]

VERBS = {
    "getall": "GET",
    "getbyid": "GET",
    "getbykey": "GET",
    "getforpayment": "GET",
    "insert": "POST",
    "update": "PUT",
    "delete": "DELETE",
}


def _unchanged(world: World, values: Values, old: Stored | None) -> Values:
    return values


def _plain(world: World, row: Stored, shown: Values) -> Values:
    return shown


def _free(world: World, row: Stored) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of object.

    ``name`` is the API's group ("Product"), ``prefix`` begins a code ("PRD-00007"), ``keyed`` ones have a key
    of 8 digits and the id, as invoices have. ``finish`` (world, values, stored row or None) gives the values
    to store or raises ``Refusal``; ``view`` (world, row, reply) the reply of a reader. ``listed`` are the
    columns that a row of getall has, None for all. ``in_use`` keeps a row from being deleted:
    ``<name>CannotBeDeleted``. ``filters``: parameter without case and underscores → whether a row passes.
    """

    name: str
    prefix: str
    columns: tuple[Column, ...]
    keyed: bool = False
    finish: Callable[[World, Values, Stored | None], Values] = _unchanged
    view: Callable[[World, Stored, Values], Values] = _plain
    listed: frozenset[str] | None = None
    in_use: Callable[[World, Stored], bool] = _free
    filters: Mapping[str, Test] = field(default_factory=dict)


# The store


def rows(world: World, kind: str) -> list[Stored]:
    """Those of a kind ("Product") that are not deleted, oldest first."""
    return [row for row in world.objects.get(kind, {}).values() if not row.deleted]


def find(world: World, kind: str, number: int) -> Stored:
    """The merchant's object. Raises ``Refusal`` IdRequired (isValid true) or UnauthorizedAccess."""
    if number <= 0:
        raise Refusal("IdRequired", is_valid=True)
    row = world.objects.get(kind, {}).get(number)
    if row is None or row.deleted:
        raise Refusal("UnauthorizedAccess")
    return row


def by_key(world: World, kind: str, key: str, missing: str = "KeyRequired") -> Stored:
    """The object with this key. Raises ``Refusal``: ``missing`` for no key, InvalidKey for an unknown one."""
    if not key:
        raise Refusal(missing)
    for row in rows(world, kind):
        if row.key == key:
            return row
    raise Refusal("InvalidKey")


def for_payer(world: World, kind: str, key: str, missing: str = "KeyRequired") -> Stored:
    """As ``by_key`` for a payer, to whom an inactive one is unknown (assumed)."""
    row = by_key(world, kind, key, missing)
    if row.values.get("inActive"):
        raise Refusal("InvalidKey")
    return row


def create(world: World, shape: Shape, body: Any) -> Stored:
    """Read ``body`` as insert does and store it with an id, and a key if it has one. Raises ``Refusal``."""
    values = shape.finish(world, columns.read(world, shape.columns, Fields(body)), None)
    number = world.next_id(shape.name)
    row = Stored(
        kind=shape.name,
        id=number,
        key=f"{world.digits(f'key:{shape.name}', number, 8)}{number}" if shape.keyed else "",
        code=f"{shape.prefix}-{number:05d}",
        created_at=world.now(),
        values=values,
    )
    world.objects.setdefault(shape.name, {})[number] = row
    return row


def change(world: World, shape: Shape, body: Any) -> Stored:
    """Replace every value of the row that ``body["id"]`` names by those of ``body``. Raises ``Refusal``.

    What only an update carries (``Column.later``) stays as it is when ``body`` leaves it out.
    """
    fields = Fields(body)
    row = find(world, shape.name, fields.integer("id"))
    values = columns.read(world, shape.columns, fields, row.values)
    row.values = shape.finish(world, values, row)
    world.touch()
    return row


def remove(world: World, shape: Shape, number: int) -> None:
    """Delete it for everybody; its row stays in the state file. Raises ``Refusal`` where it is in use."""
    row = find(world, shape.name, number)
    if shape.in_use(world, row):
        raise Refusal(f"{shape.name}CannotBeDeleted")
    row.deleted = True
    world.touch()


def shown(world: World, shape: Shape, row: Stored, names: Iterable[str] | None = None) -> Values:
    """The row as a reader is told; ``names`` are the columns wanted, None for all."""
    identity = {"id": row.id, **({"key": row.key} if shape.keyed else {}), "code": row.code}
    reply = {**identity, **written(shape, row, names), "createDate": wire.date_text(row.created_at)}
    return shape.view(world, row, reply)


def written(shape: Shape, row: Stored, names: Iterable[str] | None = None) -> Values:
    """The row's own columns as they go over the wire; ``names`` are those wanted, None for all."""
    return columns.shown(shape.columns, row.values, names)


# The endpoints


def insert(shape: Shape, world: World, request: ApiRequest) -> Any:
    """What it answers is unknown: setting ``insert_reply``."""
    row = create(world, shape, request.body)
    thing = {"id": row.id, **({"key": row.key} if shape.keyed else {})}
    forms = {"object": thing, "id": row.id, "text": str(row.id), "true": True}
    return forms[world.settings.insert_reply]


def update(shape: Shape, world: World, request: ApiRequest) -> bool | None:
    change(world, shape, request.body)
    return world.settings.update_reply


def delete(shape: Shape, world: World, request: ApiRequest) -> bool | None:
    remove(world, shape, request.query_id())
    return world.settings.delete_reply


def getbyid(shape: Shape, world: World, request: ApiRequest) -> Values:
    return shown(world, shape, find(world, shape.name, request.query_id()))


def getbykey(shape: Shape, world: World, request: ApiRequest) -> Values:
    return shown(world, shape, by_key(world, shape.name, request.asked("key")))


def getforpayment(shape: Shape, world: World, request: ApiRequest) -> Values:
    """The same for a payer, without a token; an inactive one is unknown to payers."""
    return shown(world, shape, for_payer(world, shape.name, request.asked("key")))


def getall(shape: Shape, world: World, request: ApiRequest) -> list[Values]:
    """Newest first; none at all is EmptyResult (assumed: as contract 3.4)."""
    page = listing.page(rows(world, shape.name), request, filters=shape.filters, sorts=_sorts(shape))
    return [{**shown(world, shape, row, shape.listed), **extra} for row, extra in page]


HANDLERS = {
    "getall": getall,
    "getbyid": getbyid,
    "getbykey": getbykey,
    "getforpayment": getforpayment,
    "insert": insert,
    "update": update,
    "delete": delete,
}


def routes(shape: Shape, *names: str) -> tuple[Route, ...]:
    """The endpoints of a kind that need nothing of their own. Every body is assumed."""
    return tuple(
        Route(
            f"{shape.name}/{name}",
            VERBS[name],
            "none" if name == "getforpayment" else "access",
            handler=partial(HANDLERS[name], shape),
            reads_body=name in ("insert", "update"),
        )
        for name in names
    )


def _sorts(shape: Shape) -> dict[str, Callable[[Stored], Any]]:
    """Id, date of creation, and each column that has an order."""
    own = {
        listing.plain_name(column.name): partial(_order, column.name)
        for column in shape.columns
        if column.kind not in columns.LISTS
    }
    return {**own, "id": lambda row: row.id, "createdate": lambda row: row.created_at}


def _order(name: str, row: Stored) -> tuple[bool, Any]:
    value = row.values[name]
    return (value is not None, value)


# Filters


def contains(*names: str) -> Test:
    """Passes a row of which one of these columns has the text in it, whatever the case."""
    return lambda row, wanted: any(wanted.lower() in str(row.values[name]).lower() for name in names)


def equals(name: str) -> Test:
    """Passes a row whose column is the text, whatever the case."""
    return lambda row, wanted: wanted.lower() == str(row.values[name]).lower()
