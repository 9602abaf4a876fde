"""Our values → what goes on the wire. What Sadad could not read is refused here, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django_sadadpay.gateway import checking
from django_sadadpay.gateway.coerce import fold
from django_sadadpay.gateway.errors import InvalidRequest
from django_sadadpay.gateway.hidden import HiddenDict, hide

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.fields import Field

T = TypeVar("T")


def to_wire(
    endpoint: Endpoint, values: Mapping[str, Any], fields: tuple[Field, ...] | None = None
) -> dict[str, Any]:
    """Rename our names to Sadad's (``ref_number`` → ``ref_Number``); others pass through.

    A value of None is left out.

    :raises InvalidRequest: a required field is missing, one is given twice, or a value cannot be sent.
    """
    values = hide(values)
    known = endpoint.fields if fields is None else fields
    return _shallow(lambda: _renamed(endpoint, values, known, ""))


def _shallow(work: Callable[[], T]) -> T:
    """A refusal without the frames below: their variables are a buyer's phone and name, one by one."""
    try:
        return work()
    except InvalidRequest as error:
        raise error.with_traceback(None) from None


def _renamed(
    endpoint: Endpoint, values: Mapping[str, Any], fields: tuple[Field, ...], where: str
) -> dict[str, Any]:
    known = {fold(name): field for field in fields for name in (field.name, field.wire)}
    wire = HiddenDict()
    for name, value in ((str(name), value) for name, value in values.items()):
        field = known.get(fold(name))
        spelt = field.wire if field else name
        if spelt in wire:
            raise InvalidRequest(endpoint.name, where + spelt, "is given twice")
        if value is not None:
            checked = _checked(endpoint, field, value, where + spelt) if field else value
            wire[spelt] = _value(endpoint, checked, field.items if field else (), where + spelt)
    for field in fields:
        if field.required and wire.get(field.wire) in (None, ""):
            raise InvalidRequest(endpoint.name, where + field.wire)
    return wire


def _checked(endpoint: Endpoint, field: Field, value: Any, where: str) -> Any:
    if value == "" and not field.required:
        return value  # Sadad takes an empty text for nothing (contract 3.1)
    try:
        return checking.check(field, value)
    except checking.Wrong as wrong:
        raise InvalidRequest(endpoint.name, where, str(wrong)) from None


def _value(endpoint: Endpoint, value: Any, items: tuple[Field, ...], where: str) -> Any:
    if isinstance(value, Mapping):
        return _renamed(endpoint, value, items, f"{where}.")
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_value(endpoint, item, items, f"{where}[{index}]") for index, item in enumerate(value)]
    return _scalar(endpoint, value, where)


def _scalar(endpoint: Endpoint, value: Any, where: str) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, str):
        return _text(endpoint, value, where)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    # Floats too: 1.1 + 2.2 is not 3.3, and money must add up to the fils.
    raise InvalidRequest(endpoint.name, where, f"cannot be sent: {type(value).__name__}")


def _text(endpoint: Endpoint, value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(endpoint.name, where, "is not valid text") from None
    return value


def body_bytes(endpoint: Endpoint, body: Any) -> bytes | None:
    """JSON; None stays None (no body)."""
    body = hide(body)
    return None if body is None else _shallow(lambda: json.dumps(_value(endpoint, body, (), "body")).encode())


def query_texts(endpoint: Endpoint, query: Mapping[str, Any] | None) -> dict[str, str]:
    """Query parameters as text; objects and lists as JSON (contract 3.4, ``listOptions``), None left out."""
    query = hide(query or {})
    given = HiddenDict((name, value) for name, value in query.items() if value is not None)
    wire = _shallow(lambda: HiddenDict((name, _value(endpoint, given[name], (), name)) for name in given))
    return HiddenDict(
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in wire.items()
    )
