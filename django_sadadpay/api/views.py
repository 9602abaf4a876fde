"""Invoices, refunds and cases for staff and back-office systems, outside any transaction (money-flow 9)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.functional import cached_property
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.fields import Field
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from django_sadadpay.api import access, problems
from django_sadadpay.api import serializers as shapes
from django_sadadpay.api.paging import NewestFirst, OldestFirst
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.models.base import exact
from django_sadadpay.services import transactions
from django_sadadpay.services.refunds import refund
from django_sadadpay.services.verify import verify

if TYPE_CHECKING:
    _View = GenericAPIView[Any]
    _List = ListAPIView[Any]
    _Retrieve = RetrieveAPIView[Any]
else:
    _View, _List, _Retrieve = GenericAPIView, ListAPIView, RetrieveAPIView

KEY_HEADER = "Idempotency-Key"
#: Anything else is no reference of ours, and some of it no database takes (NUL on PostgreSQL).
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,31}")


class BackOfficeView(_View):
    """What all have in common. Authentication and throttling are the project's, the rest is this API's."""

    needs: ClassVar[tuple[str, ...]]
    permission_classes = (access.HasPermissions,)
    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser,)
    filter_backends = ()
    versioning_class = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Outside any transaction, on every database: some of these views call Sadad."""
        return transactions.outside(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """In the language of ``Accept-Language``, also where the project has no LocaleMiddleware."""
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = super().dispatch(request, *args, **kwargs)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        add_never_cache_headers(response)
        return response

    def get_exception_handler(self) -> Any:
        return problems.handler

    @cached_property
    def may_see_customers(self) -> bool:
        user: Any = self.request.user
        return bool(user.has_perm(access.VIEW_CUSTOMER_DATA))


class FilteredList(BackOfficeView, _List):
    """A list with exact filters; ``query_class`` says which and of what type."""

    query_class: ClassVar[type[Any]]
    pagination_class = NewestFirst

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """:raises ValidationError: a value that cannot be: nobody shall take "all" for "those asked for"."""
        query = self.query_class(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        return queryset.filter(**query.validated_data)


class OneInvoice(BackOfficeView):
    """An invoice by its reference, with all that hangs on it."""

    serializer_class: type[BaseSerializer[Any]] = shapes.InvoiceDetailSerializer

    def get_queryset(self) -> QuerySet[Invoice]:
        return _invoices().prefetch_related("lines", "attempts", "refunds__invoice")

    def get_object(self) -> Invoice:
        reference = self.kwargs["reference"]
        rows = self.get_queryset().filter(reference=reference)
        invoice: Invoice | None = rows.first() if _REFERENCE.fullmatch(reference) else None
        if invoice is None:
            raise NotFound
        return invoice


class InvoiceList(FilteredList):
    """Newest first."""

    needs = (access.VIEW_INVOICES,)
    serializer_class = shapes.InvoiceSerializer
    query_class = shapes.InvoiceQuery

    def get_queryset(self) -> QuerySet[Invoice]:
        return _invoices().defer("raw", "request", "doubt")


class InvoiceDetail(OneInvoice, _Retrieve):
    needs = (access.VIEW_INVOICES,)


class InvoiceVerify(OneInvoice):
    """Ask Sadad now, and answer with the invoice as it is then."""

    needs = (access.VIEW_INVOICES, access.VERIFY)

    def post(self, request: Request, reference: str) -> Response:
        verify(self.get_object(), by=access.person(request))
        return Response(self.get_serializer(self.get_object()).data)


class InvoiceRefunds(OneInvoice):
    """Give money back, once for each key however often it is asked: 201 for a new refund, 200 for the same.

    ``state`` says what became of it; ``unknown`` is looked into by itself and must not be refunded again.
    """

    needs = (access.VIEW_INVOICES, access.REFUND)
    serializer_class = shapes.RefundRequest

    def get_queryset(self) -> QuerySet[Invoice]:
        return Invoice.objects.all()

    def post(self, request: Request, reference: str) -> Response:
        invoice = self.get_object()
        key = _key(request)
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        known = invoice.refunds.filter(key=exact(key)).exists()
        row = refund(invoice, **asked.validated_data, by=access.person(request), key=key)
        row.invoice = invoice
        return Response(shapes.RefundSerializer(row).data, status=200 if known else 201)


class RefundList(FilteredList):
    """Newest first; refunds made in Sadad's panel too."""

    needs = (access.VIEW_REFUNDS,)
    serializer_class = shapes.RefundSerializer
    query_class = shapes.RefundQuery

    def get_queryset(self) -> QuerySet[Refund]:
        return Refund.objects.select_related("invoice").defer("invoice__raw", "invoice__request")


class AttentionList(FilteredList):
    """What waits for a person, the oldest first."""

    needs = (access.VIEW_CASES,)
    serializer_class = shapes.AttentionSerializer
    query_class = shapes.AttentionQuery
    pagination_class = OldestFirst

    def get_queryset(self) -> QuerySet[Attention]:
        open_cases = Attention.objects.filter(resolved_at=None)
        return open_cases.select_related("invoice").defer("invoice__raw", "invoice__request")


def _invoices() -> QuerySet[Invoice]:
    waits = Exists(Attention.objects.filter(invoice=OuterRef("pk"), resolved_at=None))
    annotated: QuerySet[Invoice] = Invoice.objects.annotate(waits=waits)
    return annotated


def _key(request: Request) -> str:
    """:raises ValidationError: none was sent. Without one, a repeated request would refund again."""
    key = request.headers.get(KEY_HEADER, "").strip()
    if not key:
        missing = ErrorDetail(str(Field.default_error_messages["required"]), "required")
        raise ValidationError({KEY_HEADER: [missing]})
    return key
