"""What our admin pages share: nothing is changed in them, counted without end, or found behind a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin, _TabularInline, _Paginator = admin.ModelAdmin, admin.TabularInline, Paginator

VIEW_CUSTOMER_DATA = "sadadpay.view_customer_data"
REFUND, VERIFY = "sadadpay.refund_invoice", "sadadpay.verify_invoice"


def allowed(request: HttpRequest, *permissions: str) -> bool:
    return request.user.has_perms(permissions)


class CappedPaginator(_Paginator):
    """Counts no further than anybody pages: a full COUNT(*) takes seconds on millions of rows."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        # values() leaves out what is only worked out to be shown.
        return int(rows.values("pk")[: self.MOST].count())


class ReadOnlyAdmin(_ModelAdmin):
    """A list and a page that show and change nothing. Nothing about money is added or deleted by staff."""

    actions: Any = None
    list_per_page = 50
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    change_form_template = "sadadpay/admin/detail.html"
    #: Columns that may be named in the address beside the filters', each with an exact value.
    open_lookups: ClassVar[tuple[str, ...]] = ("pk", "id")

    class Media:
        css = {"all": ["sadadpay/admin.css"]}
        js = ["sadadpay/admin.js"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [str(name) for name in flatten_fieldsets(self.get_fieldsets(request, obj))]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Django allows every column in the address: ``?customer__mobile=`` would unmask a phone."""
        if lookup.removesuffix("__exact") in self.open_lookups:
            return True
        filters = [getattr(item, "parameter_name", item) for item in self.list_filter]
        return lookup.partition("__")[0] in filters

    def surroundings(self, request: HttpRequest, row: Any | None) -> dict[str, Any]:
        """What stands around a row on its page: title, tools, notes. None: there is no such row."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        around = self.surroundings(request, self.get_object(request, object_id))
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **around})

    def link(self, name: str, *args: Any) -> str:
        """The address of one of this model's pages (``changelist``, ``change``, or one of our own)."""
        return link(self.admin_site.name, self.opts.model_name or "", name, *args)


class PartInline(_TabularInline):
    """Rows that are a part of what is shown: whoever may see the whole may see them."""

    template = "sadadpay/admin/part.html"
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


def link(site: str, model: str, name: str, *args: Any) -> str:
    return reverse(f"{site}:sadadpay_{model}_{name}", args=args)
