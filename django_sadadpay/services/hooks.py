"""Calls of the shop's own code: in a savepoint, on a fresh object that is locked (money-flow 4)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import connections, models, transaction

from django_sadadpay import money
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.registry import CannotFulfil, Payable, payables
from django_sadadpay.services import plain, transactions
from django_sadadpay.services.errors import TryAgain

T = TypeVar("T")
Code = Attention.Code
logger = logging.getLogger("django_sadadpay")


#: Set while a block runs again without the shop's hooks, because one of them kept meeting locks.
_deferred: ContextVar[bool] = ContextVar("sadadpay_hooks_deferred", default=False)


def run(block: Callable[[], T]) -> T:
    """``transactions.run`` for a block that calls hooks: what Sadad did is recorded even if a hook always
    meets a lock.

    The second time the hooks are not called: they count as failed, and are called again later like any other.

    :raises TryAgain: the database itself stayed locked.
    """
    try:
        return transactions.run(block)
    except TryAgain:
        token = _deferred.set(True)
        try:
            return transactions.run(block)
        finally:
            _deferred.reset(token)


@dataclass(frozen=True)
class Result:
    """``code`` is empty when the hook took effect, else why not (an attention code)."""

    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.code

    @property
    def retried(self) -> bool:
        """The hook is called again by itself; the others wait for a person."""
        return self.code in (Code.HOOK_FAILED, Code.OBJECT_GONE, Code.NOT_REGISTERED)


def paid(invoice: Invoice, *, dead_before: bool = False) -> Result:
    """Call ``Payable.paid()`` unless what is due is no longer what the invoice asked for (or a person
    waived that).
    """

    def call(payable: Payable[Any], obj: Any) -> Result:
        due = None if invoice.due_waived or payable.model is None else _due(payable, obj)
        asked = [str(invoice.shop_amount), invoice.shop_currency]
        if due is not None and due != (invoice.shop_amount, invoice.shop_currency):
            code = Code.PAID_AFTER_CANCEL if dead_before else Code.AMOUNT_CHANGED
            return Result(code, {"due": [str(due[0]), due[1]], "asked": asked})
        payable.paid(obj, invoice)
        return Result()

    return _guarded(invoice, call)


def refunded(refund: Refund) -> Result:
    """Call ``Payable.refunded()``."""
    return _simple(refund.invoice, lambda payable, obj: payable.refunded(obj, refund))


def expired(invoice: Invoice) -> Result:
    return _simple(invoice, lambda payable, obj: payable.expired(obj, invoice))


def cancelled(invoice: Invoice) -> Result:
    return _simple(invoice, lambda payable, obj: payable.cancelled(obj, invoice))


def _simple(invoice: Invoice, hook: Callable[[Payable[Any], Any], None]) -> Result:
    def call(payable: Payable[Any], obj: Any) -> Result:
        hook(payable, obj)
        return Result()

    return _guarded(invoice, call)


def _due(payable: Payable[Any], obj: Any) -> tuple[Decimal, str]:
    """What is due now, and in which currency."""
    return money.parse(payable.due(obj), what="due"), payable.draft(obj).currency.upper()


def _guarded(invoice: Invoice, call: Callable[[Payable[Any], Any], Result]) -> Result:
    if _deferred.get():
        return Result(Code.HOOK_FAILED, {"error": "DatabaseBusy"})
    payable = payables.get(invoice.payable) if invoice.payable else _NOBODYS
    if payable is None:
        return Result(Code.NOT_REGISTERED, {"name": invoice.payable})
    try:
        with transaction.atomic(using=transactions.alias()):
            result = call(payable, _locked_object(payable, invoice.object_id))
            refuse_swallowed()
            return result
    except CannotFulfil as error:
        return Result(Code.CANNOT_FULFIL, {"reason": plain.text(str(error.reason), 200)})
    except _ObjectGone:
        return Result(Code.OBJECT_GONE)
    except Exception as error:  # the shop's code may raise anything; the payment must stand all the same
        if transactions.is_lock_error(error):
            raise
        # The exception's text may hold personal data of the shop's: only its class is kept and logged.
        logger.error("the hook of payable %s raised %s", invoice.payable, type(error).__name__)
        return Result(Code.HOOK_FAILED, {"error": type(error).__name__})


class _Nobodys(Payable[None]):
    """An invoice that Sadad made and that is for no object of the shop's: nobody is told by a hook."""


_NOBODYS: Payable[Any] = _Nobodys()


class _ObjectGone(Exception):
    pass


class SwallowedDatabaseError(Exception):
    """The hook caught a database error without a savepoint of its own: what it wrote is lost, whatever it
    returned.
    """


def refuse_swallowed() -> None:
    """Django would roll our savepoint back without a word; the order would count as told though nothing was
    written.
    """
    if connections[transactions.alias()].needs_rollback:
        raise SwallowedDatabaseError


def _locked_object(payable: Payable[Any], object_id: str) -> models.Model | None:
    """A fresh instance, locked; on SQLite our own UPDATE has locked the database already."""
    if payable.model is None:
        return None
    rows = payable.model._base_manager.using(transactions.alias())
    features = connections[transactions.alias()].features
    if features.has_select_for_update:
        rows = rows.select_for_update(no_key=features.has_select_for_no_key_update, of=_own_table(features))
    try:
        return rows.get(pk=object_id)
    except (ObjectDoesNotExist, ValueError, ValidationError):
        raise _ObjectGone from None


def _own_table(features: Any) -> tuple[str, ...]:
    """Lock the row itself, not what its manager joins to it."""
    return ("self",) if features.has_select_for_update_of else ()
