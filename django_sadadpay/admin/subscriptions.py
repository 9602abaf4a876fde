"""Subscriptions, their templates, and the links on which payers subscribe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin import mirror_shown, shown
from django_sadadpay.admin import mirror_words as words
from django_sadadpay.admin.base import VIEW_CUSTOMER_DATA, allowed
from django_sadadpay.admin.mirrors import MirrorAdmin
from django_sadadpay.admin.payer_pages import PayerPageAdmin
from django_sadadpay.models import Subscription, SubscriptionLink, SubscriptionPeriod, SubscriptionTemplate


@admin.register(SubscriptionTemplate)
class SubscriptionTemplateAdmin(MirrorAdmin):
    columns = (
        "name_en",
        "name_ar",
        mirror_shown.amount(SubscriptionTemplate, "amount"),
        mirror_shown.word(SubscriptionTemplate, "bill_period"),
        "inactive",
    )
    layout = [
        (None, ("name_en", "name_ar", ("amount", "bill_period", "bill_no"), ("inactive", "is_internal"))),
        (_("How long"), (("duration_period", "duration_no", "auto_renew"),)),
        (
            _("Ending and pausing"),
            (
                ("closed_by_customer", "can_be_suspended"),
                ("cancel_fees", "suspend_fees"),
                ("max_suspend_cycle", "auto_close_after"),
            ),
        ),
        (_("Free trial"), (("free_trial_no", "free_trial_period", "free_trial_position"),)),
    ]
    list_filter = [*MirrorAdmin.list_filter, "inactive"]
    search_fields = ("name_en", "name_ar")
    search_help_text = _("Name, or id or code at Sadad")


@admin.register(Subscription)
class SubscriptionAdmin(PayerPageAdmin):
    columns = (
        "ref_number",
        "payer",
        "template",
        mirror_shown.word(Subscription, "status"),
        mirror_shown.day(Subscription, "next_bill_on"),
    )
    layout = [
        (None, ("template", "reference", "start_date", "status")),
        (_("Customer"), ("customer", "customer_name", ("customer_mobile", "customer_email"))),
        (_("Other"), (("lang",), "comment")),
    ]
    only_changed = frozenset({"status"})
    facts = ((_("So far"), (("shown_reference", "shown_status", "next_bill"),)),)
    list_select_related = ("template", "customer")
    search_fields = ("ref_number", "template__name_en", "customer__ref_number")
    personal_search = ("customer_name", "customer__name")
    search_help_text = _(
        "Reference, template, or id, key or code at Sadad; the name for those who may see it"
    )
    open_lookups = (*MirrorAdmin.open_lookups, "template", "template__id", "customer", "customer__id")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        payer = _payer(may_see=allowed(request, VIEW_CUSTOMER_DATA))
        return [payer if column == "payer" else column for column in super().get_list_display(request)]

    def parts(self, request: HttpRequest, row: Any) -> Iterable[dict[str, Any]]:
        return [self._schedule(row), *super().parts(request, row)]

    def _schedule(self, subscription: Subscription) -> dict[str, Any]:
        rows = subscription.periods.select_related("invoice").order_by("number")
        return {
            "title": _("Schedule"),
            "columns": [_("number"), _("billed on"), _("amount"), _("state"), _("invoice")],
            "rows": [self._period(row) for row in rows],
            "none": _("Sadad has not told the schedule yet."),
        }

    def _period(self, row: SubscriptionPeriod) -> tuple[Any, ...]:
        worth = shown.NOTHING if row.amount is None else shown.money(row.amount)
        invoice = self.invoice_link(row.invoice, row.sadad_invoice_id)
        return (
            row.number,
            mirror_shown.shown_day(row.bill_on),
            worth,
            mirror_shown.bill(row.status),
            invoice,
        )

    @admin.display(description=_("Sadad's status"))
    def shown_status(self, row: Subscription) -> str:
        return words.word("status", row.status) or shown.NOTHING

    @admin.display(description=_("next bill"))
    def next_bill(self, row: Subscription) -> str:
        return mirror_shown.shown_day(row.next_bill_on)


def _payer(*, may_see: bool) -> Callable[[Subscription], str]:
    """A customer kept at Sadad by reference, or the name that was given."""

    @admin.display(description=_("customer"))
    def column(row: Subscription) -> str:
        if row.customer is not None:
            return str(row.customer)
        if not row.customer_name:
            return shown.NOTHING
        return row.customer_name if may_see else shown.MASK

    return column


@admin.register(SubscriptionLink)
class SubscriptionLinkAdmin(PayerPageAdmin):
    columns = ("name_en", "name_ar", "template", "inactive")
    layout = [
        (None, ("template", "name_en", "name_ar", "inactive")),
        (_("Terms"), ("terms_condition_enabled", "terms_condition")),
    ]
    list_filter = [*MirrorAdmin.list_filter, "inactive"]
    list_select_related = ("template",)
    search_fields = ("name_en", "name_ar", "template__name_en")
    search_help_text = _("Name, template, or id, key or code at Sadad")

    def parts(self, request: HttpRequest, row: Any) -> Iterable[dict[str, Any]]:
        return ()  # subscriptions are billed, not links
