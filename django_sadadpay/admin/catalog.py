"""Categories and products at Sadad."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin import filters, mirror_shown
from django_sadadpay.admin.mirrors import MirrorAdmin
from django_sadadpay.models import Product, ProductCategory


@admin.register(ProductCategory)
class ProductCategoryAdmin(MirrorAdmin):
    columns = ("name_en", "name_ar", "inactive")
    layout = [(None, ("name_en", "name_ar", ("sort", "inactive")))]
    list_filter = [*MirrorAdmin.list_filter, "inactive"]
    search_fields = ("name_en", "name_ar")
    search_help_text = _("Name, or id or code at Sadad")


@admin.register(Product)
class ProductAdmin(MirrorAdmin):
    columns = ("name_en", "name_ar", "category", mirror_shown.amount(Product, "price"))
    layout = [
        (None, ("category", "name_en", "name_ar", "price")),
        (_("Stock"), (("quantity", "stockable", "stockable_show"),)),
        (_("Description"), ("desc_en", "desc_ar")),
    ]
    list_filter = ["state", filters.AccountFilter, filters.EnvironmentFilter]
    list_select_related = ("category",)
    search_fields = ("name_en", "name_ar", "category__name_en")
    search_help_text = _("Name, category, or id or code at Sadad")
    open_lookups = (*MirrorAdmin.open_lookups, "category", "category__id")
