"""Invoices, their lines, Sadad's payment attempts, and the ledger of everything that changed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, router
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import AccountRow, MoneyField, PrimaryManager, Row, exact, person
from django_sadadpay.registry import payables

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

#: What stands in ``Invoice.request`` once the customer's data were erased.
ERASED = {"erased": True}


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def for_object(self, obj: models.Model | str, *, name: str = "") -> InvoiceQuerySet:
        """The invoices of a shop object, newest first; for a payable without a model give its key and
        ``name``.
        """
        if isinstance(obj, str):
            key = exact(name, obj)
        else:
            key = exact(name or payables.for_object(obj).name, str(obj.pk))
        return self.filter(object_key=key).order_by("-pk")


class Invoice(AccountRow):
    """One invoice at Sadad. Payment facts are written by ``services.settlement`` alone, and each change is
    in the ledger.
    """

    class State(models.TextChoices):
        NEW = "new", _("being made")
        OPEN = "open", _("open")
        SUPERSEDING = "superseding", _("being cancelled")
        PAID = "paid", _("paid")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")
        REFUSED = "refused", _("refused by Sadad")
        UNKNOWN = "unknown", _("outcome unknown")
        LOST = "lost", _("given up")

    class Closing(models.TextChoices):
        BASKET = "basket", _("the basket changed")
        CANCEL = "cancel", _("cancelled by the shop")
        EXPIRY = "expiry", _("ran out unpaid")
        PAID = "paid", _("paid with another invoice")
        ORPHAN = "orphan", _("its link was shown to nobody")

    #: States in which the buyer may still pay it through us; they alone hold ``open_slot``.
    PAYABLE: ClassVar = (State.NEW, State.OPEN, State.SUPERSEDING)
    #: Facts that the ledger replays.
    TRACKED: ClassVar[tuple[str, ...]] = (
        "state",
        "status_text",
        "sadad_id",
        "sadad_key",
        "pay_url",
        "ref_number",
        "open_slot",
        "paid_slot",
        "paid_amount",
        "paid_at",
        "refunded_amount",
        "transaction_id",
        "payment_method",
        "handled_at",
        "error_code",
    )

    reference = models.CharField(
        _("reference"), max_length=31, unique=True, help_text=_("Sent to Sadad as ref_Number, once.")
    )
    shop_reference = models.CharField(_("order"), max_length=100, db_index=True)
    payable = models.CharField(_("payable"), max_length=100)
    object_id = models.CharField(_("object"), max_length=255)
    object_key = models.CharField(max_length=255, db_index=True, editable=False)
    purpose = models.CharField(_("purpose"), max_length=50, blank=True)
    open_slot = models.CharField(max_length=255, null=True, unique=True, editable=False)
    paid_slot = models.CharField(max_length=255, null=True, unique=True, editable=False)

    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.NEW)
    status_text = models.CharField(_("Sadad's status"), max_length=40, blank=True)
    error_code = models.CharField(_("error"), max_length=80, blank=True)

    shop_currency = models.CharField(_("shop currency"), max_length=3)
    shop_amount = MoneyField(_("shop amount"))
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=9, default=1)
    amount = MoneyField(_("amount (KWD)"))
    paid_amount = MoneyField(_("paid (KWD)"), default=0)
    refunded_amount = MoneyField(
        _("refunded (KWD)"), default=0, help_text=_("As Sadad says; it never falls.")
    )
    lines_digest = models.CharField(max_length=64, editable=False)
    language = models.CharField(_("language"), max_length=2, default="en")
    kind = models.CharField(_("type"), max_length=30, default="Invoice")
    made_from = models.CharField(
        _("made from"),
        max_length=60,
        blank=True,
        db_index=True,
        help_text=_("What made it at Sadad; empty: our own checkout."),
    )
    customer = models.JSONField(_("customer"), default=dict, blank=True)
    request = models.JSONField(default=dict, editable=False)

    sadad_id = models.CharField(_("Sadad id"), max_length=40, null=True, blank=True)
    sadad_key = models.CharField(_("Sadad key"), max_length=60, blank=True)
    pay_url = models.CharField(_("pay link"), max_length=500, blank=True)
    ref_number = models.CharField(_("reference at Sadad"), max_length=200, blank=True)
    transaction_id = models.CharField(_("transaction"), max_length=100, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=60, blank=True)
    raw = models.JSONField(_("last reply"), null=True, blank=True, editable=False, encoder=DjangoJSONEncoder)

    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), help_text=_("Our clock only stops handing out the link."))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    recorded_at = models.DateTimeField(_("payment recorded"), null=True, blank=True)
    handled_at = models.DateTimeField(_("order told"), null=True, blank=True)
    due_waived = models.BooleanField(
        default=False, editable=False, help_text="A person counts it whatever is due."
    )
    hook_tries = models.PositiveIntegerField(default=0, editable=False)
    next_hook_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    next_check_at = models.DateTimeField(_("next check"), null=True, blank=True, db_index=True)
    closing = models.CharField(
        max_length=10, blank=True, editable=False, help_text="Why it is to be deleted at Sadad."
    )
    busy_until = models.DateTimeField(null=True, blank=True, editable=False)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    fetch_began_at = models.DateTimeField(null=True, blank=True, editable=False)
    fetch_ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    doubt = models.JSONField(null=True, blank=True, editable=False)

    objects: ClassVar = PrimaryManager.from_queryset(InvoiceQuerySet)()

    class Meta(Row.Meta):
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ("-pk",)
        permissions = [
            ("refund_invoice", _("Can refund invoices")),
            ("verify_invoice", _("Can ask Sadad about invoices")),
            ("view_customer_data", _("Can see customers' phone, e-mail and raw replies")),
        ]
        indexes = [
            # The admin's list: one state, newest first.
            models.Index(fields=["state", "id"], name="sadadpay_invoice_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "environment", "sadad_id"], name="sadadpay_invoice_sadad_id"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="sadadpay_invoice_amount_positive"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0) & Q(refunded_amount__lte=F("paid_amount")),
                name="sadadpay_invoice_refunded_le_paid",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", paid_amount__gt=0) | (~Q(state="paid") & Q(paid_amount=0)),
                name="sadadpay_invoice_paid_has_amount",
            ),
            models.CheckConstraint(
                condition=Q(open_slot__isnull=True) | Q(state__in=["new", "open", "superseding"]),
                name="sadadpay_invoice_open_slot",
            ),
            models.CheckConstraint(
                condition=Q(paid_slot__isnull=True) | Q(state="paid"), name="sadadpay_invoice_paid_slot"
            ),
            models.CheckConstraint(
                condition=Q(handled_at__isnull=True) | Q(paid_slot__isnull=False),
                name="sadadpay_invoice_handled_applied",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def slot(self) -> str:
        """What ``open_slot`` and ``paid_slot`` hold: name, id and purpose, exact on every database."""
        return exact(self.payable, self.object_id, self.purpose)

    @property
    def object(self) -> models.Model | None:
        """The shop's object, through ``_base_manager``; None when it is gone or its payable is not
        registered.
        """
        payable = payables.get(self.payable)
        if payable is None or payable.model is None:
            return None
        rows = payable.model._base_manager.using(router.db_for_write(payable.model))
        try:
            return rows.filter(pk=self.object_id).first()
        except (ValueError, ValidationError):
            return None

    @property
    def is_adopted(self) -> bool:
        """Sadad made it (panel, link, plan, subscription): nothing of ours was sent, and ``reference`` is
        known here alone. ``ref_number`` and ``amount`` are those that it was taken over with.
        """
        return bool(self.made_from)

    @property
    def is_paid(self) -> bool:
        return self.state == self.State.PAID

    @property
    def is_erased(self) -> bool:
        """The customer's data were erased: what Sadad says of the person is not kept again."""
        return bool(self.request == ERASED)

    @property
    def is_applied(self) -> bool:
        """The payment counts for its object (it holds the paid slot)."""
        return self.paid_slot is not None


class InvoiceLine(Row):
    """A line as it was sent: unit price in KWD times quantity (contract 3.1)."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("name"), max_length=200)
    quantity = models.PositiveIntegerField(_("quantity"))
    amount = MoneyField(_("unit price (KWD)"))
    supplier_id = models.BigIntegerField(_("supplier"), null=True, blank=True)

    class Meta(Row.Meta):
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="sadadpay_line_position"),
            models.CheckConstraint(
                condition=Q(amount__gt=0) & Q(quantity__gte=1), name="sadadpay_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def total(self) -> Decimal:
        return cast("Decimal", self.quantity * self.amount)


class PaymentAttempt(Row):
    """One of Sadad's transactions on an invoice (contract 3.3), keyed by the first id that it carries."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="attempts")
    key = models.CharField(_("key"), max_length=255)
    status = models.CharField(_("status"), max_length=40, blank=True)
    request_type = models.CharField(_("type"), max_length=40, blank=True)
    method = models.CharField(_("method"), max_length=60, blank=True)
    amount = MoneyField(_("amount"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=10, blank=True)
    transaction_id = models.CharField(_("transaction"), max_length=100, blank=True)
    payment_id = models.CharField(_("payment id"), max_length=100, blank=True)
    reference_id = models.CharField(_("bank reference"), max_length=100, blank=True)
    track_id = models.CharField(_("track id"), max_length=100, blank=True)
    occurred_at = models.DateTimeField(_("at"), null=True, blank=True)
    raw = models.JSONField(default=dict, editable=False, encoder=DjangoJSONEncoder)

    class Meta(Row.Meta):
        verbose_name = _("payment attempt")
        verbose_name_plural = _("payment attempts")
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=["invoice", "key"], name="sadadpay_attempt_key")]

    def __str__(self) -> str:
        return f"{self.key} {self.status}"


class InvoiceEvent(Row):
    """A row of the ledger: append-only; replaying ``changes`` in order gives the invoice's stored facts."""

    class Source(models.TextChoices):
        CHECKOUT = "checkout", _("checkout")
        WEBHOOK = "webhook", _("webhook")
        RETURN = "return", _("buyer's return")
        RECONCILE = "reconcile", _("reconcile")
        STAFF = "staff", _("staff")
        SHOP = "shop", _("shop code")

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="events")
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("what"), max_length=40)
    source = models.CharField(_("source"), max_length=12, choices=Source.choices)
    changes = models.JSONField(_("changes"), default=dict)
    params = models.JSONField(_("details"), default=dict)
    fetch_began_at = models.DateTimeField(null=True, blank=True)
    fetch_ended_at = models.DateTimeField(null=True, blank=True)
    by = person(_("Who caused it, if a person did."))
    by_name = models.CharField(_("name"), max_length=150, blank=True)

    class Meta(Row.Meta):
        verbose_name = _("ledger row")
        verbose_name_plural = _("ledger")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.kind} ({self.source})"


def replay(events: Any) -> dict[str, Any]:
    """The tracked facts (as JSON values) after all ``events`` of one invoice, oldest first."""
    facts: dict[str, Any] = {}
    for event in events:
        facts |= {name: new for name, (_old, new) in event.changes.items()}
    return facts


def as_fact(value: Any) -> Any:
    """A tracked column's value as the ledger writes it: JSON, money as text of three places, times in ISO
    UTC.
    """
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    if hasattr(value, "isoformat"):
        return cast("datetime", value).isoformat(timespec="microseconds")
    return f"{value:.3f}"
