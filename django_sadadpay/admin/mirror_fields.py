"""Form fields of a draft, made from the endpoint table: what is required, how long, of which kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _now

from django_sadadpay.admin import mirror_words as words
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.fields import Field
from django_sadadpay.models import Mirror
from django_sadadpay.services.kinds import Kind

if TYPE_CHECKING:
    _Parent = forms.ModelChoiceField[Any]
    _Children = forms.ModelMultipleChoiceField[Any]
else:
    _Parent, _Children = forms.ModelChoiceField, forms.ModelMultipleChoiceField

#: Texts that may be longer than this get a box of several lines.
_LINE = 500
#: Eastern digits and the Arabic decimal sign, as an Arabic keyboard writes them.
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "01234567890123456789.")


def table(kind: Kind) -> dict[str, Field]:
    """The fields of the kind's calls, by our names; those of an insert know what is required."""
    calls = (ENDPOINTS[f"{kind.folder}/{call}"].fields for call in ("update", "insert"))
    return {row.name: row for rows in calls for row in rows}


def field_for(kind: Kind, name: str) -> forms.Field:
    """The form field of one of the draft's fields (not of a relation).

    :raises KeyError: the table does not have it.
    """
    known = table(kind)["ref_number" if name == "reference" else name]
    common: dict[str, Any] = {
        "label": words.title(name),
        "help_text": words.HELP.get(name, ""),
        "required": known.required and name != "reference",
    }
    if name in words.CHOICES:
        return _choice(name, common)
    make: Callable[[Field, dict[str, Any]], forms.Field] = _MAKERS.get(known.kind, _text)
    return make(known, common)


def _choice(name: str, common: dict[str, Any]) -> forms.Field:
    listed = words.CHOICES[name]
    chosen = words.STATUSES if name == "status" else tuple(listed)
    return WordField(choices=[("", "–"), *((word, listed[word]) for word in chosen)], **common)


class WordField(forms.ChoiceField):
    """One of Sadad's words. One that is stored and not listed can be kept: the lists are assumed."""

    def keep(self, word: Any) -> None:
        listed = list(self.choices)  # type: ignore[arg-type]  # a list since it was made
        if word and word not in (value for value, _label in listed):
            self.choices = [*listed, (word, word)]


def _text(known: Field, common: dict[str, Any]) -> forms.Field:
    long = known.longest > _LINE
    attrs = (
        {"dir": "auto", "class": "vLargeTextField", "rows": 3}
        if long
        else {"dir": "auto", "class": "vTextField"}
    )
    widget = forms.Textarea(attrs=attrs) if long else forms.TextInput(attrs=attrs)
    return forms.CharField(max_length=known.longest, widget=widget, **common)


def _word(known: Field, common: dict[str, Any]) -> forms.Field:
    widget = forms.TextInput(attrs={"dir": "ltr"})
    return forms.CharField(max_length=known.longest, widget=widget, **common)


class NumberField(forms.DecimalField):
    """An amount, of three places at most, with Eastern digits too."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.translate(DIGITS) if isinstance(value, str) else value)


def _kwd(_known: Field, common: dict[str, Any]) -> forms.Field:
    attrs = {"inputmode": "decimal", "dir": "ltr", "autocomplete": "off"}
    limits: dict[str, Any] = {"max_digits": 15, "decimal_places": 3, "min_value": 0}
    return NumberField(widget=forms.TextInput(attrs=attrs), **limits, **common)


def _integer(_known: Field, common: dict[str, Any]) -> forms.Field:
    attrs = {"inputmode": "numeric", "dir": "ltr", "autocomplete": "off"}
    return forms.IntegerField(min_value=0, widget=forms.TextInput(attrs=attrs), **common)


def _flag(_known: Field, common: dict[str, Any]) -> forms.Field:
    return forms.BooleanField(**{**common, "required": False})


def _date(_known: Field, common: dict[str, Any]) -> forms.Field:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(input_formats=["%Y-%m-%d"], widget=widget, **common)


def _currency(_known: Field, common: dict[str, Any]) -> forms.Field:
    attrs = {"dir": "ltr", "size": 4, "placeholder": "KWD"}
    return forms.CharField(max_length=3, widget=forms.TextInput(attrs=attrs), **common)


def _rows(_known: Field, common: dict[str, Any]) -> forms.Field:
    return InstallmentsField(**common)


class InstallmentsField(forms.CharField):
    """A line for each instalment, ``2026-12-01 10.000``, to a list of ``{"due_date", "amount"}``."""

    widget = forms.Textarea(
        attrs={"rows": 4, "dir": "ltr", "class": "vLargeTextField", "placeholder": "2026-12-01 10.000"}
    )

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{row.get('due_date', '')} {row.get('amount', '')}".strip() for row in value)

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).translate(DIGITS)
        return [self._row(line) for line in text.splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) or "").split() != str(data or "").split()

    def _row(self, line: str) -> dict[str, str]:
        due, _blank, amount = line.strip().partition(" ")
        try:
            return {"due_date": due, "amount": format(Decimal(amount.strip()), "f")}
        except InvalidOperation:
            raise ValidationError(
                _now("Write a date and an amount on each line: 2026-12-01 10.000"), code="invalid"
            ) from None


_MAKERS: Mapping[str, Any] = {
    "kwd": _kwd,
    "number": _kwd,
    "integer": _integer,
    "flag": _flag,
    "date": _date,
    "currency": _currency,
    "word": _word,
    "rows": _rows,
}


# Relations


class ParentField(_Parent):
    """Another mirrored object: one that is to be at Sadad."""


class OrderedSelect(AutocompleteSelectMultiple):
    """Shows what is chosen in its order: Django sorts it as the table is sorted."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        groups = super().optgroups(name, value, attr)
        places = {str(key): place for place, key in enumerate(value)}
        for _label, options, _index in groups:
            options.sort(key=lambda option: places.get(str(option["value"]), -1))
        return groups


class ChildrenField(_Children):
    """Other mirrored objects, in the order in which they were chosen."""

    def clean(self, value: Any) -> Any:
        found = {str(row.pk): row for row in super().clean(value)}
        return [found[key] for key in dict.fromkeys(map(str, value or ())) if key in found]


def parent_field(kind: Kind, name: str, site: AdminSite, rows: QuerySet[Any], required: bool) -> forms.Field:
    widget = AutocompleteSelect(kind.model._meta.get_field(name), site)
    return ParentField(rows, widget=widget, **_relation(name, required))


def children_field(kind: Kind, name: str, site: AdminSite, rows: QuerySet[Any]) -> forms.Field:
    widget = OrderedSelect(kind.model._meta.get_field(name), site)
    return ChildrenField(rows, widget=widget, **_relation(name, required=True))


def _relation(name: str, required: bool) -> dict[str, Any]:
    return {
        "label": words.title(name),
        "help_text": words.HELP.get(name, ""),
        "required": required,
    }


def wanted(model: type[Mirror], row: Mirror | None, accounts: Iterable[tuple[str, str]]) -> QuerySet[Any]:
    """Rows that ``row`` may name: of its own account, or of those that are in use now for a new one."""
    rows = model._base_manager.filter(wanted=Mirror.Wanted.PRESENT)
    if row is not None:
        return rows.filter(account=row.account, environment=row.environment)
    named = rows.none()
    for account, environment in accounts:
        named = named | rows.filter(account=account, environment=environment)
    return named
