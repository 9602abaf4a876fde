"""What staff can do about one mirrored object besides editing it. Outside any transaction: it calls Sadad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_sadadpay import texts
from django_sadadpay.admin import mirror_forms, mirror_shown, shown
from django_sadadpay.admin import mirror_words as words
from django_sadadpay.admin.base import VIEW_CUSTOMER_DATA, allowed, link
from django_sadadpay.admin.pages import PagesAdmin
from django_sadadpay.models import InvoiceEvent, Mirror
from django_sadadpay.registry import DraftError
from django_sadadpay.services import aligning, deciding, gateway, kinds, mirroring, push
from django_sadadpay.services.aligning import Look
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.ledger import Origin

State = Mirror.State
_UNFINISHED = (State.PENDING, State.FAILED, State.UNKNOWN)
#: So many of those that need an object are named.
_NAMED = 10


class MirrorPages(PagesAdmin):
    """``push``: send it now. ``pull``: take what Sadad has. ``difference``: look, and decide. ``insist``:
    ours counts. ``remove``, ``restore``: want it gone, or again.
    """

    actions = ["push_soon"]
    pages = {"push": "", "pull": "", "difference": "", "insist": "", "remove": "", "restore": ""}

    @property
    def kind(self) -> Kind:
        return kinds.BY_NAME[self.opts.model_name or ""]

    def tools(self, request: HttpRequest, row: Mirror) -> Iterator[dict[str, Any]]:
        """What this person may do to this row now."""
        if gateway.is_parked(row):
            return
        may_change, may_delete = allowed(request, self._may("change")), allowed(request, self._may("delete"))
        if may_change and row.state in _UNFINISHED and (row.sending or not row.held):
            yield {"url": self.link("push", row.pk), "label": _("Push now"), "post": True}
        if may_change and row.sadad_id is not None and row.state != State.DELETED:
            yield {"url": self.link("pull", row.pk), "label": _("Pull now"), "post": True}
            yield {"url": self.link("difference", row.pk), "label": _("Show difference")}
        if may_change and not row.source and not row.is_wanted:
            yield {"url": self.link("restore", row.pk), "label": _("Want it again"), "post": True}
        if may_delete and not row.source and row.is_wanted:
            yield {"url": self.link("remove", row.pk), "label": _("Delete at Sadad")}

    def _may(self, what: str) -> str:
        return f"sadadpay.{what}_{self.opts.model_name}"

    # Push

    def push_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: send it now, with what it needs."""
        row = self.row(request, pk, self._may("change"))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if gateway.is_parked(row):
            messages.error(request, texts.error_sentence("parked"))
        elif self.attempt(request, lambda: push.rows([*needs(row), row])):
            row.refresh_from_db()
            self.log_change(request, row, [{"changed": {"fields": ["state"]}}])
            level, sentence = _said(row)
            messages.add_message(request, level, sentence)
        return self.back(row)

    @admin.action(description=_("Push the selected ones soon"), permissions=["change"])
    def push_soon(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Background work sends them, whatever their next try; nobody waits for Sadad here."""
        chosen = [row for row in rows if row.next_try_at is not None and not gateway.is_parked(row)]
        for row in push.hurry(chosen):
            self.log_change(request, row, [{"changed": {"fields": ["next try"]}}])
        sentence = _now("%(count)s of them are sent by background work now; the others have nothing to send.")
        messages.info(request, sentence % {"count": len(chosen)})

    # Look, and whose word counts

    def pull_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: take what Sadad has. Where ours was changed too, or is the shop's, a person decides first."""
        row = self.row(request, pk, self._may("change"))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        seen = self._look(request, row)
        if seen is None:
            return self.back(row)
        if seen.differs and (row.source or (seen.ours_changed and "confirmed" not in request.POST)):
            return HttpResponseRedirect(self.link("difference", row.pk))
        if self.attempt(request, lambda: deciding.take(row, seen, self._origin(request))):
            titles = sorted(seen.differs)
            self.log_change(request, row, [{"changed": {"fields": titles}}] if titles else [])
            messages.success(request, _taken(titles))
        return self.back(row)

    def difference_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET: ours beside Sadad's, as it is at this moment."""
        row = self.row(request, pk, self._may("change"))
        if row.sadad_id is None:
            messages.error(request, texts.error_sentence("mirror_gone"))
            return self.back(row)
        seen = self._look(request, row)
        if seen is None:
            return self.back(row)
        hidden = () if allowed(request, VIEW_CUSTOMER_DATA) else self.model.PERSONAL
        may_take = not row.source and row.is_wanted
        context = {
            "title": _("Difference to Sadad"),
            "rows": mirror_shown.differences(self.kind, seen.differs, hidden),
            "take_url": self.link("pull", row.pk) if may_take else "",
            "insist_url": self.link("insist", row.pk) if row.is_wanted else "",
        }
        return self.ask(request, "sadadpay/admin/mirror_difference.html", row, **context)

    def insist_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: ours counts, and is sent now."""
        row = self.row(request, pk, self._may("change"))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if gateway.is_parked(row):
            messages.error(request, texts.error_sentence("parked"))
        elif self.attempt(request, lambda: deciding.insist(row, self._origin(request))):
            return self.push_page(request, pk)
        return self.back(row)

    def _look(self, request: HttpRequest, row: Mirror) -> Look | None:
        found: list[Look] = []
        self.attempt(request, lambda: found.append(aligning.look(row)))
        return found[0] if found else None

    def _origin(self, request: HttpRequest) -> Origin:
        return Origin(InvoiceEvent.Source.STAFF, self.person(request))

    # Delete

    def remove_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET asks, or says who needs it; POST wants it gone."""
        row = self.row(request, pk, self._may("delete"))
        if row.source:
            messages.error(request, _("It is kept in step with an object of the shop: delete that one."))
            return self.back(row)
        if mirroring.needed_by(row):
            return self._needed(request, row)
        if request.method != "POST":
            return self._ask_to_remove(request, row)
        if self.attempt(request, lambda: mirroring.remove(row)):
            entry = {"name": str(self.opts.verbose_name), "object": str(row)}
            self.log_change(request, row, [{"deleted": entry}])
            messages.success(request, _("It is deleted at Sadad by itself; the badge says how far it is."))
        return self.back(row)

    def _ask_to_remove(self, request: HttpRequest, row: Mirror) -> HttpResponse:
        context = {
            "title": _now("Delete “%(object)s” at Sadad?") % {"object": row},
            "lines": [_("It is deleted at Sadad. This row stays, so that what was made of it can be read.")],
            "submit": _("Delete at Sadad"),
        }
        return self.ask(request, "sadadpay/admin/confirm.html", row, **context)

    def _needed(self, request: HttpRequest, row: Mirror) -> HttpResponse:
        """Others need it: which, each with its page."""
        counts = ", ".join(f"{count} {name}" for name, count in mirroring.needed_by(row).items())
        context = {
            "title": _now("“%(object)s” cannot be deleted") % {"object": row},
            "lines": [texts.error_sentence("needed", counts), shown.bullets(self._needing(row))],
            "submit": "",
        }
        return self.ask(request, "sadadpay/admin/confirm.html", row, **context)

    def _needing(self, row: Mirror) -> Iterator[SafeString]:
        for model, lookup in kinds.dependants(self.kind):
            rows = model._base_manager.filter(**{lookup: row}, wanted=Mirror.Wanted.PRESENT).distinct()
            for other in rows[:_NAMED]:
                url = link(self.admin_site.name, other.kind, "change", other.pk)
                yield format_html("{}: {}", other._meta.verbose_name, shown.link(url, other))

    def restore_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: want it again, as it was."""
        row = self.row(request, pk, self._may("change"))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if row.source or row.is_wanted or gateway.is_parked(row):
            messages.error(request, texts.error_sentence("no_longer_waiting"))
            return self.back(row)
        try:
            mirroring.change(row, mirror_forms.wanted_again(self.kind, row))
        except DraftError as error:
            messages.error(request, f"{words.field(error.field)}: {words.problem(error.problem)}")
        else:
            self.log_change(request, row, [{"changed": {"fields": ["wanted"]}}])
            messages.success(
                request, _("Stored. It is sent to Sadad by itself; the badge says how far it is.")
            )
        return self.back(row)


def needs(row: Mirror) -> list[Mirror]:
    """What must be at Sadad before ``row``, and is not: parents and listed products, with theirs."""
    found: list[Mirror] = []
    kind = kinds.of(row)
    parents = [*(getattr(row, name) for name in kind.model.PARENTS), *row.listed()]
    for parent in parents:
        if parent is not None and parent.sadad_id is None:
            found += [*needs(parent), parent]
    return found


def _said(row: Mirror) -> tuple[int, str]:
    """What became of a push."""
    if row.state == State.SYNCED:
        return messages.SUCCESS, _now("In step with Sadad.")
    if row.state == State.DELETED:
        return messages.SUCCESS, _now("Deleted at Sadad.")
    why = words.error(row) or texts.error_sentence("waits")
    return messages.WARNING, f"{words.state(row)}: {why}"


def _taken(names: list[str]) -> str:
    if not names:
        return _now("Both sides agree.")
    titles = ", ".join(words.field(name) for name in names)
    return _now("Taken over from Sadad: %(fields)s.") % {"fields": titles}
