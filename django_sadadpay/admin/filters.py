"""List filters that cost no look over the whole table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_sadadpay import conf
from django_sadadpay.models import Attention, GatewayToken, Invoice

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList


def waits_for_a_person() -> Exists:
    """Whether an invoice has an open case."""
    return Exists(Attention.objects.filter(invoice=OuterRef("pk"), resolved_at=None))


class AccountFilter(admin.SimpleListFilter):
    """Accounts of the settings, and those that had a token before: a handful of rows."""

    title = _("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = set(GatewayToken.objects.values_list("account", flat=True))
        return [(name, name) for name in sorted(known | set(conf.current().accounts))]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(account=self.value()) if self.value() else queryset


class EnvironmentFilter(admin.SimpleListFilter):
    title = _("environment")
    parameter_name = "environment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in conf.ENVIRONMENTS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(environment=self.value()) if self.value() else queryset


class WaitingFilter(admin.SimpleListFilter):
    """Invoices of which something waits for a person."""

    title = _("waits for a person")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(waits_for_a_person() if self.value() == "yes" else ~waits_for_a_person())


class OpenFilter(admin.SimpleListFilter):
    """Cases that are still open, unless asked otherwise."""

    title = _("state")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("closed", _("Dealt with")), ("all", _("All"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        choices = super().choices(changelist)
        yield {**next(choices), "display": _("Waiting")}
        yield from choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attention]) -> QuerySet[Attention]:
        if self.value() == "all":
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() != "closed")
