"""Payment links and product links: made here, shown with address and QR code."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin import mirror_shown
from django_sadadpay.admin.mirrors import MirrorAdmin
from django_sadadpay.admin.payer_pages import PayerPageAdmin
from django_sadadpay.models import PaymentLink, ProductLink

_TERMS = (_("Terms"), ("terms_condition_enabled", "terms_condition"))


@admin.register(PaymentLink)
class PaymentLinkAdmin(PayerPageAdmin):
    columns = ("title", mirror_shown.amount(PaymentLink, "amount"), "inactive")
    layout = [
        (None, ("title", ("amount", "currency", "lang"), "comment", "inactive")),
        (_("Open amount"), ("is_open_amount", ("min_amount", "max_amount"))),
        _TERMS,
    ]
    list_filter = [*MirrorAdmin.list_filter, "inactive"]
    search_fields = ("title",)
    search_help_text = _("Title, or id, key or code at Sadad")


@admin.register(ProductLink)
class ProductLinkAdmin(PayerPageAdmin):
    columns = ("name_en", "name_ar", "inactive")
    layout = [(None, ("name_en", "name_ar", "products", "inactive")), _TERMS]
    list_filter = [*MirrorAdmin.list_filter, "inactive"]
    search_fields = ("name_en", "name_ar")
    search_help_text = _("Name, or id, key or code at Sadad")
