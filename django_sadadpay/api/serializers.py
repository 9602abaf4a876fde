"""What callers see and send. Money is text of three places, times are ISO 8601 in UTC.

Neither follows the project's settings: callers decide on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from rest_framework import serializers

from django_sadadpay import texts
from django_sadadpay.models import Attention, Invoice, InvoiceLine, PaymentAttempt, Refund
from django_sadadpay.services import cases, refunds

if TYPE_CHECKING:
    _ChoiceField = serializers.ChoiceField
    _ModelSerializer = serializers.ModelSerializer[Any]
    _Serializer = serializers.Serializer[Any]
else:
    _ChoiceField, _ModelSerializer = serializers.ChoiceField, serializers.ModelSerializer
    _Serializer = serializers.Serializer

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?")


# Fields


class Number(serializers.DecimalField):
    """A decimal as text, with all its places."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "coerce_to_string": True, "localize": False})


class Moment(serializers.DateTimeField):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "format": "iso-8601", "default_timezone": UTC})


class State(_ChoiceField):
    """A state; ``component`` is the enumeration's name in the schema."""

    def __init__(self, states: type[models.TextChoices], component: str, **options: Any) -> None:
        self.component = component
        super().__init__(choices=states.choices, **options)


class Amount(serializers.CharField):
    """KWD as text: a JSON number has already lost fils where it was read as a float."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not _AMOUNT.fullmatch(data):
            raise serializers.ValidationError(texts.error_sentence("bad_amount"), code="bad_amount")
        return data


class LeftToRefund(Number):
    """What may still be refunded, in KWD."""

    def __init__(self) -> None:
        super().__init__(max_digits=15, decimal_places=3, source="*", read_only=True)

    def to_representation(self, value: Any) -> str:
        return str(super().to_representation(refunds.left(value)))


# Rows


class RowSerializer(_ModelSerializer):
    # No docstring: it would describe each of these in the schema. Money and times are the fields above.
    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DecimalField: Number,
        models.DateTimeField: Moment,
    }


class CustomerSerializer(_Serializer):
    """Phone and e-mail are null without ``view_customer_data``, and empty where the shop gave none."""

    name = serializers.CharField()
    mobile = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {name: instance.get(name) or "" for name in ("name", "mobile", "email")}
        return shown if may_see(self) else {**shown, "mobile": None, "email": None}


class InvoiceSerializer(RowSerializer):
    """``amount``, paid and refunded are KWD, ``shop_amount`` is in ``shop_currency``."""

    state = State(Invoice.State, "SadadpayInvoiceState", read_only=True)
    customer = CustomerSerializer(read_only=True)
    waits = serializers.BooleanField(read_only=True, help_text="A person is needed: see the attention list.")

    class Meta:
        model = Invoice
        fields: ClassVar[Any] = (
            "reference",
            "shop_reference",
            "payable",
            "object_id",
            "purpose",
            "state",
            "status_text",
            "error_code",
            "waits",
            "shop_currency",
            "shop_amount",
            "rate",
            "amount",
            "paid_amount",
            "refunded_amount",
            "customer",
            "language",
            "account",
            "environment",
            "sadad_id",
            "pay_url",
            "payment_method",
            "transaction_id",
            "created_at",
            "expires_at",
            "paid_at",
            "handled_at",
        )
        read_only_fields = fields


class LineSerializer(RowSerializer):
    class Meta:
        model = InvoiceLine
        fields = ("position", "name", "quantity", "amount", "supplier_id")
        read_only_fields = fields


class AttemptSerializer(RowSerializer):
    class Meta:
        model = PaymentAttempt
        fields = (
            "key",
            "status",
            "request_type",
            "method",
            "amount",
            "currency",
            "transaction_id",
            "payment_id",
            "reference_id",
            "track_id",
            "occurred_at",
        )
        read_only_fields = fields


class RefundSerializer(RowSerializer):
    """``error`` says in words why it was refused."""

    invoice = serializers.CharField(source="invoice.reference", read_only=True)
    state = State(Refund.State, "SadadpayRefundState", read_only=True)
    # Field.source is for instances; DRF takes this declaration out of the class.
    source = State(Refund.Source, "SadadpayRefundSource", read_only=True)  # type: ignore[assignment]  # see above
    error = serializers.SerializerMethodField()

    class Meta:
        model = Refund
        fields = (
            "id",
            "invoice",
            "amount",
            "reason",
            "source",
            "state",
            "error_code",
            "error",
            "sadad_refund_id",
            "by_name",
            "decided_by_name",
            "created_at",
            "sent_at",
            "finished_at",
        )
        read_only_fields = fields

    def get_error(self, refund: Refund) -> str:
        return texts.error_sentence(refund.error_code) if refund.state == Refund.State.REFUSED else ""


class InvoiceDetailSerializer(InvoiceSerializer):
    """``raw``, Sadad's last reply, is null without ``view_customer_data``: it names the buyer."""

    left_to_refund = LeftToRefund()
    lines = LineSerializer(many=True, read_only=True)
    attempts = AttemptSerializer(many=True, read_only=True)
    refunds = RefundSerializer(many=True, read_only=True)
    raw = serializers.DictField(read_only=True, allow_null=True)

    class Meta(InvoiceSerializer.Meta):
        fields = (*InvoiceSerializer.Meta.fields, "left_to_refund", "lines", "attempts", "refunds", "raw")
        read_only_fields = fields

    def to_representation(self, instance: Any) -> Any:
        shown = super().to_representation(instance)
        return shown if may_see(self) else {**shown, "raw": None}


class AttentionSerializer(RowSerializer):
    """``sentence`` follows ``Accept-Language``; ``actions`` is what staff can do in the admin."""

    invoice = serializers.CharField(source="invoice.reference", default=None, allow_null=True, read_only=True)
    refund = serializers.IntegerField(source="refund_id", allow_null=True, read_only=True)
    params = serializers.DictField(read_only=True)
    sentence = serializers.SerializerMethodField()
    blocks = serializers.BooleanField(
        source="rule.blocks", read_only=True, help_text="Checkout of the same order waits for it."
    )
    actions = serializers.SerializerMethodField()

    class Meta:
        model = Attention
        fields = (
            "id",
            "code",
            "params",
            "sentence",
            "blocks",
            "actions",
            "invoice",
            "refund",
            "account",
            "environment",
            "created_at",
        )
        read_only_fields = fields

    def get_sentence(self, case: Attention) -> str:
        return texts.attention_sentence(case.code, case.params)

    def get_actions(self, case: Attention) -> list[str]:
        return list(cases.actions(case))


def may_see(serializer: serializers.BaseSerializer[Any]) -> bool:
    """Whether the caller may see phones, e-mails and raw replies."""
    return bool(serializer.context["view"].may_see_customers)


# Requests


class InvoiceQuery(_Serializer):
    reference = serializers.CharField(required=False, max_length=31)
    shop_reference = serializers.CharField(required=False, max_length=100)
    state = State(Invoice.State, "SadadpayInvoiceState", required=False)
    sadad_id = serializers.CharField(required=False, max_length=40)


class RefundQuery(_Serializer):
    invoice = serializers.CharField(required=False, max_length=31, source="invoice__reference")
    state = State(Refund.State, "SadadpayRefundState", required=False)


class AttentionQuery(_Serializer):
    invoice = serializers.CharField(required=False, max_length=31, source="invoice__reference")
    code = serializers.CharField(required=False, max_length=30)


class RefundRequest(_Serializer):
    amount = Amount(
        required=False,
        allow_null=True,
        default=None,
        help_text="KWD with at most three places; without it, all that is left.",
    )
    reason = serializers.CharField(max_length=250, help_text="For the shop's own records.")


class FaultSerializer(_Serializer):
    code = serializers.CharField(help_text="Stable; decide on this.")
    field = serializers.CharField(allow_blank=True, help_text="What to mend in the request, if anything.")
    detail = serializers.CharField(help_text="For a person, in the language of Accept-Language.")


class ProblemSerializer(FaultSerializer):
    """RFC 9457; the first of ``errors`` is repeated at the top."""

    title = serializers.CharField()
    status = serializers.IntegerField()
    # Serializer.errors is for instances; DRF takes this declaration out of the class.
    errors = FaultSerializer(many=True)  # type: ignore[assignment]  # see above
