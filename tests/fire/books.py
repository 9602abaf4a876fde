"""What must hold at every moment, and what must hold when the faults have stopped and time has passed.

``Books`` holds the shop's database against the emulator's own memory, which is the truth about the money.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.models import Attention, Invoice, InvoiceEvent, Refund, WebhookEvent
from django_sadadpay.models.attention import Code
from django_sadadpay.models.invoice import as_fact
from django_sadadpay.services import clock
from django_sadadpay.services.attention import DISMISSED
from tests.shop.models import Order

if TYPE_CHECKING:
    from django_sadadpay.emulator.api import Call
    from django_sadadpay.emulator.entities import Invoice as Truth
    from django_sadadpay.emulator.state import World

State, RefundState = Invoice.State, Refund.State
PAID = ("Paid", "Deposited", "WaitingRefund", "Refunded")
#: Sadad did not look at these calls: as if they had carried no token.
_TURNED_AWAY = {"unauthorized_401", "unauthorized_200"}
_COLUMNS = (
    "pk",
    "reference",
    "amount",
    "payable",
    "object_id",
    "purpose",
    "fetch_began_at",
    *Invoice.TRACKED,
)
_REFUND_COLUMNS = ("pk", "invoice_id", "amount", "state", "source", "handled_at")
#: Reasons why a payment that was recorded did not count, or not yet.
_NOT_COUNTED = (
    Code.PAID_TWICE,
    Code.AMOUNT_CHANGED,
    Code.PAID_AFTER_CANCEL,
    Code.CANNOT_FULFIL,
    Code.HOOK_FAILED,
    Code.OBJECT_GONE,
    Code.NOT_REGISTERED,
)
_CURABLE = (Code.MISMATCH, Code.UNKNOWN_STATUS, Code.FACTS_FELL, Code.FACT_REFUSED)
#: What was read and not believed leaves no mark of when it was read.
_NOT_READ = (Code.MISMATCH, Code.ID_CONFLICT, Code.INVOICE_NOT_FOUND)
_STRANGER = (Code.MISMATCH, Code.ID_CONFLICT)


def fils(amount: Decimal) -> int:
    return int(amount * 1000)


class Broken(AssertionError):
    """An invariant does not hold."""


def hold(condition: object, what: str, *details: object) -> None:
    if not condition:
        raise Broken(f"{what}: {', '.join(repr(detail) for detail in details)}")


@dataclass
class Books:
    """The shop's side held against ``world``. One for each run: the ledger is replayed as it grows."""

    world: World
    facts: dict[int, dict[str, Any]] = field(default_factory=dict)
    last_event: int = 0
    #: Webhook calls answered 200, by Sadad id.
    accepted: Counter[str] = field(default_factory=Counter)
    #: When the last of them came in.
    accepted_at: dict[str, datetime] = field(default_factory=dict)
    #: How many invoices are in which state.
    states: Counter[str] = field(default_factory=Counter)

    # At every moment

    def check(self, calls: Iterable[Call] = ()) -> None:
        rows = list(Invoice.objects.values(*_COLUMNS))
        refunds = list(Refund.objects.values(*_REFUND_COLUMNS))
        self.states = Counter(row["state"] for row in rows)
        self._replay(rows)
        for row in rows:
            self._check_row(row)
        self._check_references()
        _check_hooks(rows, refunds)
        self._check_refunds(rows, refunds)
        _check_sent(rows, refunds, calls)
        self._check_events(rows)

    def _replay(self, rows: list[dict[str, Any]]) -> None:
        """Each ledger row starts from what the one before it left, and the last leaves what is stored."""
        for event in InvoiceEvent.objects.filter(pk__gt=self.last_event).order_by("pk").values():
            known = self.facts.setdefault(event["invoice_id"], {})
            for name, (old, new) in event["changes"].items():
                hold(known.get(name) == old, "a ledger row starts from another fact", name, known, event)
                known[name] = new
            self.last_event = event["id"]
        for row in rows:
            stored = {name: as_fact(row[name]) for name in Invoice.TRACKED}
            hold(self.facts.get(row["pk"]) == stored, "a replay gives another state", row["reference"])

    def truth(self, sadad_id: str | None) -> Truth | None:
        return self.world.invoices.get(int(sadad_id)) if sadad_id else None

    def _check_row(self, row: dict[str, Any]) -> None:
        """Paid only if Sadad says so of the same id, reference and amount."""
        if row["state"] == State.PAID:
            there = self.truth(row["sadad_id"])
            hold(there is not None and there.status in PAID, "paid here, not at Sadad", row, there)
            assert there is not None
            hold(there.ref_number == row["reference"], "paid with another reference", row, there)
            hold(there.fils == fils(row["amount"]), "paid with another amount", row, there)
            hold(fils(row["refunded_amount"]) <= there.refunded_fils, "more refunded here", row, there)
        hold(row["refunded_amount"] <= row["paid_amount"], "more refunded than paid", row)
        if row["state"] == State.REFUSED:
            there = self.by_reference(row["reference"])
            hold(there is None, "refused here, made at Sadad", row, there)

    def by_reference(self, reference: str) -> Truth | None:
        return next((one for one in self.world.invoices.values() if one.ref_number == reference), None)

    def _check_references(self) -> None:
        seen = Counter(one.ref_number for one in self.world.invoices.values() if "-" in one.ref_number)
        hold(not seen or max(seen.values()) == 1, "a reference went to Invoice/insert twice", seen)

    def _check_refunds(self, rows: list[dict[str, Any]], refunds: list[dict[str, Any]]) -> None:
        """No money went back but for a row that says so, and never more than was paid."""
        ours = {row["pk"]: row for row in rows}
        held = Counter(
            (ours[one["invoice_id"]]["sadad_id"], fils(one["amount"]))
            for one in refunds
            if one["state"] in (RefundState.SENDING, RefundState.UNKNOWN, RefundState.DONE)
        )
        done: Counter[tuple[str | None, int]] = Counter()
        back: Counter[int] = Counter()
        for one in self.world.refunds:
            back[one.invoice_id] += one.fils
            done[(str(one.invoice_id), one.fils)] += one.source == "api"
        for key, times in done.items():
            hold(times <= held[key], "refunded at Sadad without a row that stands for it", key, refunds)
        for number, amount in back.items():
            hold(amount <= self.world.invoices[number].fils, "more refunded than paid at Sadad", number)
        _check_sums(ours, refunds)

    def _check_events(self, rows: list[dict[str, Any]]) -> None:
        """Each call that was answered with 200 is stored, and what is not handled yet is due some day."""
        stored: Counter[str] = Counter()
        waiting: set[str] = set()
        for event in WebhookEvent.objects.values("sadad_id", "count", "state", "next_try_at"):
            stored[event["sadad_id"]] += event["count"]
            if event["state"] in (WebhookEvent.State.WAITING, WebhookEvent.State.WORKING):
                hold(event["next_try_at"], "an event that nobody will handle", event)
                waiting.add(event["sadad_id"])
        for sadad_id, times in self.accepted.items():
            hold(stored[sadad_id] >= times, "a call answered with 200 is lost", sadad_id, times)
        for row in rows:
            self._check_woken(row, waiting)

    def _check_woken(self, row: dict[str, Any], waiting: set[str]) -> None:
        """Sadad was asked after the last call came in, or will be: no wake-up is lost."""
        came = self.accepted_at.get(row["sadad_id"] or "")
        if came is None or row["state"] == State.PAID or row["sadad_id"] in waiting:
            return
        if row["fetch_began_at"] is not None and row["fetch_began_at"] >= came:
            return
        asked = Attention.objects.filter(code__in=_NOT_READ, invoice=row["pk"]).exists()
        hold(asked, "a call answered with 200 woke nobody up", row["reference"], came)

    # When the faults have stopped

    def check_ended(self, calls: Iterable[Call] = ()) -> None:
        """Both sides agree; what does not agree waits for a person, once."""
        self.check(calls)
        cases = _Cases()
        for invoice in Invoice.objects.all():
            self._check_agrees(invoice, cases)
        for truth in self.world.invoices.values():
            self._check_known(truth, cases)
        for refund in Refund.objects.all():
            _check_refund_ended(refund, cases)
        for event in WebhookEvent.objects.all():
            _check_event_ended(event)
        _check_counted(cases)
        _check_nothing_due()

    def _check_known(self, truth: Truth, cases: _Cases) -> None:
        """A payment at Sadad for an invoice of ours is a payment here."""
        ours = Invoice.objects.filter(reference=truth.ref_number).first()
        if ours is None or truth.status not in PAID or ours.is_paid:
            return
        cases.ask_once(ours, _STRANGER, "paid at Sadad, not here", truth)

    def _check_agrees(self, invoice: Invoice, cases: _Cases) -> None:
        truth = self.truth(invoice.sadad_id)
        if truth is None:
            hold(invoice.state != State.OPEN, "open here, unknown to Sadad", invoice.reference)
            return
        if truth.ref_number != invoice.reference:
            cases.ask_once(invoice, _STRANGER, "holds a stranger's id", truth)
            return
        if invoice.is_paid:
            self._check_paid(invoice, truth, cases)
        else:
            _check_unpaid(invoice, truth)
        for code in _CURABLE:
            hold(not cases.open(invoice, code), "both sides agree, yet a person is asked", code, truth)

    def _check_paid(self, invoice: Invoice, truth: Truth, cases: _Cases) -> None:
        here = (
            invoice.status_text,
            fils(invoice.paid_amount),
            invoice.transaction_id,
            invoice.payment_method,
        )
        there = (truth.status, truth.fils, truth.transaction_id, truth.gateway_code)
        hold(here == there, "the payment differs", invoice.reference, here, there)
        hold(fils(invoice.refunded_amount) == truth.refunded_fils, "refunded differs", invoice, truth)
        hold(invoice.attempts.count() == len(truth.transactions), "attempts differ", invoice, truth)
        done = sum(fils(one.amount) for one in invoice.refunds.filter(state=RefundState.DONE))
        unknown = invoice.refunds.filter(state=RefundState.UNKNOWN).exists()
        hold(done == truth.refunded_fils or unknown, "refund rows differ", invoice.reference, done, truth)


def _check_unpaid(invoice: Invoice, truth: Truth) -> None:
    if truth.status in PAID:
        return  # said by _check_known
    if invoice.state == State.OPEN:
        hold(truth.status == "Unpaid", "open here, over at Sadad", invoice.reference, truth)
    elif truth.status == "Unpaid":
        # Sadad did not delete it, or nobody could ask in time: it is watched until its time is over.
        hold(invoice.state not in Invoice.PAYABLE, "half-way for ever", invoice.reference, invoice.state)
        over = invoice.state in (State.LOST, State.EXPIRED) and clock.now() > invoice.expires_at
        hold(invoice.closing != "" or over, "never withdrawn", invoice, invoice.state)


def _check_hooks(rows: list[dict[str, Any]], refunds: list[dict[str, Any]]) -> None:
    """``paid()`` took effect once for each payment that counts, ``refunded()`` once for each refund told."""
    slots = Counter(row["paid_slot"] for row in rows if row["handled_at"])
    hold(not slots or max(slots.values()) == 1, "paid() twice for one purpose", slots)
    handled = Counter(row["object_id"] for row in rows if row["handled_at"])
    order_of = {row["pk"]: row["object_id"] for row in rows}
    told: dict[str, list[Decimal]] = {}
    for one in refunds:
        if one["handled_at"]:
            told.setdefault(order_of[one["invoice_id"]], []).append(one["amount"])
    for order in Order.objects.values("pk", "paid_calls", "refund_calls", "refunded"):
        key = str(order["pk"])
        hold(order["paid_calls"] == handled[key], "paid() took effect", order, handled)
        amounts = told.get(key, [])
        here = (order["refund_calls"], fils(order["refunded"]))
        hold(here == (len(amounts), sum(map(fils, amounts))), "refunded() took effect", order, amounts)


def _check_sums(ours: dict[int, dict[str, Any]], refunds: list[dict[str, Any]]) -> None:
    done: Counter[int] = Counter()
    for one in refunds:
        done[one["invoice_id"]] += fils(one["amount"]) if one["state"] == RefundState.DONE else 0
    for pk, amount in done.items():
        hold(amount <= fils(ours[pk]["paid_amount"]), "more refunded than paid", ours[pk], refunds)


def _check_sent(rows: list[dict[str, Any]], refunds: list[dict[str, Any]], calls: Iterable[Call]) -> None:
    """At most one Refund/insert with a valid token for each row."""
    sent = Counter(
        (str(call.body["invoice_Id"]), fils(Decimal(str(call.body["amount"]))))
        for call in calls
        if call.endpoint == "Refund/insert" and call.authenticated and not _TURNED_AWAY & set(call.faults)
    )
    if not sent:
        return
    ids = {row["pk"]: row["sadad_id"] for row in rows}
    asked = Counter(
        (ids[one["invoice_id"]], fils(one["amount"]))
        for one in refunds
        if one["source"] == Refund.Source.SHOP
    )
    for key, times in sent.items():
        hold(times <= asked[key], "a refund was sent twice", key, times)


class _Cases:
    """What waits for a person at the end."""

    def __init__(self) -> None:
        self.rows = list(Attention.objects.all())

    def open(self, invoice: Invoice, code: str) -> bool:
        return any(row.invoice_id == invoice.pk and row.code == code and row.is_open for row in self.rows)

    def ask_once(self, invoice: Invoice, codes: Iterable[str], what: str, *details: object) -> None:
        """Exactly one open row for a disagreement; none only if a person has dealt with it already."""
        rows = [row for row in self.rows if row.invoice_id == invoice.pk and row.code in set(codes)]
        waiting = [row.code for row in rows if row.is_open]
        dealt = any(row.resolution.startswith(DISMISSED) for row in rows)
        hold(len(waiting) == 1 or (dealt and not waiting), what, invoice.reference, waiting, *details)

    def of_refund(self, refund: Refund) -> list[str]:
        return [row.code for row in self.rows if row.refund_id == refund.pk and row.is_open]


def _check_counted(cases: _Cases) -> None:
    """Each payment counts for its object, or was given back, or waits for a person."""
    for invoice in Invoice.objects.filter(state=State.PAID, handled_at=None):
        gone = not Order.objects.filter(pk=invoice.object_id).exists()
        back = sum(fils(one.amount) for one in invoice.refunds.filter(state=RefundState.DONE))
        if max(back, fils(invoice.refunded_amount)) >= fils(invoice.paid_amount):
            continue
        codes = (Code.OBJECT_GONE, Code.HOOK_FAILED) if gone else _NOT_COUNTED
        what = "paid at Sadad, paid() never called and nobody asked"
        cases.ask_once(invoice, {*codes, *_NOT_COUNTED}, what, invoice.state)


def _check_refund_ended(refund: Refund, cases: _Cases) -> None:
    hold(refund.state != RefundState.SENDING, "still being sent", refund)
    if refund.state == RefundState.UNKNOWN:
        hold(cases.of_refund(refund) == [Code.REFUND_UNKNOWN], "unknown, and nobody asked", refund)
    if refund.state == RefundState.REQUESTED:
        blocked = refund.invoice.refunds.filter(in_flight_slot__isnull=False).exists()
        held = any(cases.open(refund.invoice, code) for code in (Code.FACT_REFUSED, *_STRANGER))
        hold(blocked or held, "never sent", refund, refund.next_check_at)


def _check_event_ended(event: WebhookEvent) -> None:
    waiting = event.state in (WebhookEvent.State.WAITING, WebhookEvent.State.WORKING)
    hold(not waiting, "an event is not handled", event.sadad_id, event.state, event.error_code)


def _check_nothing_due() -> None:
    """An order that is paid has no other link open."""
    paid = set(Invoice.objects.exclude(handled_at=None).values_list("paid_slot", flat=True))
    still = Invoice.objects.filter(open_slot__in=paid).values_list("reference", "state")
    hold(not still, "paid, and another link is still open", list(still))
