"""Shop, buyer, staff, panel, webhooks, reconcile, faults and deaths, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from django_sadadpay import PaymentError, cancel, checkout, refund, verify
from django_sadadpay.emulator import Refusal
from django_sadadpay.emulator.faults import KINDS, WEBHOOK
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.services import cases, maintenance, reconcile
from django_sadadpay.services.points import POINTS
from tests.fire.books import PAID, Books, fils, hold
from tests.fire.lab import Lab
from tests.shop.models import Order

WHICH = st.integers(0, 7)
#: What the shop's hooks do: they work, or raise.
BEHAVIOURS = ("", "", "raise", "cannot", "raise_refund", "raise_end")
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
    "Common/getcurrencies",
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
#: What staff do in Sadad's own panel.
PANEL = ("refund", "refund", "refund", "cancel", "expire", "deposit", "settings", "revoke", "clock", "rate")
#: How far Sadad's clock is from ours, seconds.
SKEWS = (0.0, 90_000.0, -90_000.0, 300_000.0)
SETTINGS: tuple[dict[str, Any], ...] = (
    {"refund_delay": 5000.0},
    {"refund_delay": 0.0},
    *({"refund_id": form} for form in ("true", "number", "text", "empty")),
    {"list_deleted": False},
    {"refund_transactions": True},
)


def _faults() -> list[tuple[str, str, dict[str, Any]]]:
    """Every kind at every place where it makes sense."""
    found = []
    for kind, meaning in KINDS.items():
        for place in meaning.endpoints or ENDPOINTS:
            if kind != "reply_field" and (place in ENDPOINTS or place == WEBHOOK):
                found += [(place, kind, options) for options in OPTIONS.get(kind, ({},))]
    return found + [(place, "reply_field", {"path": path, **what}) for place, path, what in LIES]


FAULTS = _faults()
Fault = tuple[str, str, dict[str, Any]]


def trouble(places: tuple[str, ...], points: tuple[str, ...]) -> st.SearchStrategy[Trouble]:
    """What happens to one action: nothing, a fault at one of these endpoints, the process's death before
    so many statements and calls, or somebody else's action at one of its points.
    """
    here = [fault for fault in FAULTS if fault[0].startswith(places)]
    faults = st.builds(Trouble, st.sampled_from(here), st.integers(1, 3), st.sampled_from([0, 0, 1, 2]))
    deaths = st.builds(Trouble, kill=st.integers(0, 45))
    labels = st.sampled_from([label for label in LABELS if label.startswith(points)])
    others = st.builds(Trouble, point=labels, meanwhile=st.sampled_from(MEANWHILE))
    return st.one_of(st.just(Trouble()), st.just(Trouble()), faults, faults, deaths, others, others)


@dataclass(frozen=True)
class Trouble:
    fault: Fault | None = None
    times: int = 1
    skip: int = 0
    kill: int | None = None
    point: str = ""
    meanwhile: str = ""


NONE = Trouble()
#: Points inside a transaction: nobody else can do anything there that this process sees. Those of a push are
#: met by ``mirror_machine``.
_INSIDE = {"settle.applied", "settle.told", "settle.settled"}
LABELS = tuple(label for label in POINTS if label not in _INSIDE and not label.startswith("push."))
#: What another process, the buyer or the panel does at such a point.
MEANWHILE = (
    "pay",
    "webhook",
    "pay and webhook",
    "verify",
    "reconcile",
    "checkout",
    "basket",
    "refund",
    "panel refund",
    "cancel",
    "panel cancel",
)
BUYING = trouble(("Invoice/", "User/", "Common/"), ("insert", "delete", "settle"))
LOOKING = trouble(("Invoice/getbyid", "User/GenerateAccessToken"), ("settle", "token"))
ARRIVING = trouble(("Invoice/getbyid", "User/GenerateAccessToken"), ("settle", "inbox"))
REFUNDING = trouble(("Refund/insert", "Invoice/getbyid", "User/"), ("refund", "settle"))
CANCELLING = trouble(("Invoice/delete", "Invoice/getbyid"), ("delete", "settle"))
ANY = trouble(("Invoice/", "Refund/", "User/"), ("reconcile", "settle", "delete", "refund", "inbox"))


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

    @contextmanager
    def process(self, trouble: Trouble) -> Iterator[None]:
        """One process at work, in this trouble."""
        if trouble.fault is not None:
            place, kind, options = trouble.fault
            self.did(f"fault {kind}")
            self.lab.control.faults.add(place, kind, times=trouble.times, skip=trouble.skip, **options)
        self.tally["deaths"] += trouble.kill is not None
        if trouble.point:
            self.lab.meets(trouble.point, lambda: self._meanwhile(trouble.meanwhile))
        with self.lab.process(trouble.kill):
            yield

    def _meanwhile(self, what: str) -> None:
        """Somebody else is quicker, at a point of the action under way."""
        self.tally[f"meanwhile {what}"] += 1
        order, invoice = Order.objects.order_by("-pk").first(), Invoice.objects.order_by("-pk").first()
        number = max(self.lab.world.invoices, default=None)
        acts: dict[str, Callable[[], object]] = {
            "webhook": lambda: self.lab.control.deliver_webhooks(self._post),
            "reconcile": reconcile.run,
        }
        if order is not None:
            acts["checkout"] = lambda: self._show(order, checkout(order))
            acts["basket"] = lambda: self._new_price(order, 777)
        if number is not None:
            acts["pay"] = lambda: self.lab.control.pay(number)
            acts["pay and webhook"] = lambda: self._pay_and_tell(number)
            acts["panel refund"] = lambda: self.lab.control.refund(number, self.odd(222))
            acts["panel cancel"] = lambda: self.lab.control.cancel(number)
        if invoice is not None:
            acts["verify"] = lambda: verify(invoice)
            acts["cancel"] = lambda: cancel(invoice)
            acts["refund"] = lambda: refund(invoice, self.odd(333), reason="meanwhile")
        with suppress(PaymentError, Refusal):
            acts.get(what, lambda: None)()

    def _pay_and_tell(self, number: int) -> None:
        self.lab.control.pay(number)
        self.lab.control.deliver_webhooks(self._post)

    def _new_price(self, order: Order, amount: int) -> None:
        order.amount = Decimal(amount) / 1000 + 5
        if order.currency != "KWD":
            order.amount = order.amount.quantize(Decimal("0.01"))
        order.save(update_fields=["amount"])
        order.lines.update(price=order.amount)

    def odd(self, fils: int) -> Decimal:
        """An amount that no other refund of this run has: the thousandths of a million."""
        self.amounts += 1
        return Decimal(fils) / 1000 + Decimal(self.amounts) / 1000

    def order(self, which: int) -> Order:
        rows = list(Order.objects.order_by("pk"))
        return rows[which % len(rows)]

    def invoice(self, which: int, **filters: Any) -> Invoice:
        rows = list(Invoice.objects.filter(**filters).order_by("-pk").values_list("pk", flat=True))
        return Invoice.objects.get(pk=rows[which % len(rows)])

    # The shop and its buyer

    @initialize(
        amount=ODD,
        start=st.sampled_from(["order", "checkout", "pay", "webhook", "webhook"]),
        runner=st.sampled_from(["inline", "inline", "celery"]),
    )
    def somebody_buys(self, amount: int, start: str, runner: str) -> None:
        """Each run starts some way down the road."""
        self.lab.works_by(runner)
        steps = ["order", "checkout", "pay", "webhook"]
        self.add_order(amount)
        for step in steps[1 : steps.index(start) + 1]:
            if step == "checkout":
                self.checks_out(0, NONE)
            elif step == "pay":
                self.at_the_bank(0, "pay")
            else:
                self.webhooks_arrive(NONE)

    def add_order(self, amount: int) -> None:
        currency = "USD" if amount % 6 == 5 else "KWD"
        order = Order.objects.create(number=f"A-{amount}", amount=5, currency=currency)
        order.lines.create(name="Coffee", price=5)
        self._new_price(order, amount)

    @rule(
        which=WHICH,
        amount=ODD,
        what=st.sampled_from(["basket", "basket", "order", "part", "gone", *BEHAVIOURS]),
    )
    def shop_changes(self, which: int, amount: int, what: str) -> None:
        self.did(f"shop: {what}")
        order = self.order(which)
        if what == "order" and Order.objects.count() < 3:
            self.add_order(amount)
        elif what in BEHAVIOURS:
            Order.objects.filter(pk=order.pk).update(behaviour=what)
        elif what == "part":
            self.lab.purposes[order.pk] = "balance" if amount % 2 else ""
        elif what == "gone" and Order.objects.count() > 1:
            order.delete()
        else:
            self._new_price(order, amount)

    @rule(which=WHICH, trouble=BUYING)
    def checks_out(self, which: int, trouble: Trouble) -> None:
        self.did("checkout")
        order = self.order(which)
        with self.process(trouble), suppress(PaymentError):
            self._show(order, checkout(order))

    def _show(self, order: Order, invoice: Invoice) -> None:
        if invoice.is_paid:
            return
        truth = self.books.truth(invoice.sadad_id)
        hold(truth is not None and invoice.state == Invoice.State.OPEN, "a link to nothing", invoice, truth)
        assert truth is not None
        same = truth.ref_number == invoice.reference and truth.fils == fils(invoice.amount)
        hold(same, "a link to another invoice", invoice.reference, truth)
        hold(
            invoice.shop_amount == order.amount, "a link to another amount", invoice.shop_amount, order.amount
        )
        hold(invoice.pay_url.endswith(truth.key), "a link to another page", invoice.pay_url, truth)
        self.shown.append(str(invoice.sadad_id))

    @rule(which=WHICH, pays=st.booleans(), trouble=BUYING)
    def buys(self, which: int, pays: bool, trouble: Trouble) -> None:
        """A buyer in a hurry: checkout and payment in one go."""
        before = len(self.shown)
        self.checks_out(which, trouble)
        if len(self.shown) > before and pays:
            self.at_the_bank(0, "pay")

    @precondition(lambda self: self.shown)
    @rule(which=WHICH, how=st.sampled_from(["pay", "pay", "force", "fail"]))
    def at_the_bank(self, which: int, how: str) -> None:
        """The buyer pays, perhaps on a page that was open for long, or the bank says no."""
        self.did(how)
        number = self.shown[-1 - which % len(self.shown)]
        with suppress(Refusal):
            if how == "fail":
                self.lab.control.fail(number)
            else:
                self.lab.control.pay(number, force=how == "force")

    @precondition(lambda self: self.books.states)
    @rule(which=WHICH, trouble=LOOKING)
    def buyer_comes_back(self, which: int, trouble: Trouble) -> None:
        self.did("return")
        invoice = self.invoice(which)
        with self.process(trouble):
            hold(self.lab.comes_back(invoice.reference) == 200, "the return page fails", invoice)

    # Webhooks

    @precondition(lambda self: self.lab.world.webhooks)
    @rule(trouble=ARRIVING)
    def webhooks_arrive(self, trouble: Trouble) -> None:
        self.did("webhook")
        self.lab.control.deliver_webhooks(lambda payload: self._post(payload, trouble))

    @precondition(lambda self: self.payloads)
    @rule(which=WHICH, trouble=ARRIVING)
    def an_old_webhook_arrives_again(self, which: int, trouble: Trouble) -> None:
        self.did("webhook again")
        self._post(self.payloads[which % len(self.payloads)], trouble)

    def _post(self, payload: dict[str, Any], trouble: Trouble = NONE) -> int | None:
        status, came = None, self.lab.time
        with self.process(trouble):
            status = self.lab.webhook(payload)
        sadad_id = str(payload.get("invoiceId", payload.get("InvoiceId", "")))
        if payload not in self.payloads:
            self.payloads.append(payload)
        hold(status in (200, 503, None), "the webhook answers", status)
        if status == 200 and sadad_id:
            self.books.accepted[sadad_id] += 1
            self.books.accepted_at[sadad_id] = max(came, self.books.accepted_at.get(sadad_id, came))
        return status

    @rule(which=WHICH, form=st.sampled_from(["paid", "unknown", "nameless", "secret", "stranger"]))
    def forged_webhook(self, which: int, form: str) -> None:
        self.did("forged")
        named = self.invoice(which).sadad_id if self.books.states else None
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

    @rule(trouble=ANY, only_inbox=st.booleans(), seconds=PAUSES)
    def background_work(self, trouble: Trouble, only_inbox: bool, seconds: int) -> None:
        self.did("inbox" if only_inbox else "reconcile")
        self.lab.advance(seconds)
        with self.process(trouble):
            if only_inbox:
                maintenance.process_inbox()
            else:
                reconcile.run()

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: int) -> None:
        self.tally["time"] += 1
        self.lab.advance(seconds)

    # Staff

    @precondition(lambda self: self.books.states["paid"])
    @rule(which=WHICH, amount=ODD, trouble=REFUNDING, rest=st.booleans())
    def staff_refund(self, which: int, amount: int, trouble: Trouble, rest: bool) -> None:
        self.did("refund")
        wanted = None if rest and amount % 3 == 0 else self.odd(amount)
        with self.process(trouble), suppress(PaymentError):
            invoice = self.invoice(which, state="paid")
            refund(invoice, wanted, reason="fire", by=self.staff, key=f"form-{amount % 50}")

    @precondition(lambda self: self.books.states)
    @rule(which=WHICH, trouble=LOOKING)
    def staff_verify(self, which: int, trouble: Trouble) -> None:
        self.did("verify")
        with self.process(trouble), suppress(PaymentError):
            verify(self.invoice(which), by=self.staff)

    @precondition(lambda self: self.books.states["open"])
    @rule(which=WHICH, trouble=CANCELLING)
    def staff_cancel(self, which: int, trouble: Trouble) -> None:
        self.did("cancel")
        with self.process(trouble), suppress(PaymentError):
            cancel(self.invoice(which, state="open"), by=self.staff)

    @rule(which=WHICH, action=WHICH, trouble=ANY)
    def staff_act(self, which: int, action: int, trouble: Trouble) -> None:
        waiting = list(Attention.objects.filter(resolved_at=None).order_by("-pk"))
        if not waiting:
            self.lab.advance(60)
            return
        case = waiting[which % len(waiting)]
        offered = [one for one in cases.actions(case) if one != "refund"]
        if offered:
            self.did("case")
            chosen = self._truthful(case, offered[action % len(offered)])
            with self.process(trouble), suppress(PaymentError):
                cases.act(case, chosen, by=self.staff)

    def _truthful(self, case: Attention, action: str) -> str:
        """Staff look into the panel before they decide what became of a refund."""
        if action not in ("happened", "did_not_happen") or case.refund is None or case.invoice is None:
            return action
        key = (case.invoice.sadad_id, fils(case.refund.amount))
        there = [(str(one.invoice_id), one.fils) for one in self.lab.world.refunds if one.source == "api"]
        return "happened" if key in there else "did_not_happen"

    # Sadad's panel, the bank, and what goes wrong

    @precondition(lambda self: self.lab.world.invoices)
    @rule(which=WHICH, what=st.sampled_from(PANEL), amount=ODD)
    def panel(self, which: int, what: str, amount: int) -> None:
        self.did(f"panel: {what}")
        numbers = sorted(self.lab.world.invoices, reverse=True)
        number = numbers[which % len(numbers)]
        with suppress(Refusal):
            if what == "refund":
                self.lab.control.refund(number, self.odd(amount))
            elif what == "settings":
                self.lab.control.settings(**SETTINGS[amount % len(SETTINGS)])
            elif what == "revoke":
                self.lab.control.revoke_tokens()
            elif what == "clock":
                self.lab.skew = SKEWS[amount % len(SKEWS)]
            elif what == "rate":
                self.lab.control.set_rate("USD", 0.3 + amount / 40_000)
            else:
                getattr(self.lab.control, what)(number)

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 4))
    def fault(self, fault: Fault, times: int) -> None:
        """One that waits for whoever comes next."""
        place, kind, options = fault
        self.tally[f"fault {kind}"] += 1
        self.lab.control.faults.add(place, kind, times=times, **options)

    @rule(kind=st.sampled_from(["drop", "duplicate", "delay", "reorder"]))
    def webhook_fault(self, kind: str) -> None:
        self.fault((WEBHOOK, kind, OPTIONS.get(kind, ({},))[0]), 1)

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
        self.lab.skew = 0.0
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
