"""The endpoint table with a merchant's own spellings (contract 10: many names are assumed)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from django_sadadpay.gateway.endpoints import ENDPOINTS, Endpoint
from django_sadadpay.gateway.fields import Field

#: Endpoint → our name → Sadad's. ``"reply.id"`` is the name in the reply, ``"items.name"`` that in each row.
Spellings = Mapping[str, Mapping[str, object]]
REPLY = "reply."


def respelt(spellings: Spellings | None) -> Mapping[str, Endpoint]:
    """The table, changed where the account differs.

    :raises ValueError: names an endpoint or a field that the table does not have, or makes two names one.
    """
    if not spellings:
        return ENDPOINTS
    changed = {name: _endpoint(name, names) for name, names in spellings.items()}
    return MappingProxyType({**ENDPOINTS, **changed})


def _endpoint(name: str, names: Mapping[str, object]) -> Endpoint:
    if name not in ENDPOINTS:
        raise ValueError(f"there is no endpoint {name!r}")
    row = ENDPOINTS[name]
    request = {key: wire for key, wire in names.items() if not key.startswith(REPLY)}
    reply = {key.removeprefix(REPLY): wire for key, wire in names.items() if key.startswith(REPLY)}
    try:
        return replace(row, fields=_fields(row.fields, request), reply=_fields(row.reply, reply))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _fields(fields: tuple[Field, ...], names: Mapping[str, object]) -> tuple[Field, ...]:
    unknown = {key.split(".")[0] for key in names} - {field.name for field in fields}
    if unknown:
        known = ", ".join(field.name for field in fields) or "none"
        raise ValueError(f"no field {', '.join(sorted(unknown))}; there are: {known}")
    made = tuple(_field(field, names) for field in fields)
    if len({field.wire for field in made}) < len(made):
        raise ValueError("two fields would have one name")
    return made


def _field(field: Field, names: Mapping[str, object]) -> Field:
    prefix = f"{field.name}."
    inner = {key.removeprefix(prefix): wire for key, wire in names.items() if key.startswith(prefix)}
    wire = names.get(field.name, field.wire)
    if not isinstance(wire, str) or not wire.isidentifier():
        raise ValueError(f"{field.name} must be spelt with letters, digits and underscores")
    return replace(field, wire=wire, items=_fields(field.items, inner) if inner else field.items)
