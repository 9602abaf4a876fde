"""How a shop's own model becomes payable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from django_sadadpay import money

if TYPE_CHECKING:
    from django.http import HttpRequest

    from django_sadadpay.models import Invoice, Refund

M = TypeVar("M")


class CannotFulfil(Exception):
    """Raise it in ``Payable.paid()`` when the order can no longer be delivered.

    The payment stands, and staff are offered the refund.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Customer:
    """Who pays. Kept out of repr; ``mobile`` and ``email`` are optional (contract 3.1)."""

    name: str = field(repr=False)
    mobile: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


@dataclass(frozen=True)
class Line:
    """One line of the draft.

    ``price`` is for one unit, in the draft's currency; it may be negative for a discount.
    ``supplier_id`` makes the invoice a multi-supplier one (contract 7).
    """

    name: str
    price: Decimal | int | str
    quantity: Decimal | int = 1
    supplier_id: int | None = None


@dataclass(frozen=True)
class InvoiceDraft:
    """What the shop wants paid.

    :param reference: the shop's own number; shown and searched, need not be unique.
    :param amount: what is to be paid, in ``currency``, at most three places. Floats are refused.
    :param customer: a :class:`Customer`; a name is needed by Sadad (contract 3.1).
    :param lines: may be empty; with lines, they must add up to ``amount`` (negative lines are discounts).
    :param currency: ISO 4217; Sadad is always sent KWD (contract 3.1), other currencies are converted.
    :param language: ``en`` or ``ar``, of Sadad's pay page; empty: the language active at checkout.
    :param purpose: tells several invoices of one object apart (``deposit``, ``balance``).
    :param key: the object's place for a payable without a model.
    :param expires_on: last day (Kuwait) on which the link is good; default: ``INVOICE_VALID_DAYS`` from now.
    :param send: ``""``, ``SMS``, ``Email``, ``Whatsapp`` or ``Link``: Sadad sends the link (contract 3.1).
    :param comment: shown on Sadad's page.
    """

    reference: str
    amount: Decimal | int | str
    customer: Customer
    lines: Iterable[Line] = ()
    currency: str = money.KWD
    language: str = ""
    purpose: str = ""
    key: str = ""
    expires_on: date | None = None
    send: str = ""
    comment: str = ""


class Payable(Generic[M]):
    """Says how one kind of object is paid. Stateless: one instance serves all requests.

    ``draft`` must be written; the rest is optional. ``paid``, ``refunded``, ``expired`` and ``cancelled`` run
    inside the settling transaction, in a savepoint, on a fresh instance that is locked: touch only the
    database there, and put mails and other calls into ``transaction.on_commit``. ``paid`` and ``refunded``
    take effect exactly once.
    """

    name: ClassVar[str] = ""
    model: ClassVar[type[models.Model] | None] = None

    def draft(self, obj: M) -> InvoiceDraft:
        """What is to be paid for ``obj`` now (without a model: for its key). Must be written."""
        raise ImproperlyConfigured(
            f"{type(self).__name__} must define draft(self, obj) and return an InvoiceDraft"
        )

    def paid(self, obj: M, invoice: Invoice) -> None:
        """The object is paid. An exception keeps the payment and calls again (:class:`CannotFulfil`)."""

    def refunded(self, obj: M, refund: Refund) -> None:
        """A refund was done (``refund.amount`` in KWD). Called once for each refund, panel refunds too."""

    def expired(self, obj: M, invoice: Invoice) -> None:
        """The invoice ran out unpaid."""

    def cancelled(self, obj: M, invoice: Invoice) -> None:
        """The invoice was cancelled by staff or in Sadad's panel; not called when a basket replaces it."""

    def due(self, obj: M) -> Decimal:
        """What is to be paid now, in the draft's currency. ``paid`` runs if the invoice asked for that."""
        return money.parse(self.draft(obj).amount)

    def can_pay(self, obj: M, request: HttpRequest | None) -> bool:
        """False refuses a new checkout (sold out, closed order, another customer's order)."""
        return True

    def find(self, reference: str) -> M | None:
        """The object that an invoice made in Sadad's panel is for, by what staff wrote as its reference.

        Called by ``sadadpay_pull --resource invoices``; None, as here: it is left alone.
        """
        return None

    def account(self, obj: M) -> str:
        """The account in ``SADADPAY["ACCOUNTS"]`` that takes the money."""
        return "default"

    def return_url(self, obj: M, invoice: Invoice) -> str | None:
        """Where the buyer goes after our return view has verified the payment; None shows our own page."""
        return None


class Registry:
    """Registered payables by name. One instance, :data:`payables`, serves the process."""

    def __init__(self) -> None:
        self._by_name: dict[str, Payable[Any]] = {}

    def add(self, cls: type[Payable[Any]], model: type[models.Model] | None, name: str) -> None:
        if not name or len(name) > 100:
            raise ImproperlyConfigured(f"{cls.__name__}: a payable's name has 1 to 100 characters")
        if name in self._by_name:
            other = type(self._by_name[name]).__qualname__
            raise ImproperlyConfigured(
                f"two payables are registered as {name!r}: {other} and {cls.__qualname__}"
            )
        bound = type(cls.__name__, (cls,), {"name": name, "model": model, "__module__": cls.__module__})
        self._by_name[name] = cast("Payable[Any]", bound())

    def remove(self, name: str) -> None:
        """Forget a payable (tests)."""
        self._by_name.pop(name, None)

    def get(self, name: str) -> Payable[Any] | None:
        return self._by_name.get(name)

    def for_object(self, obj: object) -> Payable[Any]:
        """The payable of a model instance.

        :raises ImproperlyConfigured: none, or more than one, is registered for its model.
        """
        found = [p for p in self._by_name.values() if p.model is not None and isinstance(obj, p.model)]
        exact = [p for p in found if p.model is type(obj)]
        chosen = exact or found
        if len(chosen) != 1:
            names = ", ".join(sorted(p.name for p in chosen)) or "none"
            raise ImproperlyConfigured(
                f"{type(obj).__name__} needs exactly one payable, found: {names}."
                " Register it in yourapp/sadadpay.py"
            )
        return chosen[0]

    def __iter__(self) -> Iterator[Payable[Any]]:
        return iter(list(self._by_name.values()))


payables = Registry()
