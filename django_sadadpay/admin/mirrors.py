"""The admin of what a merchant keeps at Sadad: one base class for all kinds.

Saving wants something and returns at once; background work sends it, and a badge says how far it is. What
calls Sadad has a page of its own, outside any transaction (``mirror_pages``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten
from django.db.models import QuerySet
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_sadadpay import conf, texts
from django_sadadpay.admin import filters, mirror_forms, mirror_shown, shown
from django_sadadpay.admin import mirror_words as words
from django_sadadpay.admin.base import VIEW_CUSTOMER_DATA, allowed, link
from django_sadadpay.admin.mirror_pages import MirrorPages
from django_sadadpay.models import Attention, Mirror
from django_sadadpay.registry import DraftError, mirrors
from django_sadadpay.services import attention, gateway

State = Mirror.State


class MirrorAdmin(MirrorPages):
    """Base of the kinds' admins.

    A kind says its ``layout`` (the form: title and rows of the draft's fields), its ``columns`` (the list's,
    before the badge) and what else is shown of it (``facts``, ``parts``).
    """

    change_form_template = "sadadpay/admin/mirror.html"
    add_form_template = "sadadpay/admin/mirror.html"
    layout: ClassVar[Sequence[tuple[Any, Sequence[Any]]]] = ()
    columns: ClassVar[Sequence[Any]] = ()
    #: Fields of the draft that only one of the two forms has.
    only_added: ClassVar[frozenset[str]] = frozenset({"reference"})
    only_changed: ClassVar[frozenset[str]] = frozenset()
    #: Read-only facts of a row, in fieldsets after the form.
    facts: ClassVar[Sequence[tuple[Any, Sequence[Any]]]] = ()
    #: Columns that are searched by those who may see personal data only.
    personal_search: ClassVar[tuple[str, ...]] = ()
    sortable_by = ()
    list_filter = ["state", filters.AccountFilter, filters.EnvironmentFilter]
    open_lookups: ClassVar[tuple[str, ...]] = ("pk", "id", "sadad_id", "source", "object_id")
    _AT_SADAD = (
        ("account", "environment"),
        ("shown_sadad_id", "shown_key", "shown_code"),
        ("synced", "next_try", "tries"),
    )

    # Who may do what

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A row can be edited while it is staff's own: not the shop's, not one that is to go."""
        may = admin.ModelAdmin.has_change_permission(self, request, obj)
        return may and (obj is None or is_editable(obj))

    def _hidden(self, request: HttpRequest) -> tuple[str, ...]:
        """Fields that this person may not see."""
        return () if allowed(request, VIEW_CUSTOMER_DATA) else self.model.PERSONAL

    # The list

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        hidden = self._hidden(request)
        columns = [mirror_shown.masked(self.model, c) if c in hidden else c for c in self.columns]
        return [*columns, "state_and_why", "last"]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Searching for a phone tells whose it is: only for those who may see it."""
        personal = self.personal_search if allowed(request, VIEW_CUSTOMER_DATA) else ()
        return (*self.search_fields, "sadad_id", "sadad_key", "code", *personal)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Where another object is chosen, what is to go is not on offer."""
        if request.path.endswith("/autocomplete/"):
            queryset = queryset.filter(wanted=Mirror.Wanted.PRESENT)
        return super().get_search_results(request, queryset, search_term)

    # The form

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return modelform_factory(self.model, fields=())
        names = [name for name in self._names(obj) if name != "account"]
        return mirror_forms.form_for(self.kind, names, self.admin_site, obj, self._hidden(request))

    def _names(self, obj: Any) -> list[str]:
        """The draft's fields on this form."""
        listed = flatten([row for _title, rows in self.layout for row in rows])
        away = self.only_changed if obj is None else self.only_added
        return [str(name) for name in listed if name not in away]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return [*self._account_set(), *self._form_sets(request, obj)]
        if self.has_change_permission(request, obj):
            body = self._form_sets(request, obj)
        else:
            body = [(None, {"fields": ("wanted_seen" if not self._hidden(request) else "wanted_masked",)})]
        state = ("shown_state", "shown_error") if obj.error else ("shown_state",)
        head = (None, {"fields": (state,)})
        facts = [(title, {"fields": tuple(rows)}) for title, rows in self.facts]
        tail: list[Any] = [(_("At Sadad"), {"fields": self._AT_SADAD})]
        if allowed(request, VIEW_CUSTOMER_DATA):
            tail.append((_("Last reply"), {"fields": ("shown_reply",), "classes": ("collapse",)}))
        return [head, *body, *facts, *tail]

    def _account_set(self) -> list[Any]:
        return [(None, {"fields": ("account",)})] if len(conf.current().accounts) > 1 else []

    def _form_sets(self, request: HttpRequest, obj: Any) -> list[Any]:
        names = set(self._names(obj)) - set(self._hidden(request) if obj is not None else ())
        sets: list[Any] = []
        for title, rows in self.layout:
            kept = [tuple(n for n in ([row] if isinstance(row, str) else row) if n in names) for row in rows]
            if any(kept):
                sets.append((title, {"fields": tuple(row for row in kept if row)}))
        if obj is not None and self._hidden(request):
            sets.append((_("Personal data"), {"fields": ("personal_masked",)}))
        return sets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What is shown beside the form. Where nothing can be edited, Django shows every field read-only."""
        mine = {*self._names(obj), *(("account",) if obj is None else ())}
        return [name for name in super().get_readonly_fields(request, obj) if name not in mine]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Inside the admin's transaction: the wish is stored, and sent after the commit by somebody else."""
        form.store()
        obj.refresh_from_db()
        if obj.state != State.SYNCED:
            messages.info(
                request, _now("Stored. It is sent to Sadad by itself; the badge says how far it is.")
            )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DraftError as error:  # what it needs was changed by somebody else since the form was checked
            problem = f"{words.field(error.field)}: {words.problem(error.problem)}"
            messages.error(request, problem)
            return HttpResponseRedirect(request.get_full_path())

    def surroundings(self, request: HttpRequest, row: Mirror | None) -> dict[str, Any]:
        if row is None:
            return {}
        cases = list(Attention.objects.filter(subject=attention.subject_of(row), resolved_at=None))
        return {
            "tools": [*self.tools(request, row), *self.case_tools(request, cases)],
            "notes": list(self.notes(row, cases)),
            "hints": list(self.hints(row)),
            "parts": list(self.parts(request, row)),
        }

    # What stands around the form

    def case_tools(self, request: HttpRequest, cases: Iterable[Attention]) -> Iterator[dict[str, Any]]:
        """What resolves the row's cases; to try again is to push."""
        known: Any = self.admin_site.get_model_admin(Attention)
        for case in cases:
            again = link(self.admin_site.name, "attention", "act", case.pk, "retry")
            yield from (tool for tool in known.tools(request, case) if tool["url"] != again)

    def notes(self, row: Mirror, cases: Iterable[Attention]) -> Iterator[dict[str, str]]:
        """Why somebody is needed."""
        for case in cases:
            url = link(self.admin_site.name, "attention", "change", case.pk)
            yield {"text": texts.attention_sentence(case.code, case.params), "url": url}
        if gateway.is_parked(row):
            yield {"text": texts.error_sentence("parked"), "url": ""}

    def hints(self, row: Mirror) -> Iterator[dict[str, str]]:
        """Why it cannot be edited here."""
        if row.source:
            label, url = self.source(row)
            yield {
                "text": _now("Kept in step with the shop's %(object)s; change it there.") % {"object": label},
                "url": url,
            }
        elif row.state == State.DELETED:
            yield {"text": _now("It was deleted at Sadad."), "url": ""}
        elif not row.is_wanted:
            yield {"text": _now("It is to be deleted at Sadad."), "url": ""}

    def source(self, row: Mirror) -> tuple[str, str]:
        """The shop's object by kind and number (its name may be a person's), and its page if it has one."""
        mirrored = mirrors.get(row.source)
        if mirrored is None:
            return f"{row.source} {row.object_id}", ""
        meta = mirrored.model._meta
        label = f"{meta.verbose_name} {row.object_id}"
        try:
            name = f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_change"
            return label, reverse(name, args=[row.object_id])
        except NoReverseMatch:
            return label, ""

    def parts(self, request: HttpRequest, row: Any) -> Iterable[dict[str, Any]]:
        """Tables below the form: ``{"title", "columns", "rows"}``."""
        return ()

    # Columns and facts

    @admin.display(description=_("state"))
    def shown_state(self, row: Mirror) -> SafeString:
        return shown.badge(row.state, words.state(row))

    @admin.display(description=_("state"))
    def state_and_why(self, row: Mirror) -> SafeString:
        """For the list: why the last push did not work stands below the badge."""
        badge, why = self.shown_state(row), words.error(row)
        return format_html("{}<br><small>{}</small>", badge, why) if why else badge

    @admin.display(description=_("last in step"))
    def last(self, row: Mirror) -> str:
        return shown.NOTHING if row.synced_at is None else shown.short(row.synced_at)

    @admin.display(description=_("error"))
    def shown_error(self, row: Mirror) -> str:
        return words.error(row) or shown.NOTHING

    @admin.display(description=_("reference"))
    def shown_reference(self, row: Any) -> SafeString | str:
        return shown.code(row.ref_number)

    @admin.display(description=_("Sadad id"))
    def shown_sadad_id(self, row: Mirror) -> SafeString | str:
        return shown.code(row.sadad_id)

    @admin.display(description=_("Sadad key"))
    def shown_key(self, row: Mirror) -> SafeString | str:
        return shown.code(row.sadad_key)

    @admin.display(description=_("code at Sadad"))
    def shown_code(self, row: Mirror) -> SafeString | str:
        return shown.code(row.code)

    @admin.display(description=_("last in step"))
    def synced(self, row: Mirror) -> str:
        return shown.moment(row.synced_at)

    @admin.display(description=_("next try"))
    def next_try(self, row: Mirror) -> str:
        return shown.moment(row.next_try_at)

    @admin.display(description=_("wanted"))
    def wanted_seen(self, row: Mirror) -> SafeString | str:
        return mirror_shown.wanted(self.kind, row, may_see=True)

    @admin.display(description=_("wanted"))
    def wanted_masked(self, row: Mirror) -> SafeString | str:
        return mirror_shown.wanted(self.kind, row, may_see=False)

    @admin.display(description=_("kept as it is"))
    def personal_masked(self, row: Mirror) -> SafeString | str:
        names = [name for name in self.model.PERSONAL if row.payload.get(name)]
        return mirror_shown.facts((capfirst(words.field(name)), shown.MASK) for name in names)

    @admin.display(description=_("last reply"))
    def shown_reply(self, row: Mirror) -> SafeString | str:
        return shown.data(row.reply)


def is_editable(row: Mirror) -> bool:
    """Staff's own row, wanted, and of the environment in use."""
    return not row.source and row.is_wanted and not gateway.is_parked(row)
