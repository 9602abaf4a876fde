"""Invoices: what was asked for, paid and refunded, and the three things that staff can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_sadadpay import texts
from django_sadadpay.admin import filters, mirror_shown, parts, shown
from django_sadadpay.admin.base import REFUND, VERIFY, VIEW_CUSTOMER_DATA, allowed, link
from django_sadadpay.admin.refunding import RefundPages
from django_sadadpay.models import Invoice
from django_sadadpay.money import KWD
from django_sadadpay.registry import payables
from django_sadadpay.services import adoption, gateway, refunds
from django_sadadpay.services.checkout import cancel
from django_sadadpay.services.verify import verify

CANCEL = "sadadpay.change_invoice"
_LANGUAGES = {"en": "English", "ar": "العربية"}
_OPEN = Invoice.State.OPEN
#: Facts that asking Sadad can change, for Django's history.
_WATCHED = ("state", "status_text", "paid_amount", "refunded_amount", "handled_at", "pay_url")


@admin.register(Invoice)
class InvoiceAdmin(RefundPages):
    pages = {"refund": "", "verify": "", "cancel": ""}
    inlines = [
        parts.CaseInline,
        parts.RefundInline,
        parts.AttemptInline,
        parts.LineInline,
        parts.LedgerInline,
    ]
    list_display = (
        "numbers",
        "shown_state",
        "shown_amount",
        "shown_paid",
        "shown_refunded",
        "created",
    )
    list_display_links = ("numbers",)
    list_filter = [
        filters.WaitingFilter,
        "state",
        filters.AccountFilter,
        filters.EnvironmentFilter,
        "created_at",
    ]
    sortable_by = ("created",)
    search_fields = ("reference", "shop_reference", "sadad_id", "transaction_id")
    open_lookups = (
        "pk",
        "id",
        "reference",
        "shop_reference",
        "payable",
        "object_id",
        "purpose",
        "sadad_id",
        "made_from",
    )
    fieldsets = [
        (None, {"fields": (("shown_state", "order", "purpose", "kind", "maker"), ("reference", "why"))}),
        (
            _("Money"),
            {
                "fields": (
                    ("shown_amount", "shop_price"),
                    ("shown_paid", "shown_refunded", "shown_left"),
                    ("payment_method", "shown_transaction"),
                )
            },
        ),
        (_("Pay link"), {"fields": ("pay_link", ("expires_at", "shown_language"))}),
        (_("Customer"), {"fields": (("customer_name", "customer_mobile", "customer_email"),)}),
        (
            _("At Sadad"),
            {
                "fields": (
                    ("account", "environment"),
                    ("shown_sadad_id", "shown_ref_number"),
                    ("status_text", "looked"),
                )
            },
        ),
        (_("Times"), {"fields": (("created_at", "paid_at", "handled_at", "next_check_at"),)}),
    ]
    _raw_fieldset = (_("Last reply"), {"fields": ("shown_raw",), "classes": ("collapse",)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        rows: QuerySet[Invoice] = super().get_queryset(request)
        annotated: QuerySet[Invoice] = rows.annotate(waits=filters.waits_for_a_person())
        return annotated

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Searching for a phone tells whose it is: only for those who may see it."""
        if allowed(request, VIEW_CUSTOMER_DATA):
            return (*self.search_fields, "customer__mobile")
        return self.search_fields

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        may_see = allowed(request, VIEW_CUSTOMER_DATA)
        changelist.search_help_text = (
            _now("Reference, order, Sadad id, transaction or phone")
            if may_see
            else _now("Reference, order, Sadad id or transaction")
        )
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Invoice | None = None) -> list[Any]:
        may_see = allowed(request, VIEW_CUSTOMER_DATA)
        swap = _UNMASKED if may_see else {}
        fieldsets = [(title, _rows(options, obj, swap)) for title, options in self.fieldsets]
        return [*fieldsets, self._raw_fieldset] if may_see else fieldsets

    def surroundings(self, request: HttpRequest, row: Invoice | None) -> dict[str, Any]:
        """The buttons lead to the pages below, which are not in this view's transaction."""
        if row is None:
            return {}
        return {"title": _("Invoice"), "tools": self._tools(request, row), "notes": self._notes(row)}

    def _tools(self, request: HttpRequest, invoice: Invoice) -> list[dict[str, Any]]:
        """What this person may do to this invoice now."""
        if gateway.is_parked(invoice):
            return []
        tools: list[dict[str, Any]] = []
        if allowed(request, REFUND) and invoice.is_paid and refunds.left(invoice) > 0:
            tools.append({"url": self.link("refund", invoice.pk), "label": _("Refund")})
        if allowed(request, VERIFY) and invoice.sadad_id is not None:
            url = self.link("verify", invoice.pk)
            tools.append({"url": url, "label": _("Verify with Sadad now"), "post": True})
        if allowed(request, CANCEL) and invoice.state == _OPEN:
            tools.append({"url": self.link("cancel", invoice.pk), "label": _("Cancel invoice")})
        return tools

    def _notes(self, invoice: Invoice) -> list[dict[str, str]]:
        """What must be read first: why somebody is needed."""
        notes = [
            {
                "text": texts.attention_sentence(case.code, case.params),
                "url": link(self.admin_site.name, "attention", "change", case.pk),
            }
            for case in invoice.attention.filter(resolved_at=None)
        ]
        if gateway.is_parked(invoice):
            notes.append({"text": texts.error_sentence("parked"), "url": ""})
        return notes

    # Pages of our own

    def verify_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: ask Sadad now."""
        invoice = self.row(request, pk, VERIFY)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if self.attempt(request, lambda: verify(invoice, by=self.person(request))):
            self._report(request, invoice, _("Sadad was asked; what it says is shown below."))
        return self.back(invoice)

    def cancel_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET asks, POST cancels."""
        invoice = self.row(request, pk, CANCEL)
        if request.method != "POST":
            return self._ask_to_cancel(request, invoice)
        if self.attempt(request, lambda: cancel(invoice, by=self.person(request))):
            self._report(request, invoice, _("The invoice was cancelled at Sadad."))
        return self.back(invoice)

    def _ask_to_cancel(self, request: HttpRequest, invoice: Invoice) -> HttpResponse:
        if invoice.state != _OPEN:
            messages.error(request, texts.error_sentence("not_open"))
            return self.back(invoice)
        title = _now("Cancel the invoice of order %(order)s?") % {"order": invoice.shop_reference}
        lines = [
            _now("Its pay link stops working and the order is told."),
            _now("If the buyer has just paid, it stays paid."),
        ]
        context = {"title": title, "lines": lines, "submit": _("Cancel invoice")}
        return self.ask(request, "sadadpay/admin/confirm.html", invoice, **context)

    def _report(self, request: HttpRequest, before: Invoice, sentence: Any) -> None:
        """Tell, and keep in Django's history which facts changed."""
        after = Invoice.objects.get(pk=before.pk)
        changed = [name for name in _WATCHED if getattr(before, name) != getattr(after, name)]
        with translation.override(None):
            titles = [shown.title(Invoice, name) for name in changed]
        self.log_change(request, after, [{"changed": {"fields": titles}}] if titles else [])
        messages.success(request, sentence)

    # Columns and fields

    @admin.display(description=_("order"))
    def numbers(self, invoice: Invoice) -> SafeString:
        """The shop's number and Sadad's reference, in one column: the list fits on a small screen."""
        return format_html("{}<br><small>{}</small>", invoice.shop_reference, shown.code(invoice.reference))

    @admin.display(description=_("state"))
    def shown_state(self, invoice: Any) -> SafeString:
        state = shown.badge(invoice.state, invoice.get_state_display())
        if not invoice.waits:
            return state
        return format_html("{} {}", state, shown.warning(_("needs a person")))

    @admin.display(description=_("amount"))
    def shown_amount(self, invoice: Invoice) -> SafeString:
        return shown.money(invoice.amount)

    @admin.display(description=_("paid"))
    def shown_paid(self, invoice: Invoice) -> SafeString | str:
        return shown.money(invoice.paid_amount) if invoice.is_paid else shown.NOTHING

    @admin.display(description=_("refunded"))
    def shown_refunded(self, invoice: Invoice) -> SafeString | str:
        return shown.money(invoice.refunded_amount) if invoice.refunded_amount else shown.NOTHING

    @admin.display(description=_("created"), ordering="pk")
    def created(self, invoice: Invoice) -> str:
        return shown.short(invoice.created_at)

    @admin.display(description=_("left to refund"))
    def shown_left(self, invoice: Invoice) -> SafeString | str:
        return shown.money(refunds.left(invoice)) if invoice.is_paid else shown.NOTHING

    @admin.display(description=_("shop's price"))
    def shop_price(self, invoice: Invoice) -> SafeString:
        return shown.money(invoice.shop_amount, invoice.shop_currency)

    @admin.display(description=_("order"))
    def order(self, invoice: Invoice) -> SafeString | str:
        payable = payables.get(invoice.payable)
        if not invoice.payable:
            return invoice.shop_reference  # Sadad made it: no order of the shop's is known
        label = f"{invoice.shop_reference} ({invoice.payable} {invoice.object_id})"
        if payable is None or payable.model is None:
            return label
        meta = payable.model._meta
        try:
            name = f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_change"
            return shown.link(reverse(name, args=[invoice.object_id]), label)
        except NoReverseMatch:
            return label  # the shop does not show its orders in this admin

    @admin.display(description=_("made from"))
    def maker(self, invoice: Invoice) -> SafeString | str:
        """What made it at Sadad, for an invoice that was taken over."""
        if invoice.made_from == adoption.PANEL:
            return _now("Sadad's panel")
        return mirror_shown.named(self.admin_site.name, invoice.made_from)

    @admin.display(description=_("error"))
    def why(self, invoice: Invoice) -> str:
        return texts.error_sentence(invoice.error_code)

    @admin.display(description=_("transaction"))
    def shown_transaction(self, invoice: Invoice) -> SafeString | str:
        return shown.code(invoice.transaction_id)

    @admin.display(description=_("pay link"))
    def pay_link(self, invoice: Invoice) -> SafeString | str:
        return shown.copyable(invoice.pay_url)

    @admin.display(description=_("language"))
    def shown_language(self, invoice: Invoice) -> str:
        return _LANGUAGES.get(invoice.language, invoice.language)

    @admin.display(description=_("name"))
    def customer_name(self, invoice: Invoice) -> str:
        return invoice.customer.get("name") or shown.NOTHING

    @admin.display(description=_("phone"))
    def customer_mobile(self, invoice: Invoice) -> SafeString | str:
        return shown.personal(invoice.customer.get("mobile"), may_see=False)

    @admin.display(description=_("e-mail"))
    def customer_email(self, invoice: Invoice) -> SafeString | str:
        return shown.personal(invoice.customer.get("email"), may_see=False)

    @admin.display(description=_("phone"))
    def shown_mobile(self, invoice: Invoice) -> SafeString | str:
        return shown.personal(invoice.customer.get("mobile"), may_see=True)

    @admin.display(description=_("e-mail"))
    def shown_email(self, invoice: Invoice) -> SafeString | str:
        return shown.personal(invoice.customer.get("email"), may_see=True)

    @admin.display(description=_("Sadad id"))
    def shown_sadad_id(self, invoice: Invoice) -> SafeString | str:
        return shown.code(invoice.sadad_id)

    @admin.display(description=_("reference at Sadad"))
    def shown_ref_number(self, invoice: Invoice) -> SafeString | str:
        return shown.code(invoice.ref_number)

    @admin.display(description=_("last asked"))
    def looked(self, invoice: Invoice) -> str:
        return shown.moment(invoice.fetch_ended_at)

    @admin.display(description=_("last reply"))
    def shown_raw(self, invoice: Invoice) -> SafeString | str:
        return shown.data(invoice.raw)


_UNMASKED = {"customer_mobile": "shown_mobile", "customer_email": "shown_email"}


def _rows(options: Mapping[str, Any], invoice: Invoice | None, swap: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a fieldset, without what says nothing of this invoice."""
    silent = _silent(invoice) if invoice is not None else set()
    rows: list[Any] = []
    for row in options["fields"]:
        names = (row,) if isinstance(row, str) else row
        rows.append(tuple(swap.get(name, name) for name in names if name not in silent))
    return {**options, "fields": tuple(rows)}


def _silent(invoice: Invoice) -> set[str]:
    ordinary = {
        "purpose": not invoice.purpose,
        "kind": invoice.kind == "Invoice",
        "maker": not invoice.made_from,
        "why": not invoice.error_code,
        "shop_price": invoice.shop_currency == KWD,
    }
    return {name for name, is_ordinary in ordinary.items() if is_ordinary}
