"""The soak's audit finds what it is there to find: a payment or a refund that is wrong, lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from benchmarks.soak.audit import Ours, Theirs, audit, counts
from tests.benchmarks import soak_books as books
from tests.benchmarks.soak_books import case, insert, note, refund

Change = Callable[[Ours, Theirs], Any]


def found(change: Change) -> set[str]:
    """The kinds of what the audit says once ``change`` has broken the books."""
    ours, theirs = books.ours(), books.theirs()
    change(ours, theirs)
    return {finding.kind for finding in audit(ours, theirs)}


def test_books_that_agree_are_clean() -> None:
    assert audit(books.ours(), books.theirs()) == []
    assert counts([]) == {"wrong": 0, "lost": 0, "doubled": 0, "stuck": 0}


def test_an_unpaid_order_is_nothing_to_say() -> None:
    ours, theirs = books.ours(), books.theirs()
    ours.orders.append({"id": 2, "amount": Decimal(3), "status": "waiting", "refunded": Decimal(0)})
    assert audit(ours, theirs) == []


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(ours: Ours, theirs: Theirs) -> None:
        for one in changes:
            one(ours, theirs)

    return change


LOST: dict[str, Change] = {
    "a payment of which the shop has no invoice": both(
        lambda ours, _: ours.invoices.clear(),
        lambda ours, _: ours.refunds.clear(),
    ),
    "a payment that the shop takes for open": lambda ours, _: ours.invoices[0].update(
        state="open", handled_at=None
    ),
    "a payment that never counted": lambda ours, _: ours.invoices[0].update(handled_at=None),
    "paid() without effect": lambda ours, _: ours.notes.pop(0),
    "a refund that the shop does not know": lambda ours, _: ours.refunds.clear(),
    "refunded() without effect": lambda ours, _: ours.notes.pop(1),
    "a refund of which the order was not told": lambda ours, _: ours.refunds[0].update(handled_at=None),
    "a webhook call that was answered and not kept": lambda ours, _: ours.events.clear(),
}


@pytest.mark.parametrize("change", LOST.values(), ids=LOST)
def test_it_finds_what_was_lost(change: Change) -> None:
    assert "lost" in found(change)


DOUBLED: dict[str, Change] = {
    "paid() twice": lambda ours, _: ours.notes.append(note("paid", "5.000")),
    "refunded() twice": lambda ours, _: ours.notes.append(note("refunded", "1.250")),
    "a refund sent twice": lambda _, theirs: theirs.inserts.append(insert()),
    "a refund made twice": lambda _, theirs: theirs.refunds.append(
        {"invoice_id": 7, "fils": 1250, "source": "api"}
    ),
    "more given back than was paid": lambda _, theirs: theirs.refunds[0].update(fils=6000),
    "a reference inserted twice": lambda _, theirs: theirs.invoices.append({**theirs.invoices[0], "id": 8}),
}


@pytest.mark.parametrize("change", DOUBLED.values(), ids=DOUBLED)
def test_it_finds_what_was_doubled(change: Change) -> None:
    assert "doubled" in found(change)


WRONG: dict[str, Change] = {
    "paid here, not at Sadad": lambda _, theirs: theirs.invoices[0].update(status="Unpaid"),
    "paid here, unknown to Sadad": lambda _, theirs: theirs.invoices.clear(),
    "paid by another invoice's payment": lambda _, theirs: theirs.invoices[0].update(ref_Number="S-2-b"),
    "another amount": lambda _, theirs: theirs.invoices[0].update(amount=4.999),
    "another transaction": lambda _, theirs: theirs.invoices[0].update(transactionID="901"),
    "another status": lambda _, theirs: theirs.invoices[0].update(status="Deposited"),
    "refunded differs": lambda ours, _: ours.invoices[0].update(refunded_amount=Decimal(0)),
    "more refunded than paid": lambda ours, _: ours.invoices[0].update(refunded_amount=Decimal(6)),
    "a refund here that Sadad never made": lambda _, theirs: theirs.refunds.clear(),
    "an order that says paid without its history": lambda ours, _: ours.orders[0].update(status="waiting"),
    "an order of another amount": lambda ours, _: ours.orders[0].update(amount=Decimal(4)),
    "an order with another refunded sum": lambda ours, _: ours.orders[0].update(refunded=Decimal(2)),
    "a ledger that leads elsewhere": lambda ours, _: ours.replayed[11].update(paid_amount="4.000"),
    "open here, over at Sadad": both(
        lambda ours, theirs: ours.invoices.append(
            books.invoice(id=12, reference="S-1-b", sadad_id="8", state="open")
        ),
        lambda ours, theirs: theirs.invoices.append(
            {**theirs.invoices[0], "id": 8, "ref_Number": "S-1-b", "status": "Canceled"}
        ),
    ),
    "paid, with another link still open": lambda ours, _: ours.invoices.append(
        books.invoice(id=12, reference="S-1-b", sadad_id=None, state="cancelled", open_slot="order:1:")
    ),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_it_finds_what_is_wrong(change: Change) -> None:
    assert "wrong" in found(change)


STUCK: dict[str, Change] = {
    "an invoice half-way": lambda ours, _: ours.invoices.append(
        books.invoice(id=12, reference="S-1-b", sadad_id=None, state="unknown", handled_at=None)
    ),
    "a refund that is being sent for ever": lambda ours, _: ours.refunds.append(
        refund(id=22, state="sending", handled_at=None)
    ),
    "an unknown refund that nobody looks into": lambda ours, _: ours.refunds.append(
        refund(id=22, state="unknown", handled_at=None)
    ),
    "a refund that is never sent": lambda ours, _: ours.refunds.append(
        refund(id=22, state="requested", handled_at=None)
    ),
    "a webhook call that nobody handles": lambda ours, _: ours.events[0].update(state="waiting"),
    "a dead webhook call that nobody sees": lambda ours, _: ours.events[0].update(state="dead"),
    "a case that both sides have settled": lambda ours, _: ours.cases.append(case("mismatch", invoice_id=11)),
}


@pytest.mark.parametrize("change", STUCK.values(), ids=STUCK)
def test_it_finds_what_is_stuck(change: Change) -> None:
    assert "stuck" in found(change)


ASKED: dict[str, Change] = {
    "a payment that does not count": both(
        lambda ours, _: ours.invoices[0].update(handled_at=None),
        lambda ours, _: ours.notes.pop(0),
        lambda ours, _: ours.orders[0].update(status="waiting"),
        lambda ours, _: ours.cases.append(case("paid_twice", invoice_id=11)),
    ),
    "an unknown refund": both(
        lambda ours, _: ours.refunds.append(
            refund(id=22, amount=Decimal(1), state="unknown", handled_at=None)
        ),
        lambda ours, _: ours.cases.append(case("refund_unknown", invoice_id=11, refund_id=22)),
    ),
    "an invoice that answers for another": both(
        lambda ours, _: ours.invoices[0].update(state="unknown", sadad_id=None, handled_at=None),
        lambda ours, _: ours.refunds.clear(),
        lambda ours, _: ours.notes.clear(),
        lambda ours, _: ours.orders[0].update(status="waiting", refunded=Decimal(0)),
        lambda ours, _: ours.cases.append(case("id_conflict", invoice_id=11)),
    ),
    "a dead webhook call": both(
        lambda ours, _: ours.events[0].update(state="dead"),
        lambda ours, _: ours.cases.append(case("event_unknown_id", event_id=1)),
    ),
}


@pytest.mark.parametrize("change", ASKED.values(), ids=ASKED)
def test_what_a_person_was_asked_about_is_not_stuck_or_lost(change: Change) -> None:
    assert not found(change) & {"stuck", "lost"}


def test_a_call_that_sadad_turned_away_may_be_repeated() -> None:
    """It did not look at it (money-flow 8)."""

    def change(_: Ours, theirs: Theirs) -> None:
        theirs.inserts.extend([insert(authenticated=False), insert(faults=["unauthorized_401"])])

    assert found(change) == set()
