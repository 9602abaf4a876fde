"""Everything that goes wrong as problem JSON (RFC 9457): ``code``, ``field`` and ``detail`` of each fault."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from django_sadadpay.services.errors import InsideTransaction, OutcomePending, PaymentError, TryAgain

CONTENT_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[PaymentError], int], ...] = (
    (TryAgain, 503),
    (OutcomePending, 202),
    (InsideTransaction, 500),
)
#: What the request itself has wrong; every other refusal comes from the state of things, so 409.
_WRONG_REQUEST = frozenset({"bad_amount", "bad_key"})

Fault = dict[str, str]


def handler(error: Exception, context: Any) -> Response | None:
    """DRF's ``EXCEPTION_HANDLER`` of our views; None for what is no answer but a fault of ours."""
    if isinstance(error, PaymentError):
        return _problem(Response(status=_status(error)), [_fault(error.field, error.code, error.sentence)])
    response = exception_handler(error, context)
    if response is None:
        return None
    return _problem(response, list(_faults(response.data)))


def _status(error: PaymentError) -> int:
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 400 if error.code in _WRONG_REQUEST else 409


def _problem(response: Response, faults: list[Fault]) -> Response:
    """The first fault is the problem; all of them are in ``errors``."""
    title = HTTPStatus(response.status_code).phrase
    response.data = {"title": title, "status": response.status_code, **faults[0], "errors": faults}
    response.content_type = CONTENT_TYPE
    return response


def _faults(data: Any, field: str = "") -> Iterator[Fault]:
    """DRF's errors, nested by field, one after another."""
    if isinstance(data, dict):
        for name, inner in data.items():
            yield from _faults(inner, "" if name in _NO_FIELD else str(name))
    elif isinstance(data, list):
        for inner in data:
            yield from _faults(inner, field)
    else:
        yield _fault(field, data.code, str(data))


_NO_FIELD = ("detail", api_settings.NON_FIELD_ERRORS_KEY)


def _fault(field: str, code: str, detail: str) -> Fault:
    return {"code": code, "field": field, "detail": detail}
