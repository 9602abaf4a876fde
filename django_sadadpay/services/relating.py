"""Parents and children of objects from a list: Sadad's ids against our rows, one SELECT for each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django_sadadpay.gateway import coerce
from django_sadadpay.models import Mirror, Product, ProductLink, ProductLinkItem
from django_sadadpay.services import transactions
from django_sadadpay.services.lists import Known, Place
from django_sadadpay.services.told import Told


class Relations:
    """What the objects of a part name, as primary keys of ours."""

    def __init__(self, place: Place) -> None:
        self._place = place
        #: Parent → Sadad's id, or its name where a list tells no id, → our primary key.
        self._parents: dict[str, dict[str, int]] = {}
        self._products: dict[str, int] = {}
        self._listed: dict[int, list[int]] = {}

    @classmethod
    def of(cls, place: Place, known: Known) -> Relations:
        made = cls(place)
        told = [*known.changed.values(), *known.new]
        for name, sent in place.kind.model.PARENTS.items():
            made._parents[name] = made._find_parents(name, sent, told)
        if place.kind.children is not None:
            made._find_children(told, known.changed)
        return made

    def _find_parents(self, name: str, sent: str, told: Iterable[Told]) -> dict[str, int]:
        ids = {coerce.id_text(one.values.get(sent)) for one in told} - {""}
        names = {_name(one, name) for one in told if sent not in one.values} - {""}
        found: dict[str, int] = {}
        if ids:
            found |= dict(self._rows(name).filter(sadad_id__in=ids).values_list("sadad_id", "pk"))
        if names:
            rows = list(self._rows(name).filter(name_en__in=names).values_list("name_en", "pk"))
            once = Counter(row[0] for row in rows)
            found |= {f"={text}": pk for text, pk in rows if once[text] == 1}
        return found

    def _rows(self, name: str) -> Any:
        model = self._place.kind.model._meta.get_field(name).related_model
        return _here(model, self._place)

    def _find_children(self, told: Iterable[Told], changed: Mapping[int, Told]) -> None:
        ids = {i for one in told for i in self._place.reader.children(one) or ()}
        if ids:
            rows = _here(Product, self._place).filter(sadad_id__in=ids)
            self._products = dict(rows.values_list("sadad_id", "pk"))
        items = ProductLinkItem._base_manager.using(transactions.alias()).filter(link__in=list(changed))
        for link, product in items.order_by("link_id", "position", "pk").values_list("link_id", "product_id"):
            self._listed.setdefault(link, []).append(product)

    # One object

    def parent(self, name: str, told: Told) -> int | None:
        """Our primary key, or None where the object names none that we know."""
        sent = self._place.kind.model.PARENTS[name]
        by_id = coerce.id_text(told.values.get(sent))
        found = self._parents[name]
        return found.get(by_id) if sent in told.values else found.get(f"={_name(told, name)}")

    def knows_children(self, told: Told) -> bool:
        """Whether every object that it lists is known here."""
        if self._place.kind.children is None:
            return True
        ids = self._place.reader.children(told)
        return ids is not None and all(i in self._products for i in ids)

    def children(self, row: Mirror, told: Told) -> list[int]:
        """Primary keys of what the object lists; those that we have, where it says nothing that we can use.

        Sadad shows products by category: the same ones in another order are the same list.
        """
        have = self._listed.get(row.pk or 0, [])
        if not self.knows_children(told):
            return have
        theirs = [self._products[i] for i in self._place.reader.children(told) or ()]
        return have if set(have) == set(theirs) else theirs

    def difference(self, row: Mirror, told: Told) -> dict[str, tuple[Any, Any]]:
        """Relation → (ours, theirs), as primary keys; what Sadad does not tell is not compared."""
        found: dict[str, tuple[Any, Any]] = {}
        for name in type(row).PARENTS:
            ours, theirs = getattr(row, f"{name}_id"), self.parent(name, told)
            if theirs is not None and ours != theirs:
                found[name] = (ours, theirs)
        if self._place.kind.children is not None:
            have, shown = self._listed.get(row.pk or 0, []), self.children(row, told)
            if have != shown:
                found[self._place.kind.children[1]] = (have, shown)
        return found

    def follow(self, row: Mirror, told: Told) -> None:
        for name in type(row).PARENTS:
            pk = self.parent(name, told)
            if pk is not None:
                setattr(row, f"{name}_id", pk)

    def store(self, stored: Iterable[tuple[Mirror, Told]]) -> None:
        """What links list, once the links have primary keys."""
        if self._place.kind.children is None:
            return
        for row, told in stored:
            have, theirs = self._listed.get(row.pk, []), self.children(row, told)
            # A wish of ours that is not sent yet keeps its own list.
            if isinstance(row, ProductLink) and have != theirs and row.digest == row.pushed_digest:
                items = ProductLinkItem._base_manager.using(transactions.alias())
                items.filter(link=row).delete()
                items.bulk_create(
                    ProductLinkItem(link=row, product_id=pk, position=i) for i, pk in enumerate(theirs)
                )


def _name(told: Told, name: str) -> str:
    """A parent by its English name, where a list tells no more (contract 10: a product's category)."""
    return coerce.text(told.values.get(f"{name}_name_en"))


def _here(model: Any, place: Place) -> Any:
    rows = model._base_manager.using(transactions.alias())
    return rows.filter(account=place.account, environment=place.environment, wanted=Mirror.Wanted.PRESENT)
