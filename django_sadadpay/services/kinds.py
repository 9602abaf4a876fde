"""The kinds of mirrored objects as one table: model, draft, calls, and what a lost insert is found by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django_sadadpay import registry
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.coerce import Row, fold
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.models import (
    Customer,
    InstallmentPlan,
    Mirror,
    PaymentLink,
    Product,
    ProductCategory,
    ProductLink,
    Subscription,
    SubscriptionLink,
    SubscriptionTemplate,
)


@dataclass(frozen=True)
class Kind:
    """One kind.

    :ivar group: attribute of ``SadadClient``.
    :ivar key: fields by which a lost insert is found in Sadad's list: ``ref_number`` is ours and random;
        others are names that the evidence has in its rows (contract 10). Empty: a person has to look.
    :ivar read: the call that reads one, or empty.
    :ivar has_page: payers open it by its key, so the key must be known.
    :ivar children: (field of a call, relation) of the rows that the object lists.
    """

    model: type[Mirror]
    draft: type[registry.Draft]
    group: str
    key: tuple[str, ...] = ()
    read: str = "getbyid"
    has_page: bool = False
    children: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return self.model._meta.model_name or ""

    @property
    def folder(self) -> str:
        return self.draft.folder

    def own(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Of a key's values those that are no parent's name: Sadad tells that as it is by now."""
        parents = {f"{name}_name_en" for name in self.model.PARENTS}
        return tuple(value for name, value in zip(self.key, key, strict=True) if name not in parents)

    @cached_property
    def has_reference(self) -> bool:
        """Sent with a reference of our own."""
        return "ref_number" in self.model.SHOWN

    def calls(self, client: SadadClient) -> Any:
        """``client.products`` and the like."""
        return getattr(client, self.group)

    def told(self, client: SadadClient, record: ObjectRecord, call: str = "getall") -> dict[str, Any]:
        """What a record says, by our names: None where Sadad says null, without what it does not name."""
        fields = client.endpoints[f"{self.folder}/{call}"].reply
        row, names = Row(record.raw, fields), {fold(str(name)) for name in record.raw}
        return {f.name: row.get(f.name) for f in fields if fold(f.wire) in names}


#: Parents before their children.
KINDS: tuple[Kind, ...] = (
    Kind(Customer, registry.CustomerDraft, "customers", ("ref_number",)),
    Kind(ProductCategory, registry.CategoryDraft, "product_categories", ("name_en",)),
    Kind(SubscriptionTemplate, registry.TemplateDraft, "subscription_templates"),
    Kind(PaymentLink, registry.PaymentLinkDraft, "payment_links", ("title",), read="getbykey", has_page=True),
    Kind(InstallmentPlan, registry.PlanDraft, "installment_plans", ("ref_number",), has_page=True),
    Kind(Product, registry.ProductDraft, "products", ("name_en", "category_name_en")),
    Kind(Subscription, registry.SubscriptionDraft, "subscriptions", ("ref_number",), has_page=True),
    Kind(SubscriptionLink, registry.SubscriptionLinkDraft, "subscription_links", has_page=True),
    Kind(
        ProductLink,
        registry.ProductLinkDraft,
        "product_links",
        read="getbykey",
        has_page=True,
        children=("products", "products"),
    ),
)
BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
_BY_DRAFT: Mapping[type[registry.Draft], Kind] = {kind.draft: kind for kind in KINDS}


def of(row: Mirror) -> Kind:
    return BY_NAME[row.kind]


def of_draft(draft: type[registry.Draft]) -> Kind:
    """The kind of a draft, or of a shop's subclass of it."""
    return next(kind for cls in draft.__mro__ if (kind := _BY_DRAFT.get(cls)) is not None)


def named_by(kind: Kind) -> Iterator[tuple[type[Mirror], str]]:
    """(model, parent) of the kinds whose key holds the name of one of this kind."""
    for other in KINDS:
        for name in other.model.PARENTS:
            is_parent = other.model._meta.get_field(name).related_model is kind.model
            if is_parent and f"{name}_name_en" in other.key:
                yield other.model, name


def dependants(kind: Kind) -> Iterator[tuple[type[Mirror], str]]:
    """(model, lookup) of the kinds that need one of this kind to be at Sadad."""
    for other in KINDS:
        for name in other.model.PARENTS:
            if other.model._meta.get_field(name).related_model is kind.model:
                yield other.model, name
    if kind.model is Product:
        yield ProductLink, "items__product"
