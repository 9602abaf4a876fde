"""The columns of an object: read from a body, checked, kept as JSON, written into a reply (all assumed)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from django_sadadpay.emulator import drafts, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.protocol import Refusal, wrong_object

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from django_sadadpay.emulator.state import World

    Reader = Callable[[World, "Column", Fields], Any]

#: kwd is kept as whole fils, date as seconds since the epoch, number as the text of a Decimal.
#: ids: numbers of other objects; texts: a list of texts; rows: objects with columns of their own.
ColumnKind = Literal[
    "text", "integer", "number", "kwd", "flag", "date", "language", "currency", "word", "ids", "texts", "rows"
]

LISTS: Collection[ColumnKind] = ("ids", "texts", "rows")


@dataclass(frozen=True, slots=True)
class Column:
    """One field: its name on the wire, its kind, the error key when it is missing ("" if it may be).

    ``default`` stands for a missing one. ``later``: only an update carries it. ``words``: those that a word
    may be, in this spelling, whatever case is sent. ``columns`` are those of a row of kind rows.
    """

    name: str
    kind: ColumnKind = "text"
    required: str = ""
    default: Any = None
    later: bool = False
    words: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


def read(
    world: World, columns: Sequence[Column], fields: Fields, old: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Every column's value, in their order; ``old`` are the values of the row to update.

    Raises ``Refusal``: WrongObject (HTTP 400) or Invalid<Name> for a value, then the key of what is missing.
    """
    found = {column.name: _value(world, column, fields, old) for column in columns}
    for column in columns:
        if column.required and _is_missing(found[column.name]):
            raise Refusal(column.required)
    return {
        column.name: _default(column) if _is_missing(found[column.name]) else found[column.name]
        for column in columns
    }


def _value(world: World, column: Column, fields: Fields, old: Mapping[str, Any] | None) -> Any:
    """What was sent. Of a later column that was not: what is kept, None for a new row."""
    if column.later and (old is None or fields.raw(column.name) is None):
        return old and old[column.name]
    return READERS[column.kind](world, column, fields)


def _is_missing(value: Any) -> bool:
    """Nothing, a blank text, an empty list or 0; false is an answer."""
    return value is not False and not (value.strip() if isinstance(value, str) else value)


#: What a missing one reads as, where it is not the empty text.
EMPTY: dict[ColumnKind, Any] = {
    "integer": 0,
    "number": "0",
    "kwd": 0,
    "flag": False,
    "date": None,
    "language": "ar",
    "currency": "KWD",
}


def _default(column: Column) -> Any:
    if column.default is not None:
        return column.default
    return [] if column.kind in LISTS else EMPTY.get(column.kind, "")


def _invalid(column: Column) -> Refusal:
    """The key is assumed: ``InvalidAmount`` is known (contract 3.7), the others follow it."""
    return Refusal(f"Invalid{column.name[0].upper()}{column.name[1:]}")


def _text(world: World, column: Column, fields: Fields) -> str:
    return fields.text(column.name)


def _integer(world: World, column: Column, fields: Fields) -> int:
    """None of them may be below 0."""
    value = fields.integer(column.name)
    if value < 0:
        raise _invalid(column)
    return value


def _number(world: World, column: Column, fields: Fields) -> str:
    value = fields.decimal(column.name)
    return "" if value is None else str(value)


def _kwd(world: World, column: Column, fields: Fields) -> int:
    """Fils. Less than nothing, or finer than a fils, is refused."""
    value = (fields.decimal(column.name) or Decimal(0)) * 1000
    if value < 0 or value != value.to_integral_value():
        raise _invalid(column)
    return int(value)


def _flag(world: World, column: Column, fields: Fields) -> bool | None:
    """None when missing, so that its default stands for it and not for a false that was sent."""
    return None if fields.raw(column.name) is None else fields.flag(column.name)


def _date(world: World, column: Column, fields: Fields) -> float | None:
    text = fields.text(column.name)
    return drafts.read_date(text) if text else None


def _language(world: World, column: Column, fields: Fields) -> str:
    text = fields.text(column.name)
    return drafts.language(text) if text else ""


def _currency(world: World, column: Column, fields: Fields) -> str:
    text = fields.text(column.name)
    return drafts.currency(world, text).code if text else ""


def _word(world: World, column: Column, fields: Fields) -> str:
    text = fields.text(column.name).strip()
    found = {word.lower(): word for word in column.words}.get(text.lower(), "")
    if text and not found:
        raise _invalid(column)
    return found


def _ids(world: World, column: Column, fields: Fields) -> list[int]:
    return [Fields({"id": value}, column.name).integer("id") for value in fields.rows(column.name)]


def _texts(world: World, column: Column, fields: Fields) -> list[str]:
    values = fields.rows(column.name)
    if not all(isinstance(value, str) for value in values):
        raise wrong_object(column.name, "Texts were expected.")
    return values


def _rows(world: World, column: Column, fields: Fields) -> list[dict[str, Any]]:
    return [read(world, column.columns, Fields(row, column.name)) for row in fields.rows(column.name)]


READERS: dict[ColumnKind, Reader] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "kwd": _kwd,
    "flag": _flag,
    "date": _date,
    "language": _language,
    "currency": _currency,
    "word": _word,
    "ids": _ids,
    "texts": _texts,
    "rows": _rows,
}


def shown(
    columns: Iterable[Column], values: Mapping[str, Any], names: Iterable[str] | None = None
) -> dict[str, Any]:
    """The values as they go over the wire; ``names`` are the columns wanted, None for all."""
    wanted = None if names is None else set(names)
    return {
        column.name: written(column, values[column.name])
        for column in columns
        if wanted is None or column.name in wanted
    }


def written(column: Column, value: Any) -> Any:
    """Amounts as JSON numbers of dinars, dates ``MM/dd/yyyy HH:mm:ss`` (contract 12), the rest as kept."""
    if column.kind == "kwd":
        return wire.number(value)
    if column.kind == "date":
        return wire.date_text(value)
    if column.kind == "number":
        return wire.plain(Decimal(value))
    if column.kind == "rows":
        return [shown(column.columns, row) for row in value]
    return value
