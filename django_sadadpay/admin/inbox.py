"""The inbox: webhook calls as they came, and another try."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin import filters, shown, words
from django_sadadpay.admin.base import VIEW_CUSTOMER_DATA, allowed, link
from django_sadadpay.admin.pages import PagesAdmin
from django_sadadpay.models import WebhookEvent
from django_sadadpay.services import inbox

CHANGE = "sadadpay.change_webhookevent"
State = WebhookEvent.State


@admin.register(WebhookEvent)
class WebhookEventAdmin(PagesAdmin):
    pages = {"retry": ""}
    list_display = (
        "received",
        "shown_state",
        "shown_sadad_id",
        "subject",
        "count",
        "tries",
        "why",
        "account",
    )
    list_filter = ["state", filters.AccountFilter, filters.EnvironmentFilter, "received_at"]
    list_select_related = ("invoice",)
    sortable_by = ("received",)
    search_fields = ("sadad_id", "invoice__reference", "invoice__shop_reference")
    search_help_text = _("Sadad id, reference or order")
    open_lookups = ("pk", "id", "sadad_id", "invoice", "invoice__id")
    fieldsets = [
        (
            None,
            {"fields": (("shown_state", "why"), ("shown_sadad_id", "subject"), ("account", "environment"))},
        ),
        (_("Times"), {"fields": (("received_at", "handled_at", "next_try_at"), ("count", "tries"))}),
        (_("Body"), {"fields": ("masked_body",)}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEvent | None = None) -> list[Any]:
        body = "shown_body" if allowed(request, VIEW_CUSTOMER_DATA) else "masked_body"
        return [*self.fieldsets[:-1], (_("Body"), {"fields": (body,)})]

    def surroundings(self, request: HttpRequest, row: WebhookEvent | None) -> dict[str, Any]:
        tools = []
        if row is not None and _may_be_retried(row) and allowed(request, CHANGE):
            tools.append({"url": self.link("retry", row.pk), "label": _("Try again"), "post": True})
        return {"title": _("Webhook call"), "tools": tools}

    def retry_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: look at the call's invoice now."""
        event = self.row(request, pk, CHANGE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if self.attempt(request, lambda: inbox.retry(event.pk)):
            event.refresh_from_db()
            self.log_change(request, event, [{"changed": {"fields": ["state"]}}])
            level = messages.SUCCESS if event.state in (State.DONE, State.FOREIGN) else messages.WARNING
            messages.add_message(request, level, _said(event))
        return self.back(event)

    @admin.display(description=_("received"), ordering="pk")
    def received(self, event: WebhookEvent) -> str:
        return shown.short(event.received_at)

    @admin.display(description=_("state"))
    def shown_state(self, event: WebhookEvent) -> SafeString:
        return shown.badge(event.state, event.get_state_display())

    @admin.display(description=_("Sadad id"))
    def shown_sadad_id(self, event: WebhookEvent) -> SafeString | str:
        return shown.code(event.sadad_id)

    @admin.display(description=_("invoice"))
    def subject(self, event: WebhookEvent) -> SafeString | str:
        if event.invoice is None:
            return shown.NOTHING
        url = link(self.admin_site.name, "invoice", "change", event.invoice.pk)
        return shown.link(url, event.invoice.shop_reference)

    @admin.display(description=_("error"))
    def why(self, event: WebhookEvent) -> str:
        return words.event_error(event.error_code)

    @admin.display(description=_("body"))
    def masked_body(self, event: WebhookEvent) -> str:
        return shown.MASK if event.body else shown.NOTHING

    @admin.display(description=_("body"))
    def shown_body(self, event: WebhookEvent) -> SafeString | str:
        return shown.data(event.body)


def _may_be_retried(event: WebhookEvent) -> bool:
    return event.state in (State.WAITING, State.DEAD) and bool(event.sadad_id)


def _said(event: WebhookEvent) -> str:
    label = str(event.get_state_display())
    return f"{label}: {words.event_error(event.error_code)}" if event.error_code else label
