"""The refund page: how much, why, what will happen, and then once (money-flow 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_sadadpay import texts
from django_sadadpay.admin import shown, words
from django_sadadpay.admin.base import REFUND
from django_sadadpay.admin.pages import PagesAdmin
from django_sadadpay.models import Invoice, Refund
from django_sadadpay.services import gateway, refunds


class RefundForm(forms.Form):
    """``key`` is made when the page is first shown: a double click or a reload gives the same refund."""

    amount = forms.DecimalField(
        label=_("Amount (KWD)"),
        min_value=Decimal("0.001"),
        max_digits=15,
        decimal_places=3,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=250,
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
        help_text=_("For your own records; the buyer does not see it."),
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, invoice: Invoice, **kwargs: Any) -> None:
        self.left, self.invoice = refunds.left(invoice), invoice
        first = {"amount": f"{self.left:.3f}", "key": uuid4().hex}
        super().__init__(*args, **{**kwargs, "initial": first, "label_suffix": ""})

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount > self.left and not self.is_known():
            raise forms.ValidationError(texts.error_sentence("exceeds_left"))
        return amount

    def is_known(self) -> bool:
        """This very form was sent before: it gives that refund, whatever is left. Asked after ``left``."""
        key = self.data.get("key")
        return bool(key) and self.invoice.refunds.filter(key=key).exists()

    def read_only(self) -> RefundForm:
        """The same values as hidden fields, for the confirmation."""
        for field in self.fields.values():
            field.widget = forms.HiddenInput()
        return self


class RefundPages(PagesAdmin):
    """The part of the invoice's admin that gives money back."""

    def refund_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = self.row(request, pk, REFUND)
        form = RefundForm(request.POST if request.method == "POST" else None, invoice=invoice)
        refusal = self._refusal(invoice, form)
        if refusal:
            messages.error(request, texts.error_sentence(refusal))
            return self.back(invoice)
        if not form.is_valid() or "edit" in request.POST:
            return self._form(request, invoice, form)
        if "confirmed" not in request.POST:
            return self._confirm(request, invoice, form)
        return self._give_back(request, invoice, form)

    def _refusal(self, invoice: Invoice, form: RefundForm) -> str:
        """Why nothing can be refunded at all; the service decides again under the lock."""
        if gateway.is_parked(invoice):
            return "parked"
        if not invoice.is_paid:
            return "not_paid"
        return "nothing_left" if form.left <= 0 and not form.is_known() else ""

    def _form(self, request: HttpRequest, invoice: Invoice, form: RefundForm) -> HttpResponse:
        facts = [
            (_("Order"), invoice.shop_reference),
            (_("Customer"), invoice.customer.get("name") or shown.NOTHING),
            (_("Paid"), shown.money(invoice.paid_amount)),
            (_("Left to refund"), shown.money(form.left)),
        ]
        title = _("Refund")
        return self.ask(request, "sadadpay/admin/refund.html", invoice, form=form, facts=facts, title=title)

    def _confirm(self, request: HttpRequest, invoice: Invoice, form: RefundForm) -> HttpResponse:
        amount: Decimal = form.cleaned_data["amount"]
        values = {"amount": shown.plain_money(amount), "order": invoice.shop_reference}
        return self.ask(
            request,
            "sadadpay/admin/refund_confirm.html",
            invoice,
            form=form.read_only(),
            title=_now("Refund %(amount)s of order %(order)s?") % values,
            lines=list(_consequences(invoice, form)),
            reason=form.cleaned_data["reason"],
        )

    def _give_back(self, request: HttpRequest, invoice: Invoice, form: RefundForm) -> HttpResponse:
        known = form.is_known()
        values = {name: form.cleaned_data[name] for name in ("amount", "reason", "key")}
        made: list[Refund] = []
        if self.attempt(
            request, lambda: made.append(refunds.refund(invoice, **values, by=self.person(request)))
        ):
            level, sentence = words.refund_end(made[0])
            messages.add_message(request, getattr(messages, level.upper()), sentence)
            if not known:
                self._remember(request, invoice, made[0])
        return self.back(invoice)

    def _remember(self, request: HttpRequest, invoice: Invoice, refund: Refund) -> None:
        """Django's own history: stored as data, so that each reader sees it in their language."""
        entry = {"name": "refund", "object": f"{refund.amount:.3f} KWD ({refund.pk})"}
        self.log_change(request, invoice, [{"added": entry}])


def _consequences(invoice: Invoice, form: RefundForm) -> list[str]:
    """What confirming will do, a sentence each."""
    left = max(form.left - form.cleaned_data["amount"], Decimal(0))
    lines = [
        _now("Sadad gives the money back from your balance, in the way it was paid."),
        _now("%(amount)s will be left to refund.") % {"amount": shown.plain_money(left)},
        _now("This cannot be undone."),
    ]
    if invoice.refunds.filter(state__in=(Refund.State.REQUESTED, *Refund.IN_FLIGHT)).exists():
        lines.append(_now("Another refund of this invoice is on its way; this one waits for it."))
    return lines
