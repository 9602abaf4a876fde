"""What is shown of pages on which anybody can pay: address to copy, QR code, the invoices made there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin import mirror_shown, shown
from django_sadadpay.admin.base import link
from django_sadadpay.admin.mirrors import MirrorAdmin
from django_sadadpay.models import Invoice, Mirror
from django_sadadpay.services import attention, pages

#: Invoices shown on the page of what made them.
_SHOWN = 20


class PayerPageAdmin(MirrorAdmin):
    """Base of the kinds that have a page at Sadad."""

    facts: ClassVar[Sequence[tuple[Any, Sequence[Any]]]] = ((_("For payers"), ("shown_address", "shown_qr")),)

    @admin.display(description=_("address"))
    def shown_address(self, row: Mirror) -> SafeString | str:
        return mirror_shown.address(pages.page_of(row))

    @admin.display(description=_("QR code"))
    def shown_qr(self, row: Mirror) -> SafeString | str:
        return mirror_shown.qr(pages.page_of(row))

    def parts(self, request: HttpRequest, row: Any) -> Iterable[dict[str, Any]]:
        return [*super().parts(request, row), self.invoices(row)]

    def invoices(self, row: Mirror) -> dict[str, Any]:
        """The newest invoices that payers made of it, once they are known here."""
        made_from = attention.subject_of(row)
        found = list(Invoice.objects.filter(made_from=made_from).order_by("-pk")[: _SHOWN + 1])
        more = f"{link(self.admin_site.name, 'invoice', 'changelist')}?made_from={made_from}"
        return {
            "title": _("Invoices"),
            "columns": [_("invoice"), _("state"), _("amount"), _("created")],
            "rows": [self._invoice(invoice) for invoice in found[:_SHOWN]],
            "none": _("None is known here yet; they are taken over with the next pull of invoices."),
            "more_url": more if len(found) > _SHOWN else "",
        }

    def _invoice(self, invoice: Invoice) -> tuple[Any, ...]:
        badge = shown.badge(invoice.state, invoice.get_state_display())
        made = shown.short(invoice.created_at)
        return (self.invoice_link(invoice), badge, shown.money(invoice.amount), made)

    def invoice_link(self, invoice: Invoice | None, sadad_id: str = "") -> SafeString | str:
        """An invoice that is known here, or Sadad's id of one that is not."""
        if invoice is None:
            return shown.code(sadad_id)
        label = invoice.shop_reference or invoice.reference
        return shown.link(
            link(self.admin_site.name, "invoice", "change", invoice.pk), format_html("<bdi>{}</bdi>", label)
        )
