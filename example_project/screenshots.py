"""``python -m example_project.screenshots docs/images``: the README's pictures, taken of the running demo."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from example_project.demo.stack import Stack
from tests.browser.people import Person
from tests.servers.chromium import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

SIZE: ViewportSize = {"width": 1000, "height": 700}
NARROW: ViewportSize = {"width": 420, "height": 700}
MOST = 200_000  # bytes of a picture: a README is read on phones, too


def main(folder: Path) -> int:
    """Write ``demo-shop``, ``-order``, ``-arabic``, ``-admin``, ``-box.png``; 1 if one is too large."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as own:
        with Stack(Path(own), beat=1, webhook_interval=1) as stack, browser() as chromium:
            _take(stack, chromium, folder)
    large = [path.name for path in sorted(folder.glob("demo-*.png")) if path.stat().st_size > MOST]
    print(
        *(f"{path} {path.stat().st_size // 1024} KB" for path in sorted(folder.glob("demo-*.png"))), sep="\n"
    )
    return int(bool(large))


def _take(stack: Stack, chromium: Browser, folder: Path) -> None:
    buyer = _person(stack, chromium, SIZE)
    buyer.page.goto(stack.shop_url)
    buyer.page.screenshot(path=folder / "demo-shop.png")
    order = _buy_and_refund(buyer, _person(stack, chromium, SIZE), folder)
    buyer.page.goto(order)
    buyer.page.screenshot(path=folder / "demo-order.png")
    arabic = _person(stack, chromium, NARROW)
    arabic.page.goto(stack.shop_url)
    arabic.page.get_by_role("button", name="العربية").click()
    arabic.buys(1, 2)
    arabic.page.screenshot(path=folder / "demo-arabic.png")
    _subscribe(_person(stack, chromium, SIZE), folder)


def _subscribe(buyer: Person, folder: Path) -> None:
    """A paid month, a missed one, and one that is to be paid."""
    page = buyer.page
    page.goto(f"{buyer.stack.shop_url}/box/coffee-box/")
    page.locator("#id_name").fill("Fahad Al-Mutairi")
    page.locator("#id_phone").fill("6655 4433")
    page.locator("#details button").click()
    page.locator("#status[data-status=due]").wait_for()
    address = page.url
    page.locator("#pay").click()
    buyer.chooses("success")
    page.goto(address)
    while not page.locator("#status[data-status=paid]").count():
        page.wait_for_timeout(200)
        page.reload()
    for _ in range(2):
        page.locator("#later").click()
        page.locator("#status[data-status=due]").wait_for()
    page.locator(".mark.missed").wait_for()
    page.screenshot(path=folder / "demo-box.png")


def _buy_and_refund(buyer: Person, staff: Person, folder: Path) -> str:
    """Give the address of the order's page."""
    address = buyer.buys(0, 2, 2)
    staff.logs_in()
    staff.opens_invoice(buyer.page.locator("h1").inner_text().removeprefix("Order "))
    staff.page.get_by_role("link", name="Refund", exact=True).click()
    staff.page.locator("#id_amount").fill("2.750")
    staff.page.locator("#id_reason").fill("A box of dates was missing")
    staff.page.get_by_role("button", name="Continue").click()
    staff.page.get_by_role("button", name="Refund now").wait_for()
    staff.page.screenshot(path=folder / "demo-admin.png")
    staff.page.get_by_role("button", name="Refund now").click()
    staff.page.locator(".messagelist .success").wait_for()
    return address


def _person(stack: Stack, chromium: Browser, size: ViewportSize) -> Person:
    return Person(chromium.new_context(viewport=size, locale="en-GB").new_page(), stack)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
