"""Rows of Sadad's lists in our terms, read fast: most of a pull is rows that did not change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django_sadadpay import money
from django_sadadpay.gateway import coerce
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.fields import LONGEST, Field
from django_sadadpay.models import Mirror
from django_sadadpay.services import comparing, plain
from django_sadadpay.services.kinds import Kind

#: Of ``Mirror.reply_digest``: so many characters are of the row that Sadad's list showed, the others are the
#: beginning of ``pushed_digest`` at that time. Where that is another by now, we have pushed since, and what
#: differs at Sadad may be ours.
OF_ROW = 40
_OF_PUSH = 24
_LONGEST_ID = 18
#: Spellings of rows, by their keys in order: a list has one or two. More than these are looked up each time.
_SPELLINGS = 64
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=str
).encode


@dataclass(slots=True)
class Told:
    """One object as a list shows it. Not shown in repr: it may be a person.

    :ivar values: by our names; None where Sadad says null.
    :ivar digest: of ``values``, as the list said them.
    """

    sadad_id: str
    raw: Mapping[str, Any]
    values: dict[str, Any]
    digest: str

    def __repr__(self) -> str:
        return f"<Told {self.sadad_id}>"


class Reader:
    """Reads the rows of one kind by the account's own spellings (``client.endpoints``)."""

    def __init__(self, kind: Kind, client: SadadClient) -> None:
        self.kind = kind
        self._listed = client.endpoints[f"{kind.folder}/getall"].reply
        self._shown = client.endpoints[f"{kind.folder}/{kind.read}"].reply
        calls = (client.endpoints[f"{kind.folder}/{call}"].fields for call in ("update", "insert"))
        self.fields: dict[str, Field] = {f.name: f for fields in calls for f in fields if f.name != "id"}
        relations = {*kind.model.PARENTS.values(), *((kind.children[0],) if kind.children else ())}
        #: What a payload holds, without the objects that it names.
        self.payload_fields = {name: f for name, f in self.fields.items() if name not in relations}
        self._spellings: dict[tuple[str, ...], list[tuple[str, str]]] = {}

    @property
    def shows_more(self) -> bool:
        """Whether reading one object tells more than the list does (contract 10: products and links)."""
        return not {f.name for f in self._shown} <= {f.name for f in self._listed}

    def read(self, raw: Mapping[str, Any]) -> Told | None:
        """A row of the list; None where it has no id that a call could name."""
        keys = tuple(raw)
        spelling = self._spellings.get(keys)
        if spelling is None:
            spelling = _spelling(raw, self._listed)
            if len(self._spellings) < _SPELLINGS:
                self._spellings[keys] = spelling
        values = {name: raw[key] for name, key in spelling}
        said = values.get("id")
        sadad_id = str(said) if type(said) is int and said > 0 else coerce.id_text(said)
        if not (sadad_id.isascii() and sadad_id.isdigit() and len(sadad_id) <= _LONGEST_ID):
            return None
        text = _encode(values).encode("utf-8", "surrogatepass")
        return Told(sadad_id, raw, values, blake2b(text, digest_size=OF_ROW // 2).hexdigest())

    def deepen(self, told: Told, raw: Mapping[str, Any]) -> None:
        """Add what the object's own call tells; the digest stays that of the list."""
        told.values |= {name: raw[key] for name, key in _spelling(raw, self._shown)}
        told.raw = {**told.raw, **raw}

    def payload(self, told: Told) -> dict[str, Any]:
        """What Sadad has, as a draft would want it; None where it says null."""
        fields = self.payload_fields
        return {name: _wanted(fields[name], value) for name, value in told.values.items() if name in fields}

    def children(self, told: Told) -> list[str] | None:
        """Sadad's ids of what the object lists, wherever in it they stand; None: it does not say."""
        name = self.kind.children[0] if self.kind.children else ""
        lists = [f for f in self._shown if f.kind == "rows" and told.values.get(f.name) is not None]
        found = [_ids(f, told.values[f.name], name) for f in lists]
        return list(dict.fromkeys(i for ids in found for i in ids)) if found and name else None

    def items(self, told: Told, name: str) -> list[coerce.Row]:
        """The rows of a list inside the object, such as a plan's instalments."""
        field = next((f for f in self._shown if f.name == name), None)
        return _rows(field, told.values.get(name)) if field else []


def _rows(field: Field, value: Any) -> list[coerce.Row]:
    rows = value if isinstance(value, list) else []
    return [coerce.Row(row, field.items) for row in rows if isinstance(row, Mapping)]


def _ids(field: Field, value: Any, name: str) -> list[str]:
    """Ids in the lists called ``name``, which may stand in others: a link's products in its categories."""
    rows = _rows(field, value)
    if field.name == name:
        return [row.id("id") for row in rows]
    return [
        i
        for inner in field.items
        if inner.kind == "rows"
        for row in rows
        for i in _ids(inner, row.get(inner.name), name)
    ]


def _spelling(raw: Mapping[str, Any], fields: tuple[Field, ...]) -> list[tuple[str, str]]:
    """(our name, key) of what the row holds, in the table's order: Sadad's own order may change."""
    folded = {coerce.fold(str(key)): key for key in raw}
    found = ((f.name, f.wire if f.wire in raw else folded.get(coerce.fold(f.wire))) for f in fields)
    return [(name, key) for name, key in found if key is not None]


def mark(told: Told, pushed_digest: str) -> str:
    """What ``reply_digest`` is to hold."""
    return told.digest + pushed_digest[:_OF_PUSH]


def has_base(row: Mirror) -> bool:
    """Whether nothing was pushed since the row was last held against Sadad's list: a difference is theirs."""
    return row.reply_digest != "" and row.reply_digest[OF_ROW:] == row.pushed_digest[:_OF_PUSH]


def difference(row: Mirror, told: Told, reader: Reader) -> dict[str, tuple[Any, Any]]:
    """Field → (ours, theirs) of what is wanted and differs at Sadad.

    Of what a shop's object says nothing, Sadad may hold what it likes; what staff keep is held whole.
    """
    theirs, fields = reader.payload(told), reader.payload_fields
    names = row.payload.keys() & theirs.keys() if row.source else theirs.keys()
    both = ((name, row.payload.get(name), theirs[name]) for name in sorted(names))
    return {name: (a, b) for name, a, b in both if not comparing.same(a, b, fields.get(name))}


def _wanted(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.kind == "kwd":
        amount = money.from_reply(coerce.number(value))
        return None if amount is None else f"{amount:.3f}"
    if field.kind in ("number", "integer"):
        return _number(field, value)
    if field.kind == "flag":
        return value is True or coerce.text(value).lower() in ("true", "1")
    if field.kind in ("date", "moment"):
        return _day(value)
    if field.kind == "rows":
        rows = (
            (coerce.Row(row, field.items) for row in value if isinstance(row, Mapping))
            if _is_list(value)
            else ()
        )
        return [{item.name: _wanted(item, row.get(item.name)) for item in field.items} for row in rows]
    if field.kind == "any":
        return _json(value)
    text = coerce.text(value)
    return text if text.isascii() and len(text) <= LONGEST else plain.text(text, LONGEST)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _number(field: Field, value: Any) -> Any:
    found = coerce.number(value)
    if found is None:
        return None
    return int(found) if field.kind == "integer" and found == found.to_integral_value() else f"{found:f}"


def _day(value: Any) -> str | None:
    """Kuwait's day: dates come back as moments (contract 12)."""
    found = coerce.moment(value)
    return None if found is None else found.astimezone(coerce.KUWAIT).date().isoformat()


def _json(value: Any) -> Any:
    return json.loads(json.dumps(plain.data(value), default=_text))


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
