"""The form of a mirrored object: the draft's fields, checked by the draft itself, so that a wrong value is
told beside its field and nothing that Sadad would refuse is stored.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin import AdminSite
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from django_sadadpay import conf
from django_sadadpay.admin import mirror_fields
from django_sadadpay.admin import mirror_words as words
from django_sadadpay.models import Mirror
from django_sadadpay.registry import Customer as Payer
from django_sadadpay.registry import Draft, DraftError
from django_sadadpay.services import mirroring
from django_sadadpay.services.kinds import Kind

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

#: Written into a draft's ``customer``.
PAYER = ("customer_name", "customer_mobile", "customer_email")


class MirrorForm(_ModelForm):
    """Base of the forms that ``form_for`` makes. ``instance`` is the row; the service sets its columns."""

    kind: ClassVar[Kind]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        row = kwargs.get("instance")
        if row is not None and row.pk is not None:
            kwargs["initial"] = {**_initial(type(self).kind, row), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, mirror_fields.WordField):
                field.keep(self.initial.get(name))

    def _post_clean(self) -> None:
        """The draft's own check, once each field by itself is well."""
        if self.errors:
            return
        if self.cleaned_data.get("customer") and self.cleaned_data.get("customer_name"):
            self.add_error("customer_name", _("Choose a customer or write a name, not both."))
            return
        try:
            mirroring.validate(self.draft())
            self._check_accounts()
            _check_together(self.cleaned_data)
        except DraftError as error:
            self.add_error(self._place(error.field), words.problem(error.problem))

    def draft(self) -> Draft:
        """What the form asks for; of what it does not show, what was wanted before is kept."""
        return build(self.kind, self._said(), self.instance.payload, self.instance)

    def account(self) -> conf.Account:
        """Who keeps a new object."""
        config = conf.current()
        return config.account(self.cleaned_data.get("account") or next(iter(config.accounts)))

    def store(self) -> None:
        """Want it, inside the admin's transaction. Nobody is called.

        :raises DraftError: somebody changed what it needs in this moment.
        """
        row = self.instance
        for _name, other in self._others():
            other.refresh_from_db(fields=["wanted"])
        if row.pk is not None:
            self.instance = mirroring.change(row, self.draft())
            return
        account = self.account()
        row.account, row.environment = account.name, account.environment
        mirroring.want(row, self.draft())

    def _save_m2m(self) -> None:
        """The service lists the products."""

    def _said(self) -> dict[str, Any]:
        """The fields' values. What was never said stays unsaid: an empty box is no "no"."""
        before = self.instance.payload
        unsaid = {f.name for f in dataclasses.fields(self.kind.draft) if f.default is None}
        said = {}
        for name, value in self.cleaned_data.items():
            if name == "account" or (value is False and name not in before):
                continue
            said[name] = None if value == "" and name in unsaid else value
        return said

    def _check_accounts(self) -> None:
        if self.instance.pk is not None:
            return  # only rows of its own account are on offer
        account = self.account()
        for name, other in self._others():
            if (other.account, other.environment) != (account.name, account.environment):
                raise DraftError(name, "is kept by another account")

    def _others(self) -> Iterator[tuple[str, Mirror]]:
        """The parents and products that were chosen, with their fields."""
        for name, value in self.cleaned_data.items():
            found = value if isinstance(value, list) else [value]
            yield from ((name, other) for other in found if isinstance(other, Mirror))

    def _place(self, name: str) -> str | None:
        """The form's field that a draft's field belongs to."""
        first = re.split(r"[\[.]", name)[0]
        if first == "customer" and "customer" not in self.fields:
            first = "customer_name"
        return first if first in self.fields else None


def _check_together(values: Mapping[str, Any]) -> None:
    """Fields that must fit each other.

    :raises DraftError: names the one to mend.
    """
    lowest, highest = values.get("min_amount"), values.get("max_amount")
    if lowest and highest and highest < lowest:
        raise DraftError("max_amount", "is below the lowest amount")
    parts = values.get("installments") or []
    if parts and not _by_hand(values):
        raise DraftError("installments", "are only for plans that are paid by hand")
    if _by_hand(values) and sum(Decimal(part["amount"]) for part in parts) != values.get("amount"):
        raise DraftError("installments", "do not add up")


def form_for(
    kind: Kind, names: Iterable[str], site: AdminSite, row: Mirror | None, skip: Iterable[str] = ()
) -> type[MirrorForm]:
    """The form class of a kind, with the fields of its layout.

    :param row: the one that is changed; None for a new one.
    :param skip: what this person may not see.
    """
    config = conf.current()
    fields: dict[str, Any] = {}
    if row is None and len(config.accounts) > 1:
        listed = [(name, name) for name in config.accounts]
        fields["account"] = forms.ChoiceField(label=capfirst(_("account")), choices=listed)
    used = [(account.name, account.environment) for account in config.accounts.values()]
    hidden = set(skip)
    for name in names:
        if name not in hidden:
            fields[name] = _field(kind, name, site, row, used)
    meta = type("Meta", (), {"model": kind.model, "fields": ()})
    return type(f"{kind.model.__name__}Form", (MirrorForm,), {**fields, "kind": kind, "Meta": meta})


def _field(
    kind: Kind, name: str, site: AdminSite, row: Mirror | None, used: list[tuple[str, str]]
) -> forms.Field:
    if kind.children is not None and name == kind.children[0]:
        rows = mirror_fields.wanted(_model(kind, kind.children[1]), row, used)
        return mirror_fields.children_field(kind, kind.children[1], site, rows)
    if name in kind.model.PARENTS:
        rows = mirror_fields.wanted(_model(kind, name), row, used)
        alone = name in kind.draft.needed and name != "customer"  # a payer's name does as well
        return mirror_fields.parent_field(kind, name, site, rows, alone)
    return mirror_fields.field_for(kind, name)


def _model(kind: Kind, name: str) -> Any:
    return kind.model._meta.get_field(name).related_model


# Between payload and draft


def build(kind: Kind, said: Mapping[str, Any], kept: Mapping[str, Any], row: Mirror) -> Draft:
    """A draft of ``said``, and for the rest of what was wanted before."""
    names = {field.name for field in dataclasses.fields(kind.draft)} - {"extra"}
    values = {**_relations(kind, row), **kept, **said}
    if "customer" in names:
        values["customer"] = values.get("customer") or _payer(values)
    if not _by_hand(values):
        values.pop("installments", None)  # Sadad's own schedule, which a pull may have told
    elif isinstance(values.get("installments"), list):
        values["installments"] = [(part["amount"], part["due_date"]) for part in values["installments"]]
    own = {name: value for name, value in values.items() if name in names and value is not None}
    required = {name: None for name in _required(kind) if name not in own}
    rest = {name: value for name, value in kept.items() if name not in (*names, *PAYER, "ref_number")}
    return kind.draft(**own, **required, extra=rest)


def wanted_again(kind: Kind, row: Mirror) -> Draft:
    """A draft of what ``row`` wanted."""
    return build(kind, {}, row.payload, row)


def _required(kind: Kind) -> list[str]:
    """Fields of the draft class without a default: None says that they are missing."""
    missing = dataclasses.MISSING
    fields = dataclasses.fields(kind.draft)
    return [f.name for f in fields if f.default is missing and f.default_factory is missing]


def _relations(kind: Kind, row: Mirror) -> dict[str, Any]:
    if row.pk is None:
        return {}
    found: dict[str, Any] = {name: getattr(row, name) for name in kind.model.PARENTS}
    if kind.children is not None:
        found[kind.children[0]] = row.listed()
    return found


def _payer(values: Mapping[str, Any]) -> Payer | None:
    name, mobile, email = (values.get(each) or "" for each in PAYER)
    return Payer(name, mobile=mobile, email=email) if name else None


def _initial(kind: Kind, row: Mirror) -> dict[str, Any]:
    relations = _relations(kind, row)
    chosen = {
        name: [each.pk for each in value] if isinstance(value, list) else getattr(value, "pk", None)
        for name, value in relations.items()
    }
    kept = {n: v for n, v in row.payload.items() if n != "installments" or _by_hand(row.payload)}
    return {**kept, **chosen}


def _by_hand(values: Mapping[str, Any]) -> bool:
    """Whether a plan's instalments are its own, and not reckoned by Sadad."""
    return values.get("pay_per") == "Manual"
