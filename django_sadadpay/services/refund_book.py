"""Which of our refunds explain Sadad's ``refunded_Amount``; what they do not explain was refunded in the
panel (money-flow 5).

Everything here runs inside a transaction that holds the invoice's lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django_sadadpay import conf, money, signals
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.models.attention import RULES
from django_sadadpay.services import attention, hooks, schedule, transitions
from django_sadadpay.services.ledger import Origin, append, change

State, Code = Refund.State, Attention.Code
_HOLD = (Code.FACT_REFUSED, Code.MISMATCH, Code.ID_CONFLICT)
_WANT_REFUND = tuple(str(code) for code, rule in RULES.items() if "refund" in rule.actions)


def left(invoice: Invoice) -> Decimal:
    """What may still be refunded: paid minus the larger of Sadad's figure and all rows that are not freed.
    KWD.
    """
    if says_refunded(invoice):
        return Decimal("0.000")
    reserved = _sum(invoice.refunds.exclude(state__in=Refund.FREED))
    rest: Decimal = invoice.paid_amount - max(invoice.refunded_amount, reserved)
    return max(rest, Decimal("0.000"))


def says_refunded(invoice: Invoice) -> bool:
    """Sadad's word is "Refunded", whatever its figure; a person who has dealt with the difference waives
    it.
    """
    if invoice.status_text.casefold() != "refunded":
        return False
    cases = invoice.attention.filter(code=Code.FACT_REFUSED)
    return not cases.filter(resolution__startswith=attention.DISMISSED).exists()


def is_held(invoice: Invoice) -> bool:
    """What Sadad says of the invoice cannot be believed: no refund is sent until a person has looked."""
    return invoice.attention.filter(resolved_at=None, code__in=_HOLD).exists()


def expected(invoice: Invoice) -> Decimal:
    """What ``refunded_Amount`` is, or will be once every refund that was done shows at Sadad. KWD.

    A refund may be done before it shows: the next one must not be thought done when the earlier one appears.
    """
    shown: Decimal = invoice.refunded_amount
    return max(shown, _sum(invoice.refunds.filter(state=State.DONE)))


def attribute(invoice: Invoice, origin: Origin, now: datetime) -> None:
    """Resolve an unknown refund by Sadad's figure, and make a row for what was refunded in the panel."""
    if not invoice.is_paid:
        return
    for refund in invoice.refunds.filter(state=State.UNKNOWN):
        _resolve(refund, invoice, origin, now)
    _book_panel(invoice, origin, now)
    if expected(invoice) >= invoice.paid_amount:
        _given_back(invoice, origin, now)


def _given_back(invoice: Invoice, origin: Origin, now: datetime) -> None:
    """All of it was refunded: whoever waited for that has it, and an order that never heard of the payment
    may be paid anew.
    """
    attention.close(_WANT_REFUND, now, "refunded", invoice=invoice, origin=origin)
    if invoice.handled_at is None and (invoice.paid_slot or invoice.next_hook_at):
        change(invoice, "released", origin, now, paid_slot=None, next_hook_at=None)


def _resolve(refund: Refund, invoice: Invoice, origin: Origin, now: datetime) -> None:
    before = refund.refunded_before or Decimal(0)
    if invoice.refunded_amount >= before + refund.amount:
        finish(refund, invoice, State.DONE, origin, now, found="looked")
    elif invoice.refunded_amount > before or now - _sent(refund) > _look_for():
        ask_unknown(refund, now)


def _sent(refund: Refund) -> datetime:
    return refund.sent_at or refund.created_at


def _look_for() -> timedelta:
    return timedelta(hours=conf.current().refund_look_hours)


def ask_unknown(refund: Refund, now: datetime) -> None:
    amount = [str(refund.amount), money.KWD]
    attention.ask(Code.REFUND_UNKNOWN, now, refund, invoice=refund.invoice, refund=refund, amount=amount)


def _book_panel(invoice: Invoice, origin: Origin, now: datetime) -> None:
    """Growth belongs first to refunds of ours that were sent, up to their amounts; only the rest is the
    panel's.
    """
    ours = _sum(invoice.refunds.filter(state__in=(State.DONE, *Refund.IN_FLIGHT)))
    rest = invoice.refunded_amount - ours
    if rest <= 0:
        return
    refund = Refund.objects.create(
        account=invoice.account,
        environment=invoice.environment,
        invoice=invoice,
        amount=rest,
        source=Refund.Source.PANEL,
        state=State.DONE,
        created_at=now,
        finished_at=now,
    )
    append(invoice, "refund_panel", origin, now, params={"refund": refund.pk, "amount": f"{rest:.3f}"})
    _done(refund, invoice, now)


def finish(
    refund: Refund,
    invoice: Invoice,
    state: str,
    origin: Origin,
    now: datetime,
    *,
    found: str = "",
    **values: Any,
) -> None:
    """End a refund that was sent (or refused before); frees the invoice for the next one."""
    update(refund, state=state, in_flight_slot=None, finished_at=now, next_check_at=None, **values)
    params = {
        "refund": refund.pk,
        "amount": f"{refund.amount:.3f}",
        "code": refund.error_code,
        "found": found,
    }
    append(invoice, f"refund_{state}", origin, now, params=params)
    attention.close((Code.REFUND_UNKNOWN,), now, str(state), refund=refund, origin=origin)
    if state == State.DONE:
        _done(refund, invoice, now)


def ask_refused(refund: Refund, invoice: Invoice, now: datetime) -> None:
    """Nobody was looking when background work sent it: the person who asked for it must hear of the
    refusal.
    """
    amount = [str(refund.amount), money.KWD]
    code = refund.error_code
    attention.ask(
        Code.REFUND_REFUSED, now, refund, invoice=invoice, refund=refund, amount=amount, error_key=code
    )


def _done(refund: Refund, invoice: Invoice, now: datetime) -> None:
    transitions.announce(signals.invoice_refunded, invoice, refund=refund)
    tell(refund, invoice, now)


def tell(refund: Refund, invoice: Invoice, now: datetime) -> None:
    """Call ``Payable.refunded()`` once, if the order ever heard of the payment; a failure is tried again
    later.
    """
    if refund.handled_at is not None or refund.state != State.DONE:
        return
    if invoice.handled_at is None:
        update(refund, next_hook_at=None)
        return
    refund.invoice = invoice
    result = hooks.refunded(refund)
    if result.ok:
        update(refund, handled_at=now, next_hook_at=None)
        attention.close((Code.REFUND_HOOK_FAILED,), now, "the order was told", refund=refund)
        return
    tries = refund.hook_tries + 1
    update(refund, hook_tries=tries, next_hook_at=schedule.back_off(now, tries))
    error = str(result.params.get("error", result.code))
    attention.ask(Code.REFUND_HOOK_FAILED, now, refund, invoice=invoice, refund=refund, error=error)


def update(refund: Refund, **values: Any) -> None:
    """Set columns by name; never a whole stale row."""
    for name, value in values.items():
        setattr(refund, name, value)
    refund.save(update_fields=list(values))


def _sum(refunds: Iterable[Refund]) -> Decimal:
    """Added here, not in SQL: SQLite adds as floats (money-flow 9)."""
    return sum((refund.amount for refund in refunds), Decimal("0.000"))
