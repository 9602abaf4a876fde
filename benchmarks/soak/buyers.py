"""One buyer's visit: basket, checkout, Sadad's pay page, and the way back, or not."""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from benchmarks.soak.load import Desk, RefundJob, Tally
from example_project.demo.visitor import Visitor

TIMEOUT = 30.0  # seconds
#: What a buyer puts into the basket.
GOODS = ("dates", "dallah", "coffee", "bukhoor", "dhow", "karak")
#: How often a buyer presses "again" before giving up.
PATIENCE = 8
#: How many different people buy: few, since each is also kept at Sadad.
PEOPLE = 40


@dataclass(frozen=True)
class Habits:
    """How likely each is, for one visit."""

    leaves: float = 0.05  # at the pay page
    refused_first: float = 0.08  # the bank says no, then another try
    two_tabs: float = 0.05  # both open the checkout at the same moment
    forged: float = 0.05  # somebody sends a webhook call that lies, before the payment
    browses: float = 0.05  # reads every page on the way
    returns: float = 0.8  # with the browser; else only the webhook tells the shop
    refunded: float = 0.25
    whole: float = 0.4  # of the refunds: all that was paid
    second: float = 0.3  # of the others: once more a part
    panel: float = 0.02  # refunded in Sadad's panel


USUAL = Habits()


class Buyers:
    """Visits to one shop. ``visit`` is called from many threads; each keeps its cookies, as a person does."""

    def __init__(
        self, shop: str, webhook: str, sadad: str, tally: Tally, desk: Desk, habits: Habits = USUAL
    ) -> None:
        self.shop, self.webhook, self.sadad = shop, webhook, sadad
        self.tally, self.desk = tally, desk
        self.habits = habits
        self._own = threading.local()

    def visit(self, source: random.Random) -> None:
        """From the catalogue to wherever it ends."""
        link = self._order(source)
        if link is None:
            self.tally.add("gave up: basket")
            return
        page = self._open_pay_page(link, source)
        if page is None:
            return
        if source.random() < self.habits.forged:
            self._forge(page)
        if source.random() < self.habits.leaves:
            self.tally.add("left at the pay page")
            return
        self._pay(link, page, source)

    # The shop

    def _order(self, source: random.Random) -> str | None:
        """The signed link to the checkout of a new order; None when the shop did not answer for long."""
        person = source.randrange(PEOPLE)
        for _ in range(PATIENCE):
            try:
                if source.random() < self.habits.browses:
                    return self._browse(source, person)
                for slug in source.sample(GOODS, source.randint(1, 2)):
                    self._post(f"/basket/add/{slug}/")
                answer = self._post("/checkout/", **_details(person))
            except requests.RequestException as error:
                self._missed(error)
                continue
            if answer.status_code == 302 and "/payments/checkout/" in answer.headers["Location"]:
                self.tally.add("orders")
                return urljoin(self.shop, answer.headers["Location"])
            self.tally.add(f"checkout form answered {answer.status_code}")
        return None

    def _browse(self, source: random.Random, person: int) -> str:
        """Every page and every form, as a browser has them."""
        visitor = Visitor(self.shop)
        page = visitor.get("/")
        visitor.submit(page, page.form(action=f"/{source.choice(GOODS)}/"))
        page = visitor.get("/checkout/")
        page = visitor.submit(page, page.form(id="details"), follow=False, **_details(person))
        self.tally.add("orders")
        page = visitor.get("/")
        order = visitor.get(page.link("My order"))
        return order.link("pay")

    def _post(self, path: str, **values: str) -> requests.Response:
        session = self._session()
        if "csrftoken" not in session.cookies:
            session.get(self.shop + "/", timeout=TIMEOUT)
        token = session.cookies.get("csrftoken", "")
        return session.post(
            self.shop + path,
            data={**values, "csrfmiddlewaretoken": token},
            timeout=TIMEOUT,
            allow_redirects=False,
        )

    def _open_pay_page(self, link: str, source: random.Random) -> str | None:
        """The address of Sadad's pay page; the buyer presses "again" as long as patience lasts."""
        if source.random() < self.habits.two_tabs:
            threading.Thread(target=self._other_tab, args=(link,), daemon=True).start()
        for turn in range(PATIENCE):
            try:
                answer = self._session().get(link, timeout=TIMEOUT, allow_redirects=False)
            except requests.RequestException as error:
                self._missed(error)
                continue
            self.tally.add(f"checkout answered {answer.status_code}")
            if answer.status_code == 302:
                address = answer.headers["Location"]
                if urlsplit(address).netloc == urlsplit(self.sadad).netloc:
                    return address
                self._session().get(urljoin(link, address), timeout=TIMEOUT)  # our return page: it is paid
                return None
            time.sleep(0.3 * (turn + 1) * source.uniform(0.5, 1.5))
        self.tally.add("gave up: checkout")
        return None

    def _other_tab(self, link: str) -> None:
        self.tally.add("second tabs")
        try:
            requests.get(link, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            self._missed(error)

    # The bank

    def _pay(self, link: str, page: str, source: random.Random) -> None:
        if source.random() < self.habits.refused_first:
            back = self._choose(page, "failure")
            self.tally.add("refused by the bank")
            if back is not None:
                self._come_back(back)
            again = self._open_pay_page(link, source)
            if again is None:
                return
            page = again
        back = self._choose(page, "success")
        if back is None:
            self.tally.add("pay page refused")
            return
        self.tally.add("payments")
        self._after(back, source)

    def _choose(self, page: str, outcome: str) -> str | None:
        """Where Sadad sends the buyer; None when the invoice is no longer payable."""
        answer = self._session().post(
            page, data={"method": "knet", "outcome": outcome}, timeout=TIMEOUT, allow_redirects=False
        )
        return answer.headers.get("Location") if answer.status_code == 302 else None

    def _after(self, back: str, source: random.Random) -> None:
        self._ask_for_refunds(back, source)
        if source.random() >= self.habits.returns:
            self.tally.add("closed the tab")
            return
        for turn in range(3):
            if self._come_back(back):
                return
            time.sleep(0.7 * (turn + 1))

    def _come_back(self, address: str) -> bool:
        """True when the shop shows its order's page: it knows of the payment."""
        try:
            answer = self._session().get(address, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            self._missed(error)
            return False
        self.tally.add(f"return answered {answer.status_code}")
        return answer.status_code == 302

    # What others do

    def _forge(self, page: str) -> None:
        """A stranger without the secret, and one who knows it, say that it is paid."""
        number = int(urlsplit(page).path.rpartition("/")[2][8:] or 0)
        lie: dict[str, Any] = {"invoiceId": number, "status": "Paid", "amount": 1.5, "transactionId": "1"}
        wrong = self.webhook.rstrip("/") + "x/"
        for address in (wrong, self.webhook):
            try:
                answer = requests.post(address, json=lie, timeout=TIMEOUT)
            except requests.RequestException as error:
                self._missed(error)
                continue
            self.tally.add(f"forged webhook answered {answer.status_code}")

    def _ask_for_refunds(self, back: str, source: random.Random) -> None:
        """The buyer wants money back: staff do it some seconds later, or somebody in Sadad's panel."""
        reference = urlsplit(back).path.strip("/").rpartition("/")[2]
        sadad_id = parse_qs(urlsplit(back).query)["invoice_id"][0]
        now = time.monotonic()
        if source.random() < self.habits.panel:
            self.desk.put(RefundJob(now + 3, reference, sadad_id, _odd(source), ""))
        if source.random() >= self.habits.refunded:
            return
        if source.random() < self.habits.whole:
            amounts: list[Decimal | None] = [None]
        else:
            amounts = [_odd(source) for _ in range(1 + (source.random() < self.habits.second))]
        for amount in amounts:
            due = now + source.uniform(0.5, 6)
            self.desk.put(
                RefundJob(due, reference, sadad_id, amount, uuid.UUID(int=source.getrandbits(128)).hex)
            )

    # Means

    def _session(self) -> requests.Session:
        """This thread's browser: the same person buys again and again."""
        if not hasattr(self._own, "session"):
            self._own.session = new_session()
        session: requests.Session = self._own.session
        return session

    def _missed(self, error: requests.RequestException) -> None:
        self.tally.add(f"no answer: {type(error).__name__}")
        time.sleep(0.2)


def new_session() -> requests.Session:
    """One that talks to this machine only."""
    session = requests.Session()
    session.trust_env = False  # a proxy of the machine must not stand between two local programs
    return session


def _details(person: int) -> dict[str, str]:
    return {"name": f"Buyer {person}", "phone": f"5{person:07d}", "email": ""}


def _odd(source: random.Random) -> Decimal:
    """A part of any order of this shop (the cheapest costs 3.750 with its delivery), in fils."""
    return Decimal(source.randrange(1, 1800)) / 1000
