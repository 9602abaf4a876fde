"""Link an invoice that was made in Sadad's panel to an object of the shop's.

Only settlement changes payment facts here too: the row is open and unpaid at first (``adoption``), and what
Sadad says of it goes through the same comparison of id, reference and amount as any other (money-flow 4).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django_sadadpay import conf, money
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Invoice, InvoiceEvent
from django_sadadpay.models.base import exact
from django_sadadpay.registry import Payable, payables
from django_sadadpay.services import adoption, clock, drafts, snapshots, transactions
from django_sadadpay.services.adoption import CannotAdopt, Expected
from django_sadadpay.services.drafts import Plan
from django_sadadpay.services.errors import NothingToPay, Refused
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.snapshots import Snapshot
from django_sadadpay.services.verify import finish_after

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

#: The invoice was made at the rate of another day. What is paid is its KWD: more than this is another amount.
_RATE_MOVED = Decimal("0.05")
#: Makes the call of Sadad: a long walk through its lists may wait after a 429, a request never does.
Asks = Callable[[Callable[[], Snapshot]], Snapshot]


def adopt(obj: Any, sadad_id: str, *, name: str = "", by: AbstractBaseUser | None = None) -> Invoice:
    """Link the invoice with this Sadad id to a shop's object, and settle what it says.

    Whoever calls this has chosen the invoice: its reference may be any. (A pull links only those that carry
    the reference by which the object was found.)

    :param name: the payable's registered name, where a model has several.
    :return: its row; the same one, however often it is asked for. A payment counts for the object if the
        amount is what is due.
    :raises InsideTransaction: a transaction is open.
    :raises Refused: ``adopt_currency`` or ``adopt_amount``: it asks for other money than the object;
        ``adopt_held``: it is for something else; ``adopt_settled``: it was paid or ended for nobody before;
        ``nothing_to_pay``. :raises DraftError: the object's draft cannot be used.
    :raises SadadError: Sadad has no such invoice, or could not be asked.
    """
    transactions.ensure_outside()
    payable = payables.get(name) if name else payables.for_object(obj)
    if payable is None:
        raise LookupError(f"no payable is registered as {name!r}")
    source = InvoiceEvent.Source.STAFF if by else InvoiceEvent.Source.RECONCILE
    return link(payable, obj, sadad_id, Origin(source, by))


def link(
    payable: Payable[Any],
    obj: Any,
    sadad_id: str,
    origin: Origin,
    *,
    reference: str | None = None,
    asks: Asks | None = None,
) -> Invoice:
    """As ``adopt``.

    :param reference: what must stand on the invoice, as Sadad says when asked for it alone; None: anything.
    :param asks: how Sadad is asked; default once.
    :raises Refused: also ``adopt_reference``.
    """
    account = conf.current().account(payable.account(obj))
    place = Invoice(account=account.name, environment=account.environment)
    known = adoption.find(place, sadad_id)
    if known is not None and adoption.is_held(known, _key(payable, obj)):
        raise Refused("adopt_held", invoice=known)
    if known is not None and known.payable:
        return known
    plan = _plan(payable, obj)
    fetch = partial(snapshots.fetch, place, sadad_id)
    snapshot = asks(fetch) if asks else fetch()
    _check(plan, snapshot.record, reference)
    invoice = _taken_over(place, snapshot, plan, origin)
    finish_after(invoice, origin)
    return invoice


def _plan(payable: Payable[Any], obj: Any) -> Plan:
    try:
        return drafts.plan(payable, obj, clock.now())
    except NothingToPay:
        raise Refused("nothing_to_pay") from None


def _key(payable: Payable[Any], obj: Any) -> str:
    """Of the object, whatever it asks for by now."""
    if payable.model is None:
        return _plan(payable, obj).object_key
    return exact(payable.name, str(obj.pk))


def _check(plan: Plan, record: InvoiceRecord, reference: str | None) -> None:
    """It asks for what the object asks for: in the shop's currency, to the fils."""
    if reference is not None and record.ref_number.strip() != reference:
        raise Refused("adopt_reference")
    if (record.currency or money.KWD).upper() != plan.currency:
        raise Refused("adopt_currency")
    asked = record.amount if plan.currency == money.KWD else record.alt_amount
    kwd = money.from_reply(record.amount)
    if money.from_reply(asked) != plan.shop_amount or not kwd or abs(kwd - plan.amount) > _drift(plan):
        raise Refused("adopt_amount")


def _drift(plan: Plan) -> Decimal:
    """KWD by which the invoice may differ from what the object would cost now: none in the shop's own KWD."""
    return Decimal(0) if plan.currency == money.KWD else plan.amount * _RATE_MOVED


def _taken_over(place: Invoice, snapshot: Snapshot, plan: Plan, origin: Origin) -> Invoice:
    try:
        return adoption.adopt(place, snapshot, Expected(adoption.PANEL, plan=plan), origin)
    except CannotAdopt as error:
        raise Refused(f"adopt_{error.what}") from error
