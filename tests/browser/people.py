"""What people do in the shop, by what they see; and what is demanded of every page that they meet."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what only browser tests have
    from playwright.sync_api import Page, ViewportSize

    from example_project.demo.stack import Stack

LARGE: ViewportSize = {"width": 1200, "height": 850}
PHONE: ViewportSize = {"width": 360, "height": 740}


class Person:
    def __init__(self, page: Page, stack: Stack) -> None:
        self.page, self.stack = page, stack

    # Buying

    def fills_basket(self, *positions: int) -> None:
        """Adds the products that stand at these places of the catalogue, from 0."""
        for position in positions:
            self.page.goto(self.stack.shop_url)
            self.page.locator(".products button").nth(position).click()

    def checks_out(self, name: str = "Noor Al-Sabah") -> None:
        """From the basket to Sadad's pay page."""
        self.page.locator("#checkout").click()
        self.page.locator("#id_name").fill(name)
        self.page.locator("#id_phone").fill("5123 4567")
        self.page.locator("#details button").click()
        self.page.wait_for_url(f"{self.stack.emulator_url}/pay/**")

    def chooses(self, outcome: str, method: str = "knet") -> None:
        """At the pay page: ``success``, ``failure`` or ``cancel``."""
        self.page.locator(f"#method-{method}").check()
        self.page.locator(f"#outcome-{outcome}").click()

    def buys(self, *positions: int) -> str:
        """Everything up to the paid order's page; gives its address."""
        self.fills_basket(*positions)
        self.checks_out()
        self.chooses("success")
        self.page.wait_for_url("**/order/**")
        return self.page.url

    # Working

    def logs_in(self) -> None:
        self.page.goto(f"{self.stack.shop_url}/admin/")
        self.page.locator("#id_username").fill("admin")
        self.page.locator("#id_password").fill(self.stack.password)
        self.page.locator("[type=submit]").click()

    def opens_invoice(self, order: str) -> None:
        """As staff do: orders, the order, its invoice."""
        self.page.goto(f"{self.stack.shop_url}/admin/shop/order/")
        self.page.get_by_role("link", name=order, exact=True).click()
        self.page.locator(".field-invoices a").first.click()

    # Looking

    @property
    def direction(self) -> str:
        return str(self.page.evaluate("getComputedStyle(document.body).direction"))

    def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        self.page.wait_for_load_state("domcontentloaded")  # a click may just have led here
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def barriers(self) -> list[str]:
        """What axe-core finds on this page: rule, and the elements that break it."""
        self.page.wait_for_load_state("domcontentloaded")
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate("axe.run().then(result => result.violations)")
        return [f"{rule['id']}: {node['html'][:150]}" for rule in found for node in rule["nodes"]]

    def photo(self, name: str) -> None:
        """For people to look at, in a folder that git ignores."""
        from example_project.demo.stack import ROOT

        self.page.screenshot(path=ROOT / ".demo" / "browser" / f"{name}.png", full_page=True)
