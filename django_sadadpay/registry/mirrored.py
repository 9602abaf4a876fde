"""How a shop's own model is mirrored at Sadad."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from django_sadadpay.registry import drafts
from django_sadadpay.registry.drafts import Draft

M = TypeVar("M")


class Mirrored(Generic[M]):
    """Says how one kind of object is kept at Sadad. Stateless: one instance serves all requests.

    ``mirror`` must be written, with its draft as the return annotation (or in ``draft``)::

        @register(Product)
        class ProductMirror(Mirrored[Product]):
            def mirror(self, product) -> ProductDraft: ...

    From then on each ``save()`` and ``delete()`` of an object marks its mirror in the same transaction, and
    it is pushed after the commit. ``QuerySet.update``, ``bulk_create``, raw SQL and changes of many-to-many
    relations send no signal in Django: tell them with ``django_sadadpay.mirror(objects)``.
    """

    name: ClassVar[str] = ""
    model: ClassVar[type[models.Model]]
    draft: ClassVar[type[Draft] | None] = None

    def mirror(self, obj: M) -> Draft | None:
        """What is to be at Sadad for ``obj`` now; None: nothing. Touch only the database."""
        raise ImproperlyConfigured(
            f"{type(self).__name__} must define mirror(self, obj) and return a draft such as ProductDraft"
        )

    def account(self, obj: M) -> str:
        """The account in ``SADADPAY["ACCOUNTS"]`` that keeps it."""
        return "default"

    def objects(self) -> Iterable[M]:
        """All objects, for ``sadadpay_push --all``."""
        return cast("Iterable[M]", self.model._base_manager.all().iterator())


class Mirrors:
    """Registered mirrors by name. One instance, :data:`mirrors`, serves the process.

    :ivar listener: told of each one that comes or goes; connects Django's signals.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, Mirrored[Any]] = {}
        self.listener: Callable[[Mirrored[Any], bool], None] | None = None

    def add(self, cls: type[Mirrored[Any]], model: type[models.Model] | None, name: str) -> None:
        if model is None:
            raise ImproperlyConfigured(f"{cls.__name__}: register it with the shop's model")
        if not name or len(name) > 100:
            raise ImproperlyConfigured(f"{cls.__name__}: a mirror's name has 1 to 100 characters")
        if name in self._by_name:
            other = type(self._by_name[name]).__qualname__
            raise ImproperlyConfigured(
                f"two mirrors are registered as {name!r}: {other} and {cls.__qualname__}"
            )
        values = {"name": name, "model": model, "draft": draft_of(cls), "__module__": cls.__module__}
        bound = cast("Mirrored[Any]", type(cls.__name__, (cls,), values)())
        self._by_name[name] = bound
        self._tell(bound, come=True)

    def remove(self, name: str) -> None:
        """Forget a mirror (tests)."""
        gone = self._by_name.pop(name, None)
        if gone is not None:
            self._tell(gone, come=False)

    def get(self, name: str) -> Mirrored[Any] | None:
        return self._by_name.get(name)

    def for_object(self, obj: object, draft: type[Draft] | None = None) -> Mirrored[Any]:
        """The mirror of a model instance; with ``draft``, the one that makes such drafts.

        :raises ImproperlyConfigured: none, or more than one, is registered for its model.
        """
        found = [m for m in self._by_name.values() if isinstance(obj, m.model) and draft in (None, m.draft)]
        exact = [m for m in found if m.model is type(obj)]
        chosen = exact or found
        if len(chosen) != 1:
            names = ", ".join(sorted(m.name for m in chosen)) or "none"
            raise ImproperlyConfigured(
                f"{type(obj).__name__} needs exactly one mirror, found: {names}."
                " Register it in yourapp/sadadpay.py"
            )
        return chosen[0]

    def __iter__(self) -> Iterator[Mirrored[Any]]:
        return iter(list(self._by_name.values()))

    def _tell(self, mirrored: Mirrored[Any], *, come: bool) -> None:
        if self.listener is not None:
            self.listener(mirrored, come)


mirrors = Mirrors()


def draft_of(cls: type[Mirrored[Any]]) -> type[Draft]:
    """The kind of draft that ``cls.mirror`` makes.

    :raises ImproperlyConfigured: neither ``draft`` nor the return annotation says it.
    """
    if cls.draft is not None:
        return cls.draft
    said = inspect.signature(cls.mirror).return_annotation
    words = {said.__name__} if isinstance(said, type) else set(re.findall(r"\w+", str(said)))
    found = [each for each in _drafts() if each.__name__ in words]
    if len(found) != 1:
        raise ImproperlyConfigured(
            f"{cls.__name__} must say what it makes: def mirror(self, obj) -> ProductDraft,"
            " or draft = ProductDraft"
        )
    return found[0]


def _drafts() -> list[type[Draft]]:
    kinds = (value for value in vars(drafts).values() if isinstance(value, type))
    return [kind for kind in kinds if issubclass(kind, Draft) and kind.folder]
