"""What still needs its personal data, and why: such a row is left as it is, and the purge says so."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from django_sadadpay.models import Attention, Invoice, Mirror, Refund, WebhookEvent
from django_sadadpay.services import transitions

State = Invoice.State

#: Why a row is kept, by code.
WHY: dict[str, str] = {
    "open": "the invoice is open: it can still be paid",
    "unknown": "nobody knows yet whether Sadad made the invoice",
    "watched": "the invoice is closed, but a payment on it is still watched for",
    "hook": "the order has not been told of the payment yet",
    "refund": "a refund is not finished",
    "case": "a case waits for a person",
    "inbox": "the webhook call is not handled yet",
    "mirror": "it stands at Sadad: delete it there first, or it would come back with the next pull",
}


def why_invoice(invoice: Invoice, now: datetime) -> str:
    """A code of ``WHY``, or ``""``: nothing needs the customer's data or Sadad's raw replies any more."""
    if invoice.state in Invoice.PAYABLE:
        return "open"
    if invoice.state == State.UNKNOWN:
        return "unknown"
    if invoice.state in transitions.DEAD and transitions.is_watched(invoice, now):
        return "watched"
    if invoice.next_hook_at is not None:
        return "hook"
    refunds = invoice.refunds.filter(state__in=(Refund.State.REQUESTED, *Refund.IN_FLIGHT))
    if refunds.exists() or invoice.refunds.filter(next_hook_at__isnull=False).exists():
        return "refund"
    return "case" if invoice.attention.filter(resolved_at=None).exists() else ""


def why_event(event: WebhookEvent) -> str:
    """A code of ``WHY``, or ``""``. A call that is waiting may be the only trace of a payment."""
    if event.state in (WebhookEvent.State.WAITING, WebhookEvent.State.WORKING):
        return "inbox"
    return "case" if _open_cases(event).exists() else ""


def _open_cases(event: WebhookEvent) -> QuerySet[Attention]:
    """Calls that name no invoice share one case, which names the account alone."""
    about = Q(event=event)
    if event.state == WebhookEvent.State.DEAD and not event.sadad_id:
        nothing = Attention.Code.EVENT_NAMES_NOTHING
        about |= Q(code=nothing, account=event.account, environment=event.environment)
    return Attention.objects.filter(about, resolved_at=None)


def why_mirror(row: Mirror) -> str:
    """A code of ``WHY``, or ``""``: only what is gone at Sadad is of no more use."""
    return "" if row.state == Mirror.State.DELETED else "mirror"
