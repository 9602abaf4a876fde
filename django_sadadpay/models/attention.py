"""What waits for a person: one row for each open reason, with a code and parameters, never a translated
sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import AccountRow, person
from django_sadadpay.models.inbox import WebhookEvent
from django_sadadpay.models.invoice import Invoice
from django_sadadpay.models.refund import Refund

if TYPE_CHECKING:
    from django_sadadpay.models.mirror import Mirror


class Code(models.TextChoices):
    """Why a person is needed. The sentences are in ``texts.ATTENTION``."""

    MISMATCH = "mismatch"
    ID_CONFLICT = "id_conflict"
    PAID_TWICE = "paid_twice"
    AMOUNT_CHANGED = "amount_changed"
    PAID_AFTER_CANCEL = "paid_after_cancel"
    REFUND_SEEN_FIRST = "refund_seen_first"
    CANNOT_FULFIL = "cannot_fulfil"
    HOOK_FAILED = "hook_failed"
    OBJECT_GONE = "object_gone"
    NOT_REGISTERED = "not_registered"
    REFUND_HOOK_FAILED = "refund_hook_failed"
    END_HOOK_FAILED = "end_hook_failed"
    UNKNOWN_STATUS = "unknown_status"
    INVOICE_NOT_FOUND = "invoice_not_found"
    FACTS_FELL = "facts_fell"
    FACT_REFUSED = "fact_refused"
    PAY_URL_HOST = "pay_url_host"
    REFUND_UNKNOWN = "refund_unknown"
    REFUND_REFUSED = "refund_refused"
    EVENT_NAMES_NOTHING = "event_names_nothing"
    EVENT_WITHOUT_ROW = "event_without_row"
    EVENT_UNKNOWN_ID = "event_unknown_id"
    CANCEL_REFUSED = "cancel_refused"
    KEYS_REFUSED = "keys_refused"
    ACCESS_DENIED = "access_denied"
    MIRROR_BAD = "mirror_bad"
    MIRROR_REFUSED = "mirror_refused"
    MIRROR_UNKNOWN = "mirror_unknown"
    MIRROR_GONE = "mirror_gone"
    MIRROR_TWICE = "mirror_twice"
    MIRROR_NEEDED = "mirror_needed"
    BILL_DIFFERS = "bill_differs"
    BILL_UNKNOWN = "bill_unknown"
    SIGNAL_FAILED = "signal_failed"
    MIRROR_CONFLICT = "mirror_conflict"
    WORK_FAILED = "work_failed"


@dataclass(frozen=True)
class Rule:
    """``blocks``: checkout of the object waits. ``actions``: what resolves it, in the order in which staff
    see it.

    ``verify``: ask Sadad, closed by itself when both sides agree. ``apply``: call ``paid()`` all the same.
    ``refund``:
    give the money back. ``decide``: say whether the refund happened. ``retry``: run the hook or event again.
    ``dismiss``: a person has dealt with it. ``adopt``: it is at Sadad, under the id that the person gives.
    ``send_again``: it is not there. ``take_theirs``, ``keep_ours``: which of two changes counts.
    """

    actions: tuple[str, ...] = ("dismiss",)
    blocks: bool = False


RULES: dict[str, Rule] = {
    Code.MISMATCH: Rule(("verify", "dismiss"), blocks=True),
    Code.ID_CONFLICT: Rule(blocks=True),
    Code.PAID_TWICE: Rule(("refund", "apply", "dismiss"), blocks=True),
    Code.AMOUNT_CHANGED: Rule(("apply", "refund", "dismiss"), blocks=True),
    Code.PAID_AFTER_CANCEL: Rule(("apply", "refund", "dismiss"), blocks=True),
    Code.REFUND_SEEN_FIRST: Rule(("apply", "dismiss"), blocks=True),
    Code.CANNOT_FULFIL: Rule(("refund", "retry", "dismiss"), blocks=True),
    Code.HOOK_FAILED: Rule(("retry", "refund", "dismiss"), blocks=True),
    Code.OBJECT_GONE: Rule(("retry", "refund", "dismiss"), blocks=True),
    Code.NOT_REGISTERED: Rule(("retry", "refund", "dismiss"), blocks=True),
    Code.REFUND_HOOK_FAILED: Rule(("retry", "dismiss")),
    Code.END_HOOK_FAILED: Rule(),
    Code.UNKNOWN_STATUS: Rule(("verify", "dismiss"), blocks=True),
    Code.INVOICE_NOT_FOUND: Rule(("verify", "dismiss")),
    Code.FACTS_FELL: Rule(("verify", "dismiss")),
    Code.FACT_REFUSED: Rule(("verify", "dismiss")),
    Code.PAY_URL_HOST: Rule(),
    Code.REFUND_UNKNOWN: Rule(("verify", "decide")),
    Code.REFUND_REFUSED: Rule(),
    Code.EVENT_NAMES_NOTHING: Rule(),
    Code.EVENT_WITHOUT_ROW: Rule(("retry", "dismiss")),
    Code.EVENT_UNKNOWN_ID: Rule(("retry", "dismiss")),
    Code.CANCEL_REFUSED: Rule(),
    Code.KEYS_REFUSED: Rule(("verify", "dismiss")),
    Code.ACCESS_DENIED: Rule(),
    Code.MIRROR_BAD: Rule(),
    Code.MIRROR_REFUSED: Rule(("retry", "dismiss")),
    Code.MIRROR_UNKNOWN: Rule(("adopt", "send_again")),
    Code.MIRROR_GONE: Rule(("send_again", "dismiss")),
    Code.MIRROR_TWICE: Rule(),
    Code.MIRROR_NEEDED: Rule(),
    Code.BILL_DIFFERS: Rule(("retry", "dismiss")),
    Code.BILL_UNKNOWN: Rule(("retry", "dismiss")),
    Code.SIGNAL_FAILED: Rule(("retry", "dismiss")),
    Code.MIRROR_CONFLICT: Rule(("take_theirs", "keep_ours")),
    Code.WORK_FAILED: Rule(),
}
#: While one of these is open on a payment, checkout of its object raises ``NeedsAttention``.
BLOCKING = tuple(code for code, rule in RULES.items() if rule.blocks)


class Attention(AccountRow):
    """One reason why a person is needed; at most one open row for each reason and subject."""

    Code: ClassVar = Code

    code = models.CharField(_("reason"), max_length=30)
    params = models.JSONField(_("details"), default=dict)
    open_slot = models.CharField(max_length=255, null=True, unique=True, editable=False)
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, null=True, blank=True, related_name="attention", verbose_name=_("invoice")
    )
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, blank=True, related_name="attention", verbose_name=_("refund")
    )
    event = models.ForeignKey(
        WebhookEvent,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="attention",
        verbose_name=_("webhook call"),
    )
    subject = models.CharField(
        _("object"),
        max_length=60,
        blank=True,
        db_index=True,
        help_text=_("The mirrored object: its kind and number."),
    )
    created_at = models.DateTimeField(_("since"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolution = models.CharField(_("resolution"), max_length=250, blank=True)
    by = person(_("Who resolved it; empty when it was resolved by itself."))
    by_name = models.CharField(_("resolved by"), max_length=150, blank=True)

    class Meta(AccountRow.Meta):
        verbose_name = _("case for a person")
        verbose_name_plural = _("waiting for a person")
        ordering = ("resolved_at", "pk")
        indexes = [
            # The admin's list: what is open, oldest first.
            models.Index(fields=["resolved_at", "id"], name="sadadpay_attention_open"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(open_slot__isnull=False, resolved_at__isnull=True)
                | models.Q(open_slot__isnull=True, resolved_at__isnull=False),
                name="sadadpay_attention_slot",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.pk})"

    @property
    def rule(self) -> Rule:
        """A code that a newer version wrote, before it was rolled back, can be closed by a person."""
        return RULES.get(self.code, Rule())

    @property
    def mirror(self) -> Mirror | None:
        """The mirrored object that it is about, if it is about one."""
        kind, _sep, pk = self.subject.partition(":")
        if not kind:
            return None
        model = cast("type[Mirror]", apps.get_model("sadadpay", kind))
        return model._base_manager.using(self._state.db).filter(pk=pk).first()

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None
