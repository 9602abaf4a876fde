"""The control API over HTTP, in JSON: ``GET /control/<what>`` shows, ``POST /control/<what>`` does.

A POST's body is a JSON object with the arguments of the method of ``Control`` that has the same name.
Answers: 200 ``{"result": …}``; 400 for wrong arguments, 404 for an invoice or operation that is not there,
409 for what Sadad would refuse, each with ``{"error": …}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from inspect import signature
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from django_sadadpay.emulator.binding import parse
from django_sadadpay.emulator.control import Control, UnknownInvoice
from django_sadadpay.emulator.protocol import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

READS: dict[str, Callable[[Control], Any]] = {
    "invoices": Control.invoices,
    "refunds": Control.refunds,
    "settings": Control.settings,
    "log": lambda control: [asdict(call) for call in control.log],
    "webhooks": lambda control: [asdict(row) for row in control.webhook_history],
    "faults": lambda control: [asdict(fault) for fault in control.faults.list()],
    "balance": lambda control: str(control.balance),
}

#: What is called as it stands.
OPERATIONS = (
    "pay",
    "fail",
    "cancel_payment",
    "expire",
    "deposit",
    "cancel",
    "refund",
    "complete_refunds",
    "set_status",
    "create",
    "pay_session",
    "fail_session",
    "create_object",
    "objects",
    "invoice",
    "deliver_webhooks",
    "advance",
    "set_rate",
    "revoke_tokens",
    "clear_log",
    "reset",
)


def _set_balance(control: Control, amount: Any) -> str:
    control.balance = amount
    return str(control.balance)


def _add_fault(control: Control, endpoint: str, kind: str, **options: Any) -> dict[str, Any]:
    return asdict(control.faults.add(endpoint, kind, **_floats(options)))


def _settings(control: Control, **changes: Any) -> dict[str, Any]:
    return control.settings(**_floats(changes))


def _floats(values: dict[str, Any]) -> dict[str, Any]:
    """Seconds and probabilities are counted with floats; only money is Decimal."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


WRITES: dict[str, Callable[..., Any]] = {
    **{name: getattr(Control, name) for name in OPERATIONS},
    "balance": _set_balance,
    "settings": _settings,
    "faults": _add_fault,
    "faults/clear": lambda control: control.faults.clear(),
}


def answer(control: Control, request: Request, name: str) -> Response:
    """``name`` is what follows ``/control/``."""
    table = READS if request.method == "GET" else WRITES
    if name not in table or request.method not in ("GET", "POST"):
        return _json({"error": f"no {request.method} /control/{name}"}, 404)
    try:
        return _json({"result": _call(table[name], control, request)}, 200)
    except UnknownInvoice as error:
        return _json({"error": str(error)}, 404)
    except Refusal as refusal:
        return _json({"error": refusal.error_key}, 409 if refusal.status == 200 else refusal.status)
    except (ValueError, TypeError, ArithmeticError) as error:
        return _json({"error": str(error)}, 400)


def _call(function: Callable[..., Any], control: Control, request: Request) -> Any:
    arguments = parse(request.get_data()) if request.get_data() else {}
    if not isinstance(arguments, dict):
        raise TypeError("the body is a JSON object with the arguments")
    signature(function).bind(control, **arguments)
    return function(control, **arguments)


def _json(value: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(value, default=str), status, content_type="application/json")
