"""Both sides of the books, held against each other: what is wrong, lost, doubled or stuck.

It is arithmetic over plain rows, so that a test can hand it a shop that lost a payment and see it found.
``gather.py`` fetches the rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
#: Sadad's words for an invoice that was paid (contract 3.10).
PAID = ("Paid", "Deposited", "WaitingRefund", "Refunded")
#: Sadad did not look at these calls: as if they had carried no token.
TURNED_AWAY = {"unauthorized_401", "unauthorized_200"}
#: Cases that say why a payment at Sadad does not count, or not yet.
NOT_COUNTED = {
    "paid_twice",
    "amount_changed",
    "paid_after_cancel",
    "refund_seen_first",
    "cannot_fulfil",
    "hook_failed",
    "object_gone",
    "not_registered",
}
#: Cases about an invoice that Sadad shows otherwise than we know it.
STRANGE = {"mismatch", "id_conflict"}
#: Cases that end by themselves once both sides agree.
CURABLE = {"mismatch", "unknown_status", "facts_fell", "fact_refused"}
FREED = ("refused", "did_not_happen")


@dataclass(frozen=True)
class Theirs:
    """Sadad's side, by the emulator's control API."""

    invoices: list[Row]
    refunds: list[Row]
    #: Every call of Refund/insert.
    inserts: list[Row]
    webhooks: list[Row]


@dataclass(frozen=True)
class Ours:
    """The shop's side, from its database. ``replayed``: invoice → the facts that its ledger leads to."""

    orders: list[Row]
    #: The shop's own history: one line for each effect of ``paid()`` and ``refunded()``.
    notes: list[Row]
    invoices: list[Row]
    refunds: list[Row]
    events: list[Row]
    cases: list[Row]
    replayed: dict[int, Row]
    stored: dict[int, Row]


@dataclass(frozen=True)
class Finding:
    """``kind``: wrong, lost, doubled or stuck."""

    kind: str
    what: str
    subject: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}: {self.subject}"


@dataclass
class Books:
    """The rows in the forms in which they are looked up."""

    ours: Ours
    theirs: Theirs
    by_reference: dict[str, Row] = field(init=False)
    by_sadad_id: dict[str, Row] = field(init=False)
    there: dict[str, Row] = field(init=False)
    cases: dict[int, set[str]] = field(init=False)
    refund_cases: dict[int, set[str]] = field(init=False)
    event_cases: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.by_reference = {row["reference"]: row for row in self.ours.invoices}
        self.by_sadad_id = {row["sadad_id"]: row for row in self.ours.invoices if row["sadad_id"]}
        self.there = {str(row["id"]): row for row in self.theirs.invoices}
        self.cases, self.refund_cases = defaultdict(set), defaultdict(set)
        self.event_cases = {row["event_id"] for row in self.ours.cases if row["event_id"]}
        for row in self.ours.cases:
            if row["invoice_id"]:
                self.cases[row["invoice_id"]].add(row["code"])
            if row["refund_id"]:
                self.refund_cases[row["refund_id"]].add(row["code"])

    def refunds_of(self) -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = defaultdict(list)
        for row in self.ours.refunds:
            found[row["invoice_id"]].append(row)
        return found


def audit(ours: Ours, theirs: Theirs) -> list[Finding]:
    """Everything that is not as it must be, once faults have stopped and time has passed."""
    books = Books(ours, theirs)
    checks = (_payments, _claims, _orders, _money_back, _sent, _inserted, _ledger, _calls, _unfinished)
    return [finding for check in checks for finding in check(books)]


def fils(amount: object) -> int:
    return int((Decimal(str(amount)) * 1000).to_integral_value())


def _payments(books: Books) -> Iterator[Finding]:
    """Each payment at Sadad is known here, of the same amount, and counts, or a person is asked why not."""
    refunds = books.refunds_of()
    for there in books.theirs.invoices:
        if there["status"] not in PAID:
            continue
        here, name = books.by_reference.get(there["ref_Number"]), f"{there['ref_Number']} ({there['id']})"
        if here is None:
            yield Finding("lost", "paid at Sadad, and no invoice here", name)
        elif here["state"] == "paid":
            yield from _payment(here, there, name)
            yield from _counted(here, name, books.cases[here["id"]], refunds[here["id"]])
        elif not books.cases[here["id"]] & STRANGE:
            yield Finding("lost", "paid at Sadad, not here", f"{name} {here['state']}")


def _payment(here: Row, there: Row, name: str) -> Iterator[Finding]:
    if fils(here["paid_amount"]) != fils(there["amount"]):
        yield Finding("wrong", "another amount was paid", name)
    if here["transaction_id"] != (there["transactionID"] or ""):
        yield Finding("wrong", "another transaction", name)
    if here["status_text"] != there["status"]:
        yield Finding("wrong", "another status", f"{name} {here['status_text']}, {there['status']}")


def _counted(here: Row, name: str, cases: set[str], refunds: list[Row]) -> Iterator[Finding]:
    """It counts for its order, or was given back, or a person is asked."""
    back = sum(fils(row["amount"]) for row in refunds if row["state"] == "done")
    if here["handled_at"] is None and not cases & NOT_COUNTED and back < fils(here["paid_amount"]):
        yield Finding("lost", "a payment that does not count, and nobody was asked", name)
    if cases & CURABLE:
        yield Finding("stuck", "both sides agree, yet a person is asked", f"{name} {sorted(cases & CURABLE)}")


def _claims(books: Books) -> Iterator[Finding]:
    """Nothing is paid, and nothing open, here that is not so at Sadad under the same id and reference."""
    for here in books.ours.invoices:
        there, name = books.there.get(here["sadad_id"] or ""), here["reference"]
        if here["state"] == "paid":
            if there is None or there["status"] not in PAID:
                yield Finding("wrong", "paid here, not at Sadad", name)
            elif there["ref_Number"] != name:
                yield Finding("wrong", "paid here by another invoice's payment", name)
            if fils(here["refunded_amount"]) > fils(here["paid_amount"]):
                yield Finding("wrong", "more refunded than paid", name)
        elif here["state"] == "open" and (there is None or there["status"] != "Unpaid"):
            asked = bool(books.cases[here["id"]] & (STRANGE | CURABLE))
            yield from () if asked else [Finding("wrong", "open here, over at Sadad", name)]


def _orders(books: Books) -> Iterator[Finding]:
    """The shop's own effects: once for each payment that counts, once for each refund."""
    handled: Counter[str] = Counter()
    told: dict[str, list[int]] = defaultdict(list)
    object_of = {row["id"]: row["object_id"] for row in books.ours.invoices}
    for row in books.ours.invoices:
        handled[row["object_id"]] += row["handled_at"] is not None
    for row in books.ours.refunds:
        if row["handled_at"] is not None:
            told[object_of[row["invoice_id"]]].append(fils(row["amount"]))
    notes: dict[str, dict[str, list[int]]] = defaultdict(lambda: {"paid": [], "refunded": []})
    for row in books.ours.notes:
        notes[str(row["order_id"])][row["what"]].append(fils(row["amount"]))
    for order in books.ours.orders:
        key = str(order["id"])
        yield from _order(order, handled[key], told[key], notes[key])


def _order(order: Row, handled: int, told: list[int], notes: dict[str, list[int]]) -> Iterator[Finding]:
    name, paid, back = f"order {order['id']}", notes["paid"], notes["refunded"]
    if len(paid) > 1:
        yield Finding("doubled", "paid() took effect more than once", name)
    if len(paid) != handled:
        yield Finding("lost" if len(paid) < handled else "wrong", "paid() and the invoices differ", name)
    if (order["status"] == "paid") != bool(paid):
        yield Finding("wrong", "its status is not what its history says", name)
    if paid and paid[0] != fils(order["amount"]):
        yield Finding("wrong", "paid with another amount", name)
    more, less = Counter(back) - Counter(told), Counter(told) - Counter(back)
    if more:
        yield Finding("doubled", "refunded() took effect too often", f"{name} {dict(more)}")
    if less:
        yield Finding("lost", "refunded() did not take effect", f"{name} {dict(less)}")
    if fils(order["refunded"]) != sum(back):
        yield Finding("wrong", "its refunded sum is not what its history says", name)


def _money_back(books: Books) -> Iterator[Finding]:
    """The same sum was given back on both sides; never more than was paid, never without a row."""
    refunds = books.refunds_of()
    back: dict[str, int] = Counter()
    for row in books.theirs.refunds:
        back[str(row["invoice_id"])] += row["fils"]
    for there in books.theirs.invoices:
        here = books.by_reference.get(there["ref_Number"])
        given = back[str(there["id"])]
        name = f"{there['ref_Number']} ({there['id']})"
        if given > fils(there["amount"]):
            yield Finding("doubled", "more refunded than paid at Sadad", name)
        if here is None or here["state"] != "paid":
            continue  # said by _payments
        rows = refunds[here["id"]]
        done = sum(fils(row["amount"]) for row in rows if row["state"] == "done")
        unknown = [row for row in rows if row["state"] == "unknown"]
        if fils(here["refunded_amount"]) != given:
            yield Finding("wrong", "refunded differs", f"{name} {here['refunded_amount']}, {given} fils")
        if done != given and not unknown:
            kind = "lost" if done < given else "wrong"
            yield Finding(kind, "the refund rows differ", f"{name} {done}, {given} fils")
        if any(row["state"] == "done" and row["handled_at"] is None for row in rows) and here["handled_at"]:
            yield Finding("lost", "a refund of which the order does not know", name)
    yield from _without_row(books)


def _without_row(books: Books) -> Iterator[Finding]:
    """Each refund that came in by the API stands for one row of ours that was not given up."""
    ids = {row["id"]: row["sadad_id"] for row in books.ours.invoices}
    held = Counter(
        (ids[row["invoice_id"]], fils(row["amount"]))
        for row in books.ours.refunds
        if row["state"] in ("sending", "unknown", "done") and row["source"] == "shop"
    )
    made = Counter(
        (str(row["invoice_id"]), row["fils"]) for row in books.theirs.refunds if row["source"] == "api"
    )
    for (number, amount), times in (made - held).items():
        yield Finding("doubled", "refunded at Sadad without a row for it", f"{number} {amount} fils ×{times}")


def _sent(books: Books) -> Iterator[Finding]:
    """At most one Refund/insert with a valid token for each row (money-flow 5)."""
    ids = {row["id"]: row["sadad_id"] for row in books.ours.invoices}
    asked = Counter(
        (ids[row["invoice_id"]], fils(row["amount"])) for row in books.ours.refunds if row["source"] == "shop"
    )
    sent = Counter(
        (str(call["body"]["invoice_Id"]), fils(call["body"]["amount"]))
        for call in books.theirs.inserts
        if call["authenticated"] and not TURNED_AWAY & set(call["faults"])
    )
    for (number, amount), times in (sent - asked).items():
        yield Finding("doubled", "a refund was sent more than once", f"{number} {amount} fils ×{times}")


def _inserted(books: Books) -> Iterator[Finding]:
    """A reference goes to Invoice/insert at most once (money-flow 1)."""
    seen = Counter(row["ref_Number"] for row in books.theirs.invoices)
    for reference, times in seen.items():
        if times > 1:
            yield Finding("doubled", "a reference was inserted more than once", reference)


def _ledger(books: Books) -> Iterator[Finding]:
    """A replay of the ledger gives what is stored."""
    for number, stored in books.ours.stored.items():
        facts = books.ours.replayed.get(number, {})
        other = [name for name in stored if facts.get(name) != stored[name]]
        if other:
            yield Finding("wrong", "the ledger leads to another state", f"invoice {number} {other}")


def _calls(books: Books) -> Iterator[Finding]:
    """Each webhook call that was answered with 200 is stored; none waits for ever."""
    stored: Counter[str] = Counter()
    for event in books.ours.events:
        stored[event["sadad_id"]] += event["count"]
        if event["state"] in ("waiting", "working"):
            yield Finding("stuck", "a webhook call is not handled", f"{event['id']} {event['error_code']}")
        if event["state"] == "dead" and event["id"] not in books.event_cases:
            yield Finding("stuck", "a dead webhook call, and nobody was asked", str(event["id"]))
    accepted = Counter(str(row["invoice_id"]) for row in books.theirs.webhooks if row["state"] == "accepted")
    for number, times in accepted.items():
        if stored[number] < times:
            yield Finding("lost", "a webhook call answered with 200", f"{number} {stored[number]} of {times}")


def _unfinished(books: Books) -> Iterator[Finding]:
    """Nothing stands half-way without a person who knows of it."""
    paid = {row["paid_slot"] for row in books.ours.invoices if row["handled_at"] is not None}
    for row in books.ours.invoices:
        if row["state"] in ("new", "superseding", "unknown") and not books.cases[row["id"]]:
            yield Finding("stuck", "half-way", f"{row['reference']} {row['state']}")
        if row["open_slot"] is not None and row["open_slot"] in paid:
            yield Finding("wrong", "paid, and another link is still open", row["reference"])
    for row in books.ours.refunds:
        if row["state"] == "sending" or (
            row["state"] == "unknown" and "refund_unknown" not in books.refund_cases[row["id"]]
        ):
            yield Finding("stuck", "a refund without an end", f"{row['id']} {row['state']}")
    yield from _never_sent(books)


def _never_sent(books: Books) -> Iterator[Finding]:
    """A refund waits only behind one in flight, or while a person looks into its invoice."""
    rows = books.refunds_of()
    for invoice, refunds in rows.items():
        blocked = any(row["state"] in ("sending", "unknown") for row in refunds)
        held = books.cases[invoice] & (STRANGE | CURABLE)
        for row in refunds:
            if row["state"] == "requested" and not blocked and not held:
                yield Finding("stuck", "a refund that is never sent", str(row["id"]))


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    found = Counter(finding.kind for finding in findings)
    return {kind: found[kind] for kind in ("wrong", "lost", "doubled", "stuck")}
