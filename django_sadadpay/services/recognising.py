"""Whose an invoice is that no row holds: a bill of a subscription or plan of ours, or a payment by a link."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django_sadadpay.gateway import coerce
from django_sadadpay.gateway.errors import NotFound
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import (
    Installment,
    InstallmentPlan,
    Invoice,
    Mirror,
    PaymentLink,
    ProductLink,
    Subscription,
    SubscriptionPeriod,
)
from django_sadadpay.models.base import AccountRow
from django_sadadpay.services import adoption, bills, opening, plans, subscriptions, telling
from django_sadadpay.services.adoption import CannotAdopt, Expected
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.parts import Maker, Part
from django_sadadpay.services.snapshots import Snapshot

_LINKS: dict[str, type[PaymentLink] | type[ProductLink]] = {
    "paymentlink": PaymentLink,
    "productlink": ProductLink,
}


@dataclass(frozen=True)
class Found:
    """``invoice``: our row, taken over and settled. ``is_a_bill``: one of ours made it; without an invoice,
    nothing tells yet for which part.
    """

    invoice: Invoice | None = None
    is_a_bill: bool = False


def recognise(row: AccountRow, snapshot: Snapshot, origin: Origin) -> Found:
    """Look whether something of ours made the invoice; if so, take it over and settle it.

    :param row: whose account and environment it is of.
    :raises SadadError: the schedule could not be read. :raises TryAgain: likewise.
    """
    part = _part(row, snapshot.record.id)
    if part is None:
        maker = _maker(row, snapshot.record)
        if maker is None:
            return _through_link(row, snapshot, origin)
        part = _refreshed(maker, snapshot.record.id)
    if part is None:
        return Found(is_a_bill=True)
    invoice = bills.look(part, origin, snapshot)
    if invoice is not None:
        telling.of(invoice)
    return Found(invoice, is_a_bill=True)


def _part(row: AccountRow, sadad_id: str) -> Part | None:
    """The part whose schedule names the invoice."""
    here = {"account": row.account, "environment": row.environment}
    periods = SubscriptionPeriod.objects.select_related("subscription__template", "invoice")
    mine = {f"subscription__{name}": value for name, value in here.items()}
    period = periods.filter(sadad_invoice_id=sadad_id, **mine).first()
    if period is not None:
        return period
    installments = Installment.objects.select_related("plan", "invoice")
    mine = {f"plan__{name}": value for name, value in here.items()}
    return installments.filter(sadad_invoice_id=sadad_id, **mine).first()


def _maker(row: AccountRow, record: InvoiceRecord) -> Maker | None:
    """The one subscription or plan with its reference; none where several have it. One that was not made here
    may share its reference with the panel's invoices: of those only their own type counts.
    """
    reference = record.ref_number.strip()
    of_a_bill = coerce.fold(record.type) in ("subscription", "installmentplan")
    if not reference or not (of_a_bill or opening.is_our_form(reference)):
        return None
    found: list[Maker] = []
    for model in (Subscription, InstallmentPlan):
        mine = model.objects.filter(account=row.account, environment=row.environment, ref_number=reference)
        found += mine[:2]
    return found[0] if len(found) == 1 else None


def _refreshed(maker: Maker, sadad_id: str) -> Part | None:
    """The part, after its schedule was read anew.

    :raises TryAgain: it could not be read.
    """
    try:
        if isinstance(maker, Subscription):
            subscriptions.refresh(maker)
        else:
            plans.refresh(maker)
    except (NotFound, Refused):
        return None  # it is gone, or its insert was not answered yet
    return _part(maker, sadad_id)


# Links


def _through_link(row: AccountRow, snapshot: Snapshot, origin: Origin) -> Found:
    """A payer made it on a link's page. Which link is known only if Sadad's reply says so: a type and an
    amount prove nothing. Where the account keeps no links here, its link invoices are not ours.
    """
    kind = adoption.LINK_TYPES.get(coerce.fold(snapshot.record.type))
    if kind is None:
        return Found()
    links = _LINKS[kind].objects.filter(account=row.account, environment=row.environment)
    link = _link_of(links, snapshot.record, kind)
    if link is None and not links.exists():
        return Found()
    made_from = kind if link is None else adoption.maker(link)
    try:
        return Found(adoption.adopt(row, snapshot, Expected(made_from, _asked(link)), origin))
    except CannotAdopt:
        return Found()


def _asked(link: Mirror | None) -> Decimal | None:
    """KWD that each invoice of a link asks for; None: the payer chooses, or it is not known which link."""
    if not isinstance(link, PaymentLink) or link.payload.get("is_open_amount"):
        return None
    amount: Decimal | None = link.amount
    return amount


def _link_of(links: Any, record: InvoiceRecord, kind: str) -> Mirror | None:
    """By the link's key, or its id, in a field that is named after it (what it is called is not known)."""
    said = {coerce.fold(str(name)): coerce.id_text(value) for name, value in record.raw.items()}
    key, sadad_id = said.get(f"{kind}key", ""), said.get(f"{kind}id", "")
    found: Mirror | None = links.filter(sadad_key=key).first() if key else None
    if found is None and sadad_id:
        found = links.filter(sadad_id=sadad_id).first()
    return found
