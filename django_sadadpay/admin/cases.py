"""What waits for a person: why, in words, and what resolves it (DESIGN rule 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_sadadpay import texts
from django_sadadpay.admin import filters, mirror_shown, shown, words
from django_sadadpay.admin.base import REFUND, VERIFY, allowed, link
from django_sadadpay.admin.pages import PagesAdmin
from django_sadadpay.models import Attention, Mark
from django_sadadpay.services import cases, clock, push, reconcile

CHANGE = "sadadpay.change_attention"
#: What each action needs.
PERMISSIONS: dict[str, tuple[str, ...]] = {
    "verify": (CHANGE, VERIFY),
    "apply": (CHANGE,),
    "retry": (CHANGE,),
    "refund": (REFUND,),
    "happened": (CHANGE, REFUND),
    "did_not_happen": (CHANGE, REFUND),
    "adopt": (CHANGE,),
    "send_again": (CHANGE,),
    "take_theirs": (CHANGE,),
    "keep_ours": (CHANGE,),
    "dismiss": (CHANGE,),
}


def permissions(case: Attention, action: str) -> tuple[str, ...]:
    """What an action needs: for a mirrored object also the permission to change it."""
    kind = case.subject.partition(":")[0]
    own = (f"sadadpay.change_{kind}",) if kind and action != "dismiss" else ()
    return (*PERMISSIONS[action], *own)


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
        help_text=_("What you did, for those who come after you."),
    )


class IdForm(forms.Form):
    note = forms.CharField(
        label=_("Sadad id"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr", "autocomplete": "off"}),
        help_text=_("As Sadad's panel shows it."),
    )


#: Forms of the actions that ask for something.
FORMS: dict[str, type[forms.Form]] = {"adopt": IdForm, "dismiss": NoteForm}


@admin.register(Attention)
class AttentionAdmin(PagesAdmin):
    pages = {"act": "<slug:action>/"}
    change_list_template = "sadadpay/admin/cases.html"
    list_display_links = ("sentence",)
    list_filter = [filters.OpenFilter, filters.AccountFilter, filters.EnvironmentFilter]
    list_select_related = ("invoice", "refund", "event")
    sortable_by = ()
    search_fields = (
        "invoice__reference",
        "invoice__shop_reference",
        "invoice__sadad_id",
        "event__sadad_id",
    )
    search_help_text = _("Reference, order or Sadad id")
    open_lookups = ("pk", "id", "code", "invoice", "invoice__id", "subject")
    fieldsets = [
        (None, {"fields": ("sentence", "about", ("created_at", "account", "environment"))}),
        (_("Resolution"), {"fields": (("end", "by_name", "resolved_at"),)}),
    ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        status = request.GET.get("status")
        ends = ["end"] if status in ("closed", "all") else []
        buttons = [] if status == "closed" else [self._buttons(request)]
        return ["sentence", "about", "since", *ends, *buttons]

    def _buttons(self, request: HttpRequest) -> Callable[[Attention], SafeString]:
        """The column of buttons knows who looks at it."""

        @admin.display(description=_("what resolves it"))
        def resolve(case: Attention) -> SafeString:
            return shown.buttons(self.tools(request, case))

        return resolve

    def tools(self, request: HttpRequest, case: Attention) -> list[dict[str, Any]]:
        """The actions on offer to this person now."""
        return [
            {"url": self._address(case, action), "label": texts.ACTIONS[action]}
            for action in cases.actions(case)
            if allowed(request, *permissions(case, action))
        ]

    def _address(self, case: Attention, action: str) -> str:
        if action == "refund":
            return link(self.admin_site.name, "invoice", "refund", case.invoice_id)
        return self.link("act", case.pk, action)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        mark = Mark.objects.filter(name=reconcile.MARK).first()
        last_run = shown.moment(mark.at if mark else None)
        context = {"title": _("Waiting for a person"), "late": _late(), "last_run": last_run}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def surroundings(self, request: HttpRequest, row: Attention | None) -> dict[str, Any]:
        tools = [] if row is None else self.tools(request, row)
        return {"title": _("Case for a person"), "subtitle": None, "tools": tools}

    # The page that acts

    def act_page(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """GET says what will happen, POST does it."""
        if action not in words.ACTION_HELP:
            raise Http404
        case = self.row(request, pk, *PERMISSIONS[action])
        if not allowed(request, *permissions(case, action)):
            raise PermissionDenied
        if action not in cases.actions(case):
            messages.error(request, texts.error_sentence("no_longer_waiting"))
            return self._to_list()
        form = FORMS.get(action, forms.Form)(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            return self._ask(request, case, action, form)
        if not self._act(request, case, action, form.cleaned_data.get("note", "")):
            return self.back(case)
        return self._to_list()

    def _ask(self, request: HttpRequest, case: Attention, action: str, form: forms.Form) -> HttpResponse:
        context = {
            "title": texts.ACTIONS[action],
            "lines": [texts.attention_sentence(case.code, case.params), words.ACTION_HELP[action]],
            "form": form if action in FORMS else None,
            "submit": texts.ACTIONS[action],
        }
        return self.ask(request, "sadadpay/admin/confirm.html", case, **context)

    def _act(self, request: HttpRequest, case: Attention, action: str, note: str) -> bool:
        if not self.attempt(request, lambda: cases.act(case, action, by=self.person(request), note=note)):
            return False
        case.refresh_from_db()
        entry = [] if case.is_open else [{"changed": {"fields": ["resolution"]}}]
        self.log_change(request, case, entry)
        if case.is_open:
            messages.warning(request, texts.attention_sentence(case.code, case.params))
            return False
        messages.success(request, words.resolution(case.resolution))
        return True

    def _to_list(self) -> HttpResponse:
        return HttpResponseRedirect(self.link("changelist"))

    # Columns and fields

    @admin.display(description=_("reason"))
    def sentence(self, case: Attention) -> str:
        return texts.attention_sentence(case.code, case.params)

    @admin.display(description=_("about"))
    def about(self, case: Attention) -> SafeString | str:
        site = self.admin_site.name
        if case.invoice is not None:
            return shown.link(link(site, "invoice", "change", case.invoice.pk), case.invoice.shop_reference)
        if case.event is not None:
            label = case.event.sadad_id or _("webhook call")
            return shown.link(link(site, "webhookevent", "change", case.event.pk), label)
        if case.subject:
            return mirror_shown.named(site, case.subject)
        return f"{case.account} ({case.environment})"

    @admin.display(description=_("since"))
    def since(self, case: Attention) -> str:
        return shown.short(case.created_at)

    @admin.display(description=_("resolution"))
    def end(self, case: Attention) -> SafeString | str:
        return shown.warning(_("Waiting")) if case.is_open else words.resolution(case.resolution)


def _late() -> str:
    """Said before anything else: without background work nothing else here is up to date (money-flow 7)."""
    now = clock.now()
    late, code = reconcile.is_late(now), "reconcile_late"
    if late is None:
        late, code = push.is_late(now), "push_late"
    return (
        "" if late is None else texts.attention_sentence(code, {"minutes": int(late.total_seconds() // 60)})
    )
