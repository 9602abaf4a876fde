"""What drf-spectacular cannot see by itself. Imported only where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension, OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)

from django_sadadpay.api import problems, views
from django_sadadpay.api import serializers as shapes

#: Names that do not meet the project's own "Invoice".
_COMPONENTS = {
    "SadadpayCustomer": shapes.CustomerSerializer,
    "SadadpayInvoice": shapes.InvoiceSerializer,
    "SadadpayInvoiceDetail": shapes.InvoiceDetailSerializer,
    "SadadpayLine": shapes.LineSerializer,
    "SadadpayAttempt": shapes.AttemptSerializer,
    "SadadpayRefund": shapes.RefundSerializer,
    "SadadpayRefundRequest": shapes.RefundRequest,
    "SadadpayAttention": shapes.AttentionSerializer,
    "SadadpayFault": shapes.FaultSerializer,
    "SadadpayProblem": shapes.ProblemSerializer,
}
for _name, _serializer in _COMPONENTS.items():
    extend_schema_serializer(component_name=_name)(_serializer)


class _State(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # its hook has no types
    """An enumeration with its own name: invoices and refunds both have a ``state``, with other values."""

    target_class = shapes.State

    def get_name(self) -> str:
        name: str = self.target.component
        return name

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.target.choices)}


class _Amount(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = shapes.Amount

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,3})?$", "example": "1.250"}


def _problem(status: int, description: str) -> dict[Any, OpenApiResponse]:
    return {(status, problems.CONTENT_TYPE): OpenApiResponse(shapes.ProblemSerializer, description)}


_ACCESS = {**_problem(401, "Not logged in."), **_problem(403, "A permission is missing.")}
_MISSING = _problem(404, "No such invoice.")
_WRONG = _problem(400, "The request is wrong: see `field`.")
_ACTS = {
    **_problem(202, "Nobody knows yet; background work finds out."),
    **_problem(409, "Refused; nothing was done."),
    **_problem(503, "Sadad or the database could not be reached; nothing was done."),
}
_KEY = OpenApiParameter(
    views.KEY_HEADER,
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="At most 100 printable characters, new for every refund: the same key gives the same refund.",
)


def _describe(view: type[Any], method: str, name: str, responses: Mapping[Any, Any], **more: Any) -> None:
    """Document one method of a view, in a stand-in that only the schema sees."""
    options = {"operation_id": f"sadadpay_{name}", "tags": ["sadadpay"], "responses": responses, **more}

    class Described(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # as above
        target_class = view

        def view_replacement(self) -> Any:
            stand_in = type(view.__name__, (view,), {"__doc__": view.__doc__})
            return extend_schema_view(**{method: extend_schema(**options)})(stand_in)


_describe(
    views.InvoiceList,
    "get",
    "invoice_list",
    {200: shapes.InvoiceSerializer(many=True), **_WRONG, **_ACCESS},
    parameters=[shapes.InvoiceQuery],
)
_describe(views.InvoiceDetail, "get", "invoice", {200: shapes.InvoiceDetailSerializer, **_ACCESS, **_MISSING})
_describe(
    views.InvoiceVerify,
    "post",
    "invoice_verify",
    {200: shapes.InvoiceDetailSerializer, **_ACCESS, **_MISSING, **_ACTS},
    request=None,
)
_describe(
    views.InvoiceRefunds,
    "post",
    "invoice_refund",
    {
        200: OpenApiResponse(shapes.RefundSerializer, "The refund that this key already gave."),
        201: OpenApiResponse(shapes.RefundSerializer, "A new refund; `state` says what became of it."),
        **_WRONG,
        **_ACCESS,
        **_MISSING,
        **_ACTS,
    },
    parameters=[_KEY],
)
_describe(
    views.RefundList,
    "get",
    "refund_list",
    {200: shapes.RefundSerializer(many=True), **_WRONG, **_ACCESS},
    parameters=[shapes.RefundQuery],
)
_describe(
    views.AttentionList,
    "get",
    "attention_list",
    {200: shapes.AttentionSerializer(many=True), **_WRONG, **_ACCESS},
    parameters=[shapes.AttentionQuery],
)
