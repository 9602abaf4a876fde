"""How mirrored objects look: columns, what is wanted of them, where Sadad differs, addresses for payers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, DecimalException
from importlib import import_module
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from django_sadadpay import texts
from django_sadadpay.admin import mirror_fields, shown
from django_sadadpay.admin import mirror_words as words
from django_sadadpay.admin.base import link
from django_sadadpay.models import Mirror
from django_sadadpay.services.kinds import Kind
from django_sadadpay.services.pages import Page

Column = Callable[[Any], Any]


# Columns


def masked(model: type[Model], name: str) -> Column:
    """A personal column for those who may not see it."""

    def column(row: Any) -> str:
        return shown.MASK if getattr(row, name) else shown.NOTHING

    return _titled(column, model, name, order=False)


def amount(model: type[Model], name: str) -> Column:
    def column(row: Any) -> SafeString | str:
        value = getattr(row, name)
        return shown.NOTHING if value is None else shown.money(value)

    return _titled(column, model, name)


def day(model: type[Model], name: str) -> Column:
    return _titled(lambda row: shown_day(getattr(row, name)), model, name)


def word(model: type[Model], name: str) -> Column:
    """One of Sadad's words."""
    return _titled(lambda row: words.word(name, getattr(row, name)) or shown.NOTHING, model, name)


def _titled(column: Column, model: type[Model], name: str, *, order: bool = True) -> Column:
    title: Any = getattr(model._meta.get_field(name), "verbose_name", name)
    return admin.display(column, description=title, ordering=name if order else None)


def shown_day(value: date | None) -> str:
    return shown.NOTHING if value is None else date_format(value, "SHORT_DATE_FORMAT")


#: State of a bill in a schedule → colour of a badge that has the word.
_BILLS = {"Paid": "paid", "Missed": "failed", "Unpaid": "pending"}


def bill(status: str) -> SafeString | str:
    """The state of an instalment or a period, in Sadad's word."""
    return shown.badge(_BILLS.get(status, ""), words.word("status", status)) if status else shown.NOTHING


def named(site: str, subject: str) -> SafeString | str:
    """``product:12`` by kind and number: its own name would be a statement a row, and may be a person's."""
    kind, _sep, pk = subject.partition(":")
    label = f"{texts.KINDS.get(kind, kind)} {pk}".strip()
    return shown.link(link(site, kind, "change", pk), label) if pk and kind in texts.KINDS else label


# What is wanted, and where Sadad differs


def facts(rows: Iterable[tuple[Any, Any]]) -> SafeString | str:
    items = format_html_join("", "<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>", rows)
    return format_html('<dl class="sadadpay-facts">{}</dl>', items) if items else shown.NOTHING


def wanted(kind: Kind, row: Mirror, *, may_see: bool) -> SafeString | str:
    """All that is wanted of an object, in words."""
    listed = [(name, getattr(row, name)) for name in kind.model.PARENTS if getattr(row, name) is not None]
    if kind.children is not None:
        listed.append((kind.children[0], [str(each) for each in row.listed()]))
    said = [(name, value) for name, value in row.payload.items() if value not in (None, "", [])]
    hidden = () if may_see else kind.model.PERSONAL
    return facts(
        (capfirst(words.field(name)), shown.MASK if name in hidden else value_of(kind, name, value))
        for name, value in (*listed, *said)
    )


def value_of(kind: Kind, name: str, value: Any) -> Any:
    """One value of a payload or reply, as staff read it."""
    known = mirror_fields.table(kind).get(name)
    if value is None or value == "":
        return shown.NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return shown.bullets(_part(kind, part) for part in value)
    if known is not None and known.kind == "kwd":
        return _money(value)
    return words.word(name, str(value))


def _part(kind: Kind, part: Any) -> Any:
    if not isinstance(part, Mapping):
        return str(part)
    due, worth = part.get("due_date") or part.get("dueDate"), part.get("amount")
    return format_html("{} <bdi>{}</bdi>", due or "", _money(worth))


def _money(value: Any) -> Any:
    try:
        return shown.money(Decimal(str(value)))
    except DecimalException:
        return str(value)


def differences(
    kind: Kind, differs: Mapping[str, tuple[Any, Any]], hidden: Iterable[str]
) -> list[tuple[str, Any, Any]]:
    """(title, ours, Sadad's) of each field; personal ones say only that they differ."""
    rows: list[tuple[str, Any, Any]] = []
    for name, values in sorted(differs.items()):
        ours, theirs = [shown.MASK] * 2 if name in hidden else [_either(kind, name, one) for one in values]
        rows.append((words.field(name), _("left to Sadad") if values[0] is None else ours, theirs))
    return rows


def _either(kind: Kind, name: str, value: Any) -> Any:
    """A value, or what a primary key stands for."""
    related = name in kind.model.PARENTS or (kind.children is not None and name == kind.children[1])
    if not related:
        return value_of(kind, name, value)
    model: Any = kind.model._meta.get_field(name).related_model
    keys = value if isinstance(value, list) else [value]
    found = model._base_manager.in_bulk([key for key in keys if key is not None])
    return shown.bullets(str(found.get(key, key)) for key in keys if key is not None) or shown.NOTHING


# Addresses for payers


def address(page: Page | None) -> SafeString | str:
    """The page's address with a button that copies it, and whether Sadad told it."""
    if page is None:
        return shown.NOTHING
    told = _("Sadad told this address.")
    built = _(
        "Sadad does not tell this address; it is built from the key, as we assume it. "
        "Open it once before you hand it out."
    )
    return format_html("{}<p>{}</p>", shown.copyable(page.url), built if page.is_assumed else told)


def qr(page: Page | None) -> SafeString | str:
    """The address as a QR code, drawn here; Sadad's own image is only linked."""
    if page is None:
        return shown.NOTHING
    try:
        segno: Any = import_module("segno")
    except ImportError:
        hint = _("To see a QR code here, install the library: %(command)s") % {"command": "pip install segno"}
        if not page.qr_url:
            return hint
        return format_html("{}<p>{}</p>", shown.link(page.qr_url, _("Sadad's QR code")), hint)
    drawn = segno.make(page.url, error="m").svg_inline(scale=4, light="#fff", dark="#000", omitsize=True)
    image = mark_safe(drawn)  # noqa: S308 - the library's own markup, paths of numbers; no address in it
    return format_html('<span class="sadadpay-qr" role="img" aria-label="{}">{}</span>', _("QR code"), image)
