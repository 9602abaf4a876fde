"""What stands below an invoice: lines, attempts, refunds, what waits for a person, and the ledger."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_sadadpay import texts
from django_sadadpay.admin import shown, words
from django_sadadpay.admin.base import PartInline, link
from django_sadadpay.models import Attention, InvoiceEvent, InvoiceLine, PaymentAttempt, Refund


class LineInline(PartInline):
    model = InvoiceLine
    fields = readonly_fields = ("name", "quantity", "price", "sum")

    @admin.display(description=_("unit price"))
    def price(self, line: InvoiceLine) -> SafeString:
        return shown.money(line.amount)

    @admin.display(description=_("total"))
    def sum(self, line: InvoiceLine) -> SafeString:
        return shown.money(line.total)


class AttemptInline(PartInline):
    model = PaymentAttempt
    fields = readonly_fields = ("occurred_at", "status", "method", "value", "numbers")

    @admin.display(description=_("amount"))
    def value(self, attempt: PaymentAttempt) -> SafeString:
        return shown.money(attempt.amount, attempt.currency or "KWD")

    @admin.display(description=_("numbers"))
    def numbers(self, attempt: PaymentAttempt) -> SafeString | str:
        """What a bank or Sadad's support asks for."""
        names = ("transaction_id", "payment_id", "reference_id", "track_id")
        fields = [(shown.title(PaymentAttempt, name), getattr(attempt, name)) for name in names]
        return shown.bullets(f"{title}: {value}" for title, value in fields if value)


class RefundInline(PartInline):
    model = Refund
    fields = readonly_fields = ("created_at", "value", "shown_state", "why", "reason", "who")

    @admin.display(description=_("amount"))
    def value(self, refund: Refund) -> SafeString:
        url = link(self.admin_site.name, "refund", "change", refund.pk)
        return shown.link(url, shown.money(refund.amount))

    @admin.display(description=_("state"))
    def shown_state(self, refund: Refund) -> SafeString:
        return shown.badge(refund.state, refund.get_state_display())

    @admin.display(description=_("error"))
    def why(self, refund: Refund) -> str:
        return words.refund_error(refund)

    @admin.display(description=_("asked by"))
    def who(self, refund: Refund) -> str:
        return refund.by_name or str(refund.get_source_display())


class CaseInline(PartInline):
    model = Attention
    fields = readonly_fields = ("created_at", "sentence", "end", "by_name")
    ordering = ("-pk",)

    @admin.display(description=_("reason"))
    def sentence(self, case: Attention) -> SafeString:
        url = link(self.admin_site.name, "attention", "change", case.pk)
        return shown.link(url, texts.attention_sentence(case.code, case.params))

    @admin.display(description=_("resolution"))
    def end(self, case: Attention) -> SafeString | str:
        return shown.warning(_("Waiting")) if case.is_open else words.resolution(case.resolution)


class LedgerInline(PartInline):
    model = InvoiceEvent
    fields = readonly_fields = ("at", "what", "details", "who")

    @admin.display(description=_("what"))
    def what(self, event: InvoiceEvent) -> str:
        return words.kind(event)

    @admin.display(description=_("changes"))
    def details(self, event: InvoiceEvent) -> SafeString | str:
        return shown.bullets(words.details(event))

    @admin.display(description=_("source"))
    def who(self, event: InvoiceEvent) -> str:
        source = str(event.get_source_display())
        return f"{source}: {event.by_name}" if event.by_name else source
