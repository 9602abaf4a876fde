"""Lists that are only read: refunds, tokens (never the token), exchange rates, marks of background work."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin import filters, shown, words
from django_sadadpay.admin.base import ReadOnlyAdmin, link
from django_sadadpay.models import CurrencyRate, GatewayToken, Mark, Refund


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ("shown_amount", "invoice_link", "shown_state", "source", "reason", "who", "created")
    list_filter = ["state", "source", filters.AccountFilter, filters.EnvironmentFilter, "created_at"]
    list_select_related = ("invoice",)
    sortable_by = ("created",)
    search_fields = ("invoice__reference", "invoice__shop_reference", "invoice__sadad_id", "sadad_refund_id")
    search_help_text = _("Reference, order, Sadad id or Sadad's refund id")
    open_lookups = ("pk", "id", "invoice", "invoice__id")
    fieldsets = [
        (None, {"fields": (("shown_amount", "shown_state", "source"), "why", "reason", "invoice_link")}),
        (_("At Sadad"), {"fields": (("account", "environment"), ("shown_sadad_id", "shown_before"))}),
        (_("People"), {"fields": (("by_name", "decided_by_name"),)}),
        (_("Times"), {"fields": (("created_at", "sent_at", "finished_at"), ("handled_at", "next_check_at"))}),
    ]

    @admin.display(description=_("amount"))
    def shown_amount(self, refund: Refund) -> SafeString:
        return shown.money(refund.amount)

    @admin.display(description=_("invoice"))
    def invoice_link(self, refund: Refund) -> SafeString:
        url = link(self.admin_site.name, "invoice", "change", refund.invoice.pk)
        return shown.link(url, refund.invoice.shop_reference)

    @admin.display(description=_("state"))
    def shown_state(self, refund: Refund) -> SafeString:
        return shown.badge(refund.state, refund.get_state_display())

    @admin.display(description=_("error"))
    def why(self, refund: Refund) -> str:
        return words.refund_error(refund)

    @admin.display(description=_("asked by"))
    def who(self, refund: Refund) -> str:
        return refund.by_name or shown.NOTHING

    @admin.display(description=_("created"), ordering="pk")
    def created(self, refund: Refund) -> str:
        return shown.short(refund.created_at)

    @admin.display(description=_("Sadad's id"))
    def shown_sadad_id(self, refund: Refund) -> SafeString | str:
        return shown.code(refund.sadad_refund_id)

    @admin.display(description=_("refunded before"))
    def shown_before(self, refund: Refund) -> SafeString:
        return shown.money(refund.refunded_before)


@admin.register(GatewayToken)
class GatewayTokenAdmin(ReadOnlyAdmin):
    list_display = ("account", "environment", "access_expires_at", "fetched_at")
    fieldsets = [(None, {"fields": ("account", "environment", "access_expires_at", "fetched_at")})]


@admin.register(CurrencyRate)
class CurrencyRateAdmin(ReadOnlyAdmin):
    list_display = ("code", "shown_rate", "environment", "fetched_at")
    list_filter = [filters.EnvironmentFilter]
    fieldsets = [(None, {"fields": ("code", "shown_rate", "environment", "fetched_at")})]

    @admin.display(description=_("KWD for one unit"))
    def shown_rate(self, rate: CurrencyRate) -> SafeString | str:
        """Not as Django writes numbers: its Arabic turns 0.305 into "0,305"."""
        return shown.code(f"{rate.rate.normalize():f}")


@admin.register(Mark)
class MarkAdmin(ReadOnlyAdmin):
    list_display = ("title", "at", "count", "shown_detail")
    fieldsets = [(None, {"fields": ("title", "at", "count", "shown_detail")})]
    sortable_by = ()

    @admin.display(description=_("name"))
    def title(self, mark: Mark) -> str:
        return str(words.MARKS.get(mark.name, mark.name))

    @admin.display(description=_("detail"))
    def shown_detail(self, mark: Mark) -> SafeString | str:
        return shown.data(mark.detail or None)
