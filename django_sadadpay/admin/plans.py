"""Instalment plans, with the state of each instalment and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin import mirror_shown, shown
from django_sadadpay.admin import mirror_words as words
from django_sadadpay.admin.payer_pages import PayerPageAdmin
from django_sadadpay.models import Installment, InstallmentPlan


@admin.register(InstallmentPlan)
class InstallmentPlanAdmin(PayerPageAdmin):
    columns = (
        "ref_number",
        "customer_name",
        mirror_shown.amount(InstallmentPlan, "amount"),
        mirror_shown.amount(InstallmentPlan, "paid_amount"),
        mirror_shown.amount(InstallmentPlan, "remaining_amount"),
        mirror_shown.word(InstallmentPlan, "status"),
    )
    layout = [
        (None, ("reference", "customer_name", ("customer_mobile", "customer_email"))),
        (
            _("Amounts"),
            (
                ("amount", "down_amount", "balloon_amount"),
                ("installment_count", "pay_per", "start_date"),
                "installments",
            ),
        ),
        (_("Being late"), (("late_fees_type", "late_fees_value", "grace_period"), "is_flexible")),
        (_("Other"), (("lang",), "comment")),
    ]
    facts = (
        (_("So far"), (("shown_reference", "shown_status"), ("shown_paid", "shown_left"))),
        *PayerPageAdmin.facts,
    )
    list_filter = [*PayerPageAdmin.list_filter]
    search_fields = ("ref_number",)
    personal_search = ("customer_name",)
    search_help_text = _("Reference, or id, key or code at Sadad; the name for those who may see it")

    def parts(self, request: HttpRequest, row: Any) -> Iterable[dict[str, Any]]:
        return [self._schedule(row), *super().parts(request, row)]

    def _schedule(self, plan: InstallmentPlan) -> dict[str, Any]:
        rows = plan.installments.select_related("invoice").order_by("number")
        return {
            "title": _("Instalments"),
            "columns": [_("number"), _("due"), _("amount"), _("late fees"), _("state"), _("invoice")],
            "rows": [self._installment(row) for row in rows],
            "none": _("Sadad has not told the schedule yet: pull it."),
        }

    def _installment(self, row: Installment) -> tuple[Any, ...]:
        fees = shown.money(row.late_fees) if row.late_fees else shown.NOTHING
        worth = shown.NOTHING if row.amount is None else shown.money(row.amount)
        invoice = self.invoice_link(row.invoice, row.sadad_invoice_id)
        return (
            row.number,
            mirror_shown.shown_day(row.due_on),
            worth,
            fees,
            mirror_shown.bill(row.status),
            invoice,
        )

    @admin.display(description=_("Sadad's status"))
    def shown_status(self, plan: InstallmentPlan) -> str:
        return words.word("status", plan.status) or shown.NOTHING

    @admin.display(description=_("paid"))
    def shown_paid(self, plan: InstallmentPlan) -> SafeString | str:
        return shown.NOTHING if plan.paid_amount is None else shown.money(plan.paid_amount)

    @admin.display(description=_("left"))
    def shown_left(self, plan: InstallmentPlan) -> SafeString | str:
        return shown.NOTHING if plan.remaining_amount is None else shown.money(plan.remaining_amount)
