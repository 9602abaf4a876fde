"""Settlement: the one place that changes an invoice's payment facts (money-flow 4).

Webhook, browser return, reconcile, staff and API end here, each with a snapshot. ``settle`` runs in one
transaction: lock,
read the snapshot against the row, merge what can only grow, take the rest if the snapshot is the newest,
apply a payment once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_sadadpay.gateway.hidden import hide
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.services import (
    applying,
    attempts,
    attention,
    clock,
    facts,
    hooks,
    paylinks,
    plain,
    refund_book,
    transactions,
    transitions,
)
from django_sadadpay.services.facts import Reading
from django_sadadpay.services.ledger import Origin, change
from django_sadadpay.services.points import point
from django_sadadpay.services.snapshots import Snapshot

Code = Attention.Code
State = Invoice.State
#: Cases that close by themselves once both sides agree again.
_CURED = (
    Code.MISMATCH,
    Code.UNKNOWN_STATUS,
    Code.FACTS_FELL,
    Code.FACT_REFUSED,
    Code.INVOICE_NOT_FOUND,
)


@dataclass(frozen=True)
class Settled:
    """``stale``: another fetch that ended later was applied before; only what can grow was taken."""

    invoice: Invoice
    stale: bool = False


@dataclass(frozen=True)
class _Case:
    """One snapshot held against one locked row."""

    invoice: Invoice
    record: InvoiceRecord
    reading: Reading
    snapshot: Snapshot
    origin: Origin
    now: datetime
    fresh: bool

    def change(self, kind: str, params: dict[str, Any] | None = None, **values: Any) -> None:
        values = hide(values)
        change(self.invoice, kind, self.origin, self.now, fetch=self.snapshot.fetch, params=params, **values)

    def ask(self, code: str, **params: Any) -> bool:
        return attention.ask(code, self.now, self.invoice, invoice=self.invoice, **params)


def settle(pk: int, snapshot: Snapshot, origin: Origin) -> Settled:
    """Hold a snapshot against the invoice and apply what it proves; exactly once, however often it comes.

    :raises TryAgain: the database stayed locked; nothing was changed.
    """
    settled = hooks.run(lambda: _settle(pk, snapshot, origin))
    point("settle.committed")
    if settled.invoice.is_applied:
        transitions.withdraw_others(settled.invoice, origin)
        point("settle.withdrawn")
    return settled


def _settle(pk: int, snapshot: Snapshot, origin: Origin) -> Settled:
    invoice = transactions.lock(Invoice, pk)
    case = _Case(
        invoice=invoice,
        record=snapshot.record,
        reading=facts.read(invoice, snapshot.record),
        snapshot=snapshot,
        origin=origin,
        now=clock.now(),
        fresh=invoice.fetch_ended_at is None or snapshot.fetch.began > invoice.fetch_ended_at,
    )
    if not _identify(case):
        _schedule(case)
        return Settled(invoice)
    dead_before = invoice.state in transitions.DEAD
    newly_paid = case.reading.proves_payment and not invoice.is_paid
    _take_fresh(case)
    if newly_paid:
        _record_payment(case)
    attempts.merge(invoice, case.record)
    _take_refunded(case)
    _move(case, newly_paid)
    if newly_paid:
        applying.apply_new(invoice, case.reading, origin, case.now, dead_before=dead_before)
    refund_book.attribute(invoice, origin, case.now)
    _schedule(case)
    point("settle.settled")
    return Settled(invoice, stale=not case.fresh)


# Identity


def _identify(case: _Case) -> bool:
    """The id, the reference and the amount agree; a mismatch is recorded, applied to nothing, and asks."""
    mismatch = _id_mismatch(case) or case.reading.mismatch
    if mismatch is None:
        _learn_id(case)
        return True
    params = {
        "what": mismatch.what,
        "ours": mismatch.ours,
        "theirs": mismatch.theirs,
        "status": plain.text(case.record.status, 40),
        "id": case.record.id,
    }
    code = Code.ID_CONFLICT if mismatch.what == "id" else Code.MISMATCH
    if case.ask(code, **params):
        case.change("mismatch", params)
    return False


def _id_mismatch(case: _Case) -> facts.Mismatch | None:
    stored, said = case.invoice.sadad_id, case.record.id
    if stored is not None and stored != said:
        return facts.Mismatch("id", stored, said)
    if stored is None and transitions.holder_of_id(case.invoice, said) is not None:
        return facts.Mismatch("id", "–", said)
    return None


def _learn_id(case: _Case) -> None:
    if case.invoice.sadad_id is None:
        case.change("identified", sadad_id=case.record.id, ref_number=plain.text(case.record.ref_number, 200))


# Facts


def _record_payment(case: _Case) -> None:
    record, invoice = case.record, case.invoice
    case.change(
        "paid",
        state=State.PAID,
        open_slot=None,
        paid_amount=invoice.amount,
        paid_at=record.paid_at or case.now,
        transaction_id=plain.text(record.transaction_id, 100),
        payment_method=plain.text(record.payment_gateway_code or record.payment_gateway, 60),
        error_code="",
        recorded_at=case.now,
    )


def _take_refunded(case: _Case) -> None:
    """``refunded_Amount`` only grows; a figure that cannot be is recorded and flagged, never stored."""
    invoice, reading = case.invoice, case.reading
    impossible = reading.refunded_impossible or (reading.refunded or 0) > invoice.paid_amount
    if not impossible and reading.refunded is not None and reading.refunded > invoice.refunded_amount:
        case.change("refunded", refunded_amount=reading.refunded)
    # Sadad's word and figure differ: nothing more is refunded (refund_book.left) until a person has looked.
    differs = reading.fully_refunded and invoice.refunded_amount < invoice.paid_amount
    if impossible or differs:
        word = f" ({plain.text(case.record.status, 40)})" if differs else ""
        _refuse_fact(case, "refunded", f"{str(case.record.refunded_amount)[:40]}{word}")


def _refuse_fact(case: _Case, what: str, theirs: str) -> None:
    if case.ask(Code.FACT_REFUSED, what=what, theirs=theirs):
        case.change("fact_refused", {"what": what, "theirs": theirs})


def _take_fresh(case: _Case) -> None:
    """What Sadad may say differently each time is taken from the newest fetch alone."""
    if not case.fresh:
        return
    _doubt(case)
    case.change(
        "read",
        status_text=plain.text(case.record.status, 40),
        ref_number=plain.text(case.record.ref_number, 200),
        raw=None if case.invoice.is_erased else plain.data(case.record.raw),
        fetch_began_at=case.snapshot.fetch.began,
        fetch_ended_at=case.snapshot.fetch.ended,
        **paylinks.links(case.invoice, case.record, case.now),
    )


def _doubt(case: _Case) -> None:
    """A payment or refund that seems to vanish is believed only to be a doubt until two fetches in turn say
    so.
    """
    what, invoice = _fallen(case), case.invoice
    if what is None:
        if invoice.doubt is not None:
            case.change("doubt", doubt=None)
    elif invoice.doubt is None or invoice.doubt["what"] != what:
        case.change("doubt", {"what": what}, doubt={"what": what})
    else:
        # fresh: this fetch began after the one that raised the doubt had ended.
        case.ask(Code.FACTS_FELL, what=what)
        case.change("doubt", doubt={"what": what, "asked": True})


def _fallen(case: _Case) -> str | None:
    if not case.invoice.is_paid:
        return None
    if case.reading.is_known and not case.reading.proves_payment:
        return "paid"
    said = case.reading.refunded
    return "refunded" if said is not None and said < case.invoice.refunded_amount else None


# States


def _move(case: _Case, newly_paid: bool) -> None:
    reading = case.reading
    if not reading.is_known:
        case.ask(Code.UNKNOWN_STATUS, status=plain.text(case.record.status, 40))
        return
    cured = tuple(code for code in _CURED if _is_cured(case, code))
    attention.close(cured, case.now, "both sides agree", invoice=case.invoice)
    if case.fresh and not newly_paid and not case.invoice.is_paid:
        transitions.follow(case.invoice, reading, case.origin, case.now)


def _is_cured(case: _Case, code: str) -> bool:
    if code == Code.MISMATCH:
        # A mismatch that was seen on another Sadad id stays: money may be waiting there.
        open_cases = case.invoice.attention.filter(code=code, resolved_at=None)
        return all(row.params.get("id") == case.record.id for row in open_cases)
    if code == Code.FACTS_FELL:
        return case.fresh and case.invoice.doubt is None
    if code == Code.FACT_REFUSED:
        return _refunded_is_possible(case)
    return True


def _refunded_is_possible(case: _Case) -> bool:
    said, invoice = case.reading.refunded, case.invoice
    if case.reading.fully_refunded and invoice.refunded_amount < invoice.paid_amount:
        return False
    return said is not None and said <= invoice.paid_amount


def _schedule(case: _Case) -> None:
    invoice = case.invoice
    transitions.reschedule(invoice, case.now)
    invoice.save(update_fields=["next_check_at"])
