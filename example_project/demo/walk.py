"""Who walks through the demo without a person, and what they can do. The steps: ``check``, ``keeping``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from example_project.demo.control import Sadad
from example_project.demo.stack import Stack
from example_project.demo.visitor import Page, Visitor

if TYPE_CHECKING:  # needs the models, so not before Django is set up
    from example_project.shop.models import Order

PATIENCE = 25.0  # seconds for what another process is to do
SETTLING = 5.0  # seconds for what the worker is in the middle of


class NotSeen(Exception):
    """A step did not happen; the message says what was seen instead."""


class Walk:
    """The people and the means of the walk; what one step leaves for the next."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.sadad: Sadad = Sadad(stack.emulator_url)
        self.first: Order | None = None

    def keep_logs(self) -> None:
        """While the programs still run: stopping them forgets where their logs began."""
        self.stack.tails = [program.tail() for program in self.stack.programs.values()]

    # What a buyer does

    def fill_basket(self, *slugs: str) -> Visitor:
        buyer = Visitor(self.stack.shop_url)
        for slug in slugs:
            page = buyer.get("/")
            buyer.submit(page, page.form(action=f"/{slug}/"))
        return buyer

    def order(self, *slugs: str) -> tuple[Visitor, Page]:
        """A new buyer orders and stands on Sadad's pay page."""
        buyer = self.fill_basket(*slugs)
        page = buyer.get("/checkout/")
        page = buyer.submit(page, page.form(id="details"), name="Noor Al-Sabah", phone="5123 4567")
        need(
            page.url.startswith(f"{self.stack.emulator_url}/pay/"),
            f"no pay page but {page.url} ({page.status})",
        )
        return buyer, page

    def order_of(self, buyer: Visitor) -> Order:
        """Through the link that the shop shows to its buyer."""
        from example_project.demo.books import order_of

        address = buyer.get("/").link("My order")
        return order_of(address.rstrip("/").rpartition("/")[2])

    def pay(self, buyer: Visitor, page: Page, *, and_return: bool = False, outcome: str = "success") -> Page:
        """Choose at the pay page; without ``and_return`` only the webhook tells the shop."""
        return buyer.submit(page, page.form(id="pay"), f"outcome={outcome}", follow=and_return)

    def is_shown_as_paid(self, buyer: Visitor, order: Order) -> bool:
        page = buyer.get(order.get_absolute_url())
        return page.attributes["status"]["data-status"] == "paid"

    # What staff do

    def logs_in(self) -> Visitor:
        staff = Visitor(self.stack.shop_url)
        page = staff.get("/admin/login/?next=/admin/")
        page = staff.submit(page, page.form(has="password"), username="admin", password=self.stack.password)
        need("logout-form" in page.attributes, f"not logged in: {page.url} ({page.status})")
        return staff

    # What time does

    def three_reconcile_runs(self) -> None:
        """The worker's own runs, by beat; what is due only later is due now."""
        for _ in range(3):
            self._one_reconcile_run()

    @staticmethod
    def _one_reconcile_run() -> None:
        from example_project.demo import books

        books.make_due()
        last = books.last_reconcile()
        until("reconcile ran", lambda: books.last_reconcile() != last)

    def all_agree(self) -> None:
        """:raises NotSeen: with every field in which the two sides differ."""
        from example_project.demo import books, kept

        until("all that is kept at Sadad was sent", kept.is_in_step)
        found, until_then = books.differences(self.sadad), time.monotonic() + SETTLING
        while found and time.monotonic() < until_then:
            time.sleep(0.2)
            found = books.differences(self.sadad)
        need(not found, "\n  ".join(["the two sides differ:", *found]))


def need(seen: object, otherwise: str) -> None:
    """:raises NotSeen: unless ``seen``."""
    if not seen:
        raise NotSeen(otherwise)


def until(what: str, seen: Callable[[], Any]) -> None:
    """:raises NotSeen: not within ``PATIENCE``."""
    deadline = time.monotonic() + PATIENCE
    while not seen():
        need(time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.1)
