"""Staff see orders and keep the catalogue. Money moves only in django-sadadpay's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models import Invoice
from example_project.shop.models import (
    Box,
    Category,
    Customer,
    Delivery,
    Note,
    Order,
    OrderLine,
    Product,
    Subscriber,
)

if TYPE_CHECKING:
    OrderAdminBase = admin.ModelAdmin[Order]
    ProductAdminBase = admin.ModelAdmin[Product]
    CategoryAdminBase = admin.ModelAdmin[Category]
    BoxAdminBase = admin.ModelAdmin[Box]
    CustomerAdminBase = admin.ModelAdmin[Customer]
    SubscriberAdminBase = admin.ModelAdmin[Subscriber]
    LineInlineBase = admin.TabularInline[OrderLine, Order]
    NoteInlineBase = admin.TabularInline[Note, Order]
    DeliveryInlineBase = admin.TabularInline[Delivery, Subscriber]
else:
    OrderAdminBase = ProductAdminBase = CategoryAdminBase = BoxAdminBase = admin.ModelAdmin
    CustomerAdminBase = SubscriberAdminBase = admin.ModelAdmin
    LineInlineBase = NoteInlineBase = DeliveryInlineBase = admin.TabularInline


class _ReadOnly:
    """What an order says is written by the shop, never by hand."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False


class LineInline(_ReadOnly, LineInlineBase):
    model = OrderLine


class NoteInline(_ReadOnly, NoteInlineBase):
    model = Note
    readonly_fields = ("at",)


@admin.register(Order)
class OrderAdmin(_ReadOnly, OrderAdminBase):
    list_display = ("number", "customer", "amount", "status", "refunded", "created_at")
    list_filter = ("status",)
    search_fields = ("customer__name", "customer__phone", "customer__email")
    readonly_fields = ("number", "invoices", "created_at")
    inlines = [LineInline, NoteInline]

    @admin.display(description=_("number"), ordering="pk")
    def number(self, order: Order) -> str:
        return order.number

    @admin.display(description=_("invoices"))
    def invoices(self, order: Order) -> str:
        """Where staff see the payment and refund it."""
        rows = Invoice.objects.for_object(order)
        return format_html(
            "<br>".join(["{}"] * len(rows)) or "–",
            *(format_html('<a href="{}">{}</a> {}', _admin_url(x), x, x.get_state_display()) for x in rows),
        )


def _admin_url(invoice: Invoice) -> str:
    return reverse("admin:sadadpay_invoice_change", args=[invoice.pk])


# Nothing here speaks of Sadad: saving and deleting is enough (``sadadpay.py``).


@admin.register(Category)
class CategoryAdmin(CategoryAdminBase):
    list_display = ("name_en", "name_ar", "position")


@admin.register(Product)
class ProductAdmin(ProductAdminBase):
    list_display = ("name_en", "name_ar", "category", "price", "position")
    list_filter = ("category",)
    prepopulated_fields = {"slug": ("name_en",)}


@admin.register(Box)
class BoxAdmin(BoxAdminBase):
    list_display = ("name_en", "name_ar", "price", "months")
    prepopulated_fields = {"slug": ("name_en",)}


@admin.register(Customer)
class CustomerAdmin(CustomerAdminBase):
    list_display = ("name", "phone", "email")
    search_fields = ("name", "phone", "email")


class DeliveryInline(_ReadOnly, DeliveryInlineBase):
    model = Delivery
    readonly_fields = ("at",)


@admin.register(Subscriber)
class SubscriberAdmin(_ReadOnly, SubscriberAdminBase):
    list_display = ("number", "customer", "box", "is_over", "created_at")
    inlines = [DeliveryInline]
