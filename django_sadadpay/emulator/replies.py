"""From an endpoint's outcome to what goes over the wire, with the faults that twist it."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import wire

if TYPE_CHECKING:
    from django_sadadpay.emulator.faults import Fault
    from django_sadadpay.emulator.protocol import Refusal
    from django_sadadpay.emulator.state import World

HTML = (
    b"<!doctype html><html><head><title>Error</title></head><body><h1>Service Unavailable</h1></body></html>"
)


@dataclass(slots=True)
class Reply:
    """What is sent. ``cut``: the connection is closed instead. ``drip``: seconds over which it comes."""

    status: int
    body: bytes
    error_key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    cut: bool = False
    drip: float = 0.0


def envelope(
    response: Any = None,
    error_key: str | None = None,
    *,
    is_valid: bool | None = None,
    status: int = 200,
    blank: str | None = None,
) -> Reply:
    """The envelope of every endpoint (contract 1.3). ``blank`` is the errorKey of a success."""
    valid = error_key is None if is_valid is None else is_valid
    shown = blank if error_key is None else error_key
    body = {"isValid": valid, "errorKey": shown, "response": response}
    return Reply(status, json.dumps(body).encode(), error_key)


def refused(refusal: Refusal) -> Reply:
    return envelope(refusal.detail, refusal.error_key, is_valid=refusal.is_valid, status=refusal.status)


def server_error(status: int) -> Reply:
    return Reply(status, HTML, content_type="text/html")


def cut() -> Reply:
    return Reply(0, b"", cut=True)


def instead(fault: Fault) -> Reply | None:
    """The reply of a fault that ends the call without the work, None where the work is done first."""
    options = fault.options
    if fault.kind == "error_before":
        return server_error(options["status"])
    if fault.kind == "cut_before":
        return cut()
    if fault.kind in ("unauthorized_401", "unauthorized_200"):
        return envelope(error_key=options["error_key"], status=int(fault.kind[-3:]))
    if fault.kind == "rate_limited":
        return _rate_limited(options["retry_after"])
    if fault.kind == "refuse":
        return envelope(
            error_key=options["error_key"], is_valid=options["is_valid"], status=options["status"]
        )
    return None


def _rate_limited(retry_after: int | str | None) -> Reply:
    reply = Reply(429, b"Too Many Requests", content_type="text/plain")
    if retry_after is not None:
        reply.headers["Retry-After"] = str(retry_after)
    return reply


def afterwards(fault: Fault, reply: Reply) -> Reply:
    """The reply of a fault that strikes when the work was done."""
    if fault.kind == "error_after":
        return server_error(fault.options["status"])
    if fault.kind == "cut_after":
        return cut()
    if fault.kind == "unreadable":
        return _unreadable(fault.options["body"], reply)
    if fault.kind == "slow_drip":
        reply.drip = fault.options["seconds"]
    return reply


def _unreadable(form: str, reply: Reply) -> Reply:
    forms = {"html": HTML, "broken": reply.body[: len(reply.body) // 2], "empty": b"", "list": b"[]"}
    content_type = "text/html" if form == "html" else reply.content_type
    return Reply(200, forms[form], content_type=content_type)


def twisted(world: World, response: Any, faults: tuple[Fault, ...]) -> Any:
    """The endpoint's response as the faults "older", "wrong_id" and "reply_field" change it."""
    for fault in faults:
        if fault.kind == "older":
            response = _older(world, response, fault.options["steps"])
        elif fault.kind == "wrong_id":
            response = _wrong_id(world, response)
        elif fault.kind == "reply_field":
            response = deepcopy(response)
            _change(response, fault.options["path"].split("."), fault.options)
    return response


def _older(world: World, response: dict[str, Any], steps: int) -> dict[str, Any]:
    """As the invoice was so many changes ago, or at the oldest that is still known."""
    history = world.invoices[response["id"]].history
    return history[-min(steps, len(history))] if history else response


def _wrong_id(world: World, response: dict[str, Any]) -> dict[str, Any]:
    """Another invoice of the merchant; with none, the same one under the next id."""
    asked = int(response.get("id") or response["invoiceId"])
    other = next((row for row in world.invoices.values() if row.id != asked), None)
    if "invoiceId" in response:
        return {"invoiceId": str(other.id if other else asked + 1)}
    return wire.invoice(world, other) if other else {**response, "id": asked + 1}


def _change(node: Any, path: list[str], options: dict[str, Any]) -> None:
    step, rest = path[0], path[1:]
    for key in _keys(node, step):
        if rest:
            _change(node[key], rest, options)
        elif options["remove"]:
            del node[key]
        else:
            node[key] = _retyped(node[key], options["retype"]) if options["retype"] else options["value"]


def _keys(node: Any, step: str) -> list[Any]:
    """Where the step of a path leads: a key of an object, a position of a list, or "*" for each of them."""
    if isinstance(node, list):
        positions = range(len(node))
        return list(reversed(positions)) if step == "*" else [p for p in positions if str(p) == step]
    if not isinstance(node, dict):
        return []
    if step not in node and step != "*":
        node[step] = None
    return list(node) if step == "*" else [step]


def _retyped(value: Any, form: str) -> Any:
    """A number as text, or text as a number where it is one."""
    if form == "text":
        return str(value)
    try:
        return wire.plain(Decimal(str(value)))
    except ArithmeticError:
        return value
