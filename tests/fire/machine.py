"""Shop, buyer, staff, panel, webhooks, reconcile, faults and deaths, in any order."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from django_sadadpay import PaymentError, cancel, checkout, refund, verify
from django_sadadpay.emulator import Refusal
from django_sadadpay.emulator.faults import KINDS, WEBHOOK
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.services import cases, maintenance, reconcile
from tests.fire.books import PAID, Books, fils, hold
from tests.fire.lab import Lab
from tests.shop.models import Order

WHICH = st.integers(0, 7)
#: The process dies before so many statements and calls; seldom.
KILL = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 70))
BEHAVIOURS = st.sampled_from(["", "", "raise", "cannot", "raise_refund", "raise_end"])
#: A minute, the time in which a dead process is given up, and what the schedules are made of.
PAUSES = st.sampled_from([1, 61, 121, 301, 1000, 4000, 22_000, 90_000, 300_000])
ODD = st.integers(1, 3999)

ENDPOINTS = (
    "Invoice/insert",
    "Invoice/getbyid",
    "Invoice/delete",
    "Invoice/getall",
    "Refund/insert",
    "User/GenerateAccessToken",
    "User/GenerateRefreshToken",
)
#: What a reply may say in one field: (endpoint, path, what becomes of it).
LIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Invoice/getbyid", "amount", {"value": 1.234}),
    ("Invoice/getbyid", "amount", {"retype": "text"}),
    ("Invoice/getbyid", "amount", {"remove": True}),
    ("Invoice/getbyid", "ref_Number", {"value": "A-1-aaaaaaaaaa"}),
    ("Invoice/getbyid", "ref_Number", {"remove": True}),
    ("Invoice/getbyid", "status", {"value": "Pondering"}),
    ("Invoice/getbyid", "status", {"remove": True}),
    ("Invoice/getbyid", "status", {"value": "Unpaid"}),
    ("Invoice/getbyid", "refunded_Amount", {"value": 999999}),
    ("Invoice/getbyid", "refunded_Amount", {"value": -1}),
    ("Invoice/getbyid", "refunded_Amount", {"value": 0}),
    ("Invoice/getbyid", "refunded_Amount", {"remove": True}),
    ("Invoice/getbyid", "key", {"value": "no-key"}),
    ("Invoice/getbyid", "url", {"value": "http://elsewhere.example/pay/1"}),
    ("Invoice/getbyid", "id", {"retype": "text"}),
    ("Invoice/getbyid", "transactions", {"remove": True}),
    ("Invoice/getbyid", "*", {"retype": "text"}),
    ("Invoice/insert", "invoiceId", {"retype": "number"}),
    ("Invoice/insert", "invoiceId", {"remove": True}),
    ("Invoice/getall", "*.id", {"remove": True}),
    ("Invoice/getall", "*.ref_Number", {"remove": True}),
    ("Refund/insert", "*", {"remove": True}),
    ("User/GenerateAccessToken", "accessToken", {"remove": True}),
)
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "latency": ({"seconds": 0.5}, {"seconds": 30.0}),
    "slow_drip": ({"seconds": 1.0}, {"seconds": 30.0}),
    "error_before": ({"status": 500}, {"status": 503}),
    "error_after": ({"status": 500}, {"status": 502}),
    "rate_limited": ({"retry_after": 1}, {"retry_after": None}),
    "refuse": ({"error_key": "Error "}, {"error_key": "UnderReview"}, {"error_key": "InvalidInvoiceStatus"}),
    "unreadable": ({"body": "html"}, {"body": "broken"}, {"body": "empty"}, {"body": "list"}),
    "older": ({"steps": 1}, {"steps": 3}),
    "duplicate": ({"copies": 2},),
    "delay": ({"seconds": 400.0},),
    "reorder": ({"seconds": 400.0},),
}


def _faults() -> list[tuple[str, str, dict[str, Any]]]:
    """Every kind at every place where it makes sense."""
    found = []
    for kind, meaning in KINDS.items():
        for place in meaning.endpoints or ENDPOINTS:
            if kind != "reply_field" and (place in ENDPOINTS or place == WEBHOOK):
                found += [(place, kind, options) for options in OPTIONS.get(kind, ({},))]
    return found + [(place, "reply_field", {"path": path, **what}) for place, path, what in LIES]


FAULTS = _faults()


class Fire(RuleBasedStateMachine):
    """One run. ``lab`` is set by the test; ``tally`` counts what was done over all runs."""

    lab: ClassVar[Lab]
    staff: ClassVar[Any]
    tally: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.lab.reset()
        self.books = Books(self.lab.world)
        self.shown: list[str] = []  # Sadad ids whose pay page some buyer has open
        self.payloads: list[dict[str, Any]] = []  # what Sadad once sent
        self.amounts = 0
        self.unchecked = False

    @classmethod
    def prepare(cls, lab: Lab) -> None:
        cls.lab, cls.tally = lab, Counter()
        cls.staff = get_user_model().objects.create_user("staff", is_staff=True)

    # Helpers

    def did(self, what: str) -> None:
        self.tally[what] += 1
        self.unchecked = True

    def odd(self, fils: int) -> Decimal:
        """An amount that no other refund of this run has: the thousandths of a million."""
        self.amounts += 1
        return Decimal(fils) / 1000 + Decimal(self.amounts) / 1000

    def order(self, which: int) -> Order | None:
        rows = list(Order.objects.order_by("pk"))
        return rows[which % len(rows)] if rows else None

    def invoice(self, which: int, **filters: Any) -> Invoice | None:
        rows = list(Invoice.objects.filter(**filters).order_by("-pk").values_list("pk", flat=True))
        return Invoice.objects.get(pk=rows[which % len(rows)]) if rows else None

    # The shop and its buyer

    @initialize(amount=ODD)
    def first_order(self, amount: int) -> None:
        self.new_order(amount)

    @rule(amount=ODD)
    def new_order(self, amount: int) -> None:
        self.did("order")
        if Order.objects.count() < 3:
            price = Decimal(amount) / 1000 + 5
            order = Order.objects.create(number=f"A-{amount}", amount=price)
            order.lines.create(name="Coffee", price=price)

    @rule(which=WHICH, amount=ODD)
    def change_the_basket(self, which: int, amount: int) -> None:
        order = self.order(which)
        if order is not None:
            self.did("basket")
            order.amount = Decimal(amount) / 1000 + 5
            order.save(update_fields=["amount"])
            order.lines.update(price=order.amount)

    @rule(which=WHICH, purpose=st.sampled_from(["", "balance"]))
    def ask_for_another_part(self, which: int, purpose: str) -> None:
        order = self.order(which)
        if order is not None:
            self.did("purpose")
            self.lab.purposes[order.pk] = purpose

    @rule(which=WHICH, kill=KILL)
    def checks_out(self, which: int, kill: int | None) -> None:
        order = self.order(which)
        if order is None:
            return
        self.did("checkout")
        with self.lab.process(kill), suppress(PaymentError):
            self._show(order, checkout(order))

    @rule(which=WHICH)
    def checks_out_again(self, which: int) -> None:
        self.checks_out(which, None)

    def _show(self, order: Order, invoice: Invoice) -> None:
        if invoice.is_paid:
            return
        truth = self.books.truth(invoice.sadad_id)
        hold(truth is not None and invoice.state == Invoice.State.OPEN, "a link to nothing", invoice, truth)
        assert truth is not None
        same = truth.ref_number == invoice.reference and truth.fils == fils(order.amount)
        hold(same, "a link to another invoice", invoice.reference, order.amount, truth)
        hold(invoice.pay_url.endswith(truth.key), "a link to another page", invoice.pay_url, truth)
        self.shown.append(str(invoice.sadad_id))

    @rule(which=WHICH, force=st.booleans(), method=st.sampled_from(["knet", "card"]))
    def buyer_pays(self, which: int, force: bool, method: str) -> None:
        if self.shown:
            self.did("pay")
            with suppress(Refusal):
                self.lab.control.pay(self.shown[-1 - which % len(self.shown)], method, force=force)

    @rule(which=WHICH)
    def buyer_pays_the_newest(self, which: int) -> None:
        self.buyer_pays(0, force=False, method="knet")

    @rule(which=WHICH)
    def card_is_refused(self, which: int) -> None:
        if self.shown:
            self.did("fail")
            with suppress(Refusal):
                self.lab.control.fail(self.shown[which % len(self.shown)])

    @rule(which=WHICH, kill=KILL)
    def buyer_comes_back(self, which: int, kill: int | None) -> None:
        invoice = self.invoice(which)
        if invoice is not None:
            self.did("return")
            with self.lab.process(kill):
                hold(self.lab.comes_back(invoice.reference) == 200, "the return page fails", invoice)

    @rule(which=WHICH, behaviour=BEHAVIOURS)
    def shop_behaves(self, which: int, behaviour: str) -> None:
        order = self.order(which)
        if order is not None:
            self.did("behaviour")
            Order.objects.filter(pk=order.pk).update(behaviour=behaviour)

    # Webhooks

    @rule(kill=KILL)
    def webhooks_arrive(self, kill: int | None) -> None:
        self.did("webhook")
        self.lab.control.deliver_webhooks(lambda payload: self._post(payload, kill))

    @rule(which=WHICH, kill=KILL)
    def an_old_webhook_arrives_again(self, which: int, kill: int | None) -> None:
        if self.payloads:
            self.did("webhook again")
            self._post(self.payloads[which % len(self.payloads)], kill)

    def _post(self, payload: dict[str, Any], kill: int | None = None) -> int | None:
        status = None
        with self.lab.process(kill):
            status = self.lab.webhook(payload)
        sadad_id = str(payload.get("invoiceId", payload.get("InvoiceId", "")))
        if payload not in self.payloads:
            self.payloads.append(payload)
        hold(status in (200, 503, None), "the webhook answers", status)
        if status == 200 and sadad_id:
            self.books.accepted[sadad_id] += 1
        return status

    @rule(which=WHICH, form=st.sampled_from(["paid", "unknown", "nameless", "secret", "stranger"]))
    def forged_webhook(self, which: int, form: str) -> None:
        self.did("forged")
        invoice = self.invoice(which)
        named = invoice.sadad_id if invoice is not None else None
        lie = {"invoiceId": int(named or 1), "status": "Paid", "amount": 0.001}
        if form == "secret":
            hold(self.lab.webhook(lie, "guessed") == 404, "a forged call is let in")
        elif form == "nameless":
            hold(self.lab.webhook({"status": "Paid"}) == 200, "a nameless call")
        elif form == "unknown":
            self._post({**lie, "invoiceId": 7})
        elif form == "stranger":
            self._post({**lie, "invoiceId": self.lab.control.create("3.000", ref_Number="POS 7")["id"]})
        else:
            self._post(lie)

    # Background work

    @rule(kill=KILL)
    def reconcile_runs(self, kill: int | None) -> None:
        self.did("reconcile")
        with self.lab.process(kill):
            reconcile.run()

    @rule(kill=KILL)
    def inbox_is_worked_off(self, kill: int | None) -> None:
        self.did("inbox")
        with self.lab.process(kill):
            maintenance.process_inbox()

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: int) -> None:
        self.did("time")
        self.lab.advance(seconds)

    # Staff

    @rule(which=WHICH, amount=ODD, kill=KILL, rest=st.booleans())
    def staff_refund(self, which: int, amount: int, kill: int | None, rest: bool) -> None:
        invoice = self.invoice(which, state="paid")
        if invoice is None:
            return
        self.did("refund")
        wanted = None if rest and amount % 3 == 0 else self.odd(amount)
        with self.lab.process(kill), suppress(PaymentError):
            refund(invoice, wanted, reason="fire", by=self.staff, key=f"form-{amount % 50}")

    @rule(which=WHICH, kill=KILL)
    def staff_verify(self, which: int, kill: int | None) -> None:
        invoice = self.invoice(which)
        if invoice is not None:
            self.did("verify")
            with self.lab.process(kill), suppress(PaymentError):
                verify(invoice, by=self.staff)

    @rule(which=WHICH, kill=KILL)
    def staff_cancel(self, which: int, kill: int | None) -> None:
        invoice = self.invoice(which, state="open")
        if invoice is not None:
            self.did("cancel")
            with self.lab.process(kill), suppress(PaymentError):
                cancel(invoice, by=self.staff)

    @rule(which=WHICH, action=WHICH, kill=KILL)
    def staff_act(self, which: int, action: int, kill: int | None) -> None:
        waiting = list(Attention.objects.filter(resolved_at=None).order_by("-pk"))
        if not waiting:
            return
        case = waiting[which % len(waiting)]
        offered = [one for one in cases.actions(case) if one != "refund"]
        if offered:
            self.did("case")
            chosen = self._truthful(case, offered[action % len(offered)])
            with self.lab.process(kill), suppress(PaymentError):
                cases.act(case, chosen, by=self.staff)

    def _truthful(self, case: Attention, action: str) -> str:
        """Staff look into the panel before they decide what became of a refund."""
        if action not in ("happened", "did_not_happen") or case.refund is None or case.invoice is None:
            return action
        key = (case.invoice.sadad_id, fils(case.refund.amount))
        there = [(str(one.invoice_id), one.fils) for one in self.lab.world.refunds if one.source == "api"]
        return "happened" if key in there else "did_not_happen"

    # Sadad's panel, the bank, and what goes wrong

    @rule(which=WHICH, what=st.sampled_from(["refund", "refund", "cancel", "expire", "deposit"]), amount=ODD)
    def panel(self, which: int, what: str, amount: int) -> None:
        numbers = sorted(self.lab.world.invoices, reverse=True)
        if not numbers:
            return
        self.did(f"panel {what}")
        number = numbers[which % len(numbers)]
        with suppress(Refusal):
            if what == "refund":
                self.lab.control.refund(number, self.odd(amount))
            else:
                getattr(self.lab.control, what)(number)

    @rule(
        delay=st.sampled_from([0.0, 0.0, 5000.0]),
        refund_id=st.sampled_from(["true", "number", "text", "empty"]),
        deleted=st.booleans(),
    )
    def panel_settings(self, delay: float, refund_id: str, deleted: bool) -> None:
        self.did("settings")
        self.lab.control.settings(refund_delay=delay, refund_id=refund_id, list_deleted=deleted)

    @rule(kind=st.sampled_from(["access", None]))
    def tokens_are_revoked(self, kind: str | None) -> None:
        self.did("revoked")
        self.lab.control.revoke_tokens(kind)

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 4), skip=st.sampled_from([0, 0, 0, 1, 2]))
    def fault(self, fault: tuple[str, str, dict[str, Any]], times: int, skip: int) -> None:
        place, kind, options = fault
        self.did(f"fault {kind}")
        self.lab.control.faults.add(place, kind, times=times, skip=skip, **options)

    @rule(fault=st.sampled_from(FAULTS))
    def one_fault(self, fault: tuple[str, str, dict[str, Any]]) -> None:
        self.fault(fault, 1, 0)

    @rule()
    def faults_stop(self) -> None:
        self.did("faults stop")
        self.lab.control.faults.clear()

    # What must hold

    @invariant()
    def books_are_right(self) -> None:
        self.tally["steps"] += 1
        if self.unchecked:
            hold(not self.lab.surprises.found, "an error nobody had thought of", self.lab.surprises.found)
            self.books.check(self.lab.emulator.api.log)
            self.unchecked = False

    def teardown(self) -> None:
        if not self.unchecked:  # else the run has broken something: what comes of that is another matter
            self.end_well()
            self.tally["runs"] += 1

    def end_well(self) -> None:
        """Faults stop, three reconcile runs, each with the clock moved past every due time."""
        self.lab.control.faults.clear()
        self.lab.control.settings(refund_delay=0.0, refund_id="true")
        self.lab.control.complete_refunds()
        Order.objects.update(behaviour="")
        for _ in range(3):
            self.lab.advance(80 * 3600)
            reconcile.run(max_calls=2000)
        for call in self.lab.emulator.api.log:
            self.tally.update(f"met {kind}" for kind in call.faults)
        self.books.check_ended(self.lab.emulator.api.log)
        self.tally["paid"] += sum(one.status in PAID for one in self.lab.world.invoices.values())
        self.tally["handled"] += Invoice.objects.exclude(handled_at=None).count()
        self.tally["refunds"] += Refund.objects.filter(state=Refund.State.DONE).count()
