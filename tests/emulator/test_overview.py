"""The stand-in's first page: every endpoint with its evidence, how often it was called, how that ended."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

import pytest
import requests

from django_sadadpay.emulator import api
from django_sadadpay.emulator.protocol import Evidence
from django_sadadpay.emulator.routes import ROUTES

if TYPE_CHECKING:
    from collections import deque

    from django_sadadpay.emulator import Emulator
    from tests.emulator.conftest import Merchant


def endpoints(emulator: Emulator) -> dict[str, list[str]]:
    """Endpoint → verb, evidence, calls, last status, last error key, as the page shows them."""
    text = requests.get(f"{emulator.base_url}/", timeout=5).text
    table = text[text.index('id="endpoints"') :]
    body = table[table.index("<tbody>") : table.index("</tbody>")]
    rows = [re.findall("<td>(.*?)</td>", row) for row in body.split("</tr>")[:-1]]
    return {name: [verb, *rest] for verb, name, *rest in rows}


def test_every_endpoint_is_there_with_its_evidence_before_it_is_called(emulator: Emulator) -> None:
    shown = endpoints(emulator)

    assert set(shown) == {route.name for route in ROUTES}
    assert {row[1] for row in shown.values()} <= set(get_args(Evidence))
    assert shown["Invoice/insert"] == ["POST", "doc", "0", "", ""]
    assert shown["Common/getcurrencies"] == ["GET", "vendor", "0", "", ""]
    assert shown["Product/insert"] == ["POST", "assumed", "0", "", ""]


def test_calls_are_counted_with_how_the_last_one_ended(merchant: Merchant) -> None:
    number = merchant.insert()
    merchant.read(number)
    merchant.read(0)
    merchant.emulator.control.faults.add("Invoice/insert", "cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        merchant.insert()
    shown = endpoints(merchant.emulator)

    assert shown["Invoice/getbyid"][2:] == ["2", "200", "InvoiceIdRequired"]
    assert shown["Invoice/insert"][2:] == ["2", "cut", ""]
    assert shown["User/GenerateAccessToken"][2:] == ["1", "200", ""]


def test_error_key_that_a_fault_made_up_is_shown_as_text(merchant: Merchant) -> None:
    merchant.emulator.control.faults.add("Invoice/getall", "refuse", error_key="<script>")
    merchant.ask("GET", "Invoice/getall")
    assert endpoints(merchant.emulator)["Invoice/getall"][-1] == "&lt;script&gt;"


def test_counts_outlive_the_log_and_lose_no_call_of_many_at_once(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    short: deque[api.Call] = type(merchant.emulator.api.log)(maxlen=3)
    monkeypatch.setattr(merchant.emulator.api, "log", short)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: merchant.send("GET", "Common/getcurrencies"), range(40)))

    assert len(merchant.emulator.control.log) == 3
    assert endpoints(merchant.emulator)["Common/getcurrencies"][2] == "40"
    merchant.emulator.control.clear_log()
    assert endpoints(merchant.emulator)["Common/getcurrencies"][2] == "40"


def test_reset_counts_anew(merchant: Merchant) -> None:
    merchant.emulator.control.reset()
    assert endpoints(merchant.emulator)["User/GenerateAccessToken"][2:] == ["0", "", ""]


def test_pages_for_payers_are_linked_and_open(emulator: Emulator) -> None:
    control = emulator.control
    category = control.create_object("ProductCategory", nameEn="Tea")
    product = control.create_object("Product", categoryId=category["id"], nameEn="Green", price=1)
    template = control.create_object("SubscriptionTemplate", nameEn="Box", amount=1, billPeriod="Monthly")
    plan: dict[str, Any] = {"amount": 9, "installmentCount": 3, "startDate": "2027-01-01", "payPer": "Daily"}
    made: dict[str, dict[str, Any]] = {
        "PaymentLink": {"title": "Gift", "amount": 1},
        "ProductLink": {"nameEn": "Shop", "nameAr": "متجر", "products": [product["id"]]},
        "InstallmentPlan": {"customerName": "Sara", **plan},
        "SubscriptionLink": {"nameEn": "Box", "templateId": template["id"]},
    }
    codes = [control.create_object(kind, **body)["code"] for kind, body in made.items()]
    text = requests.get(f"{emulator.base_url}/", timeout=5).text
    table = text[text.index('id="links"') : text.index('id="webhooks"')]

    assert re.findall(r'<a href="[^"]+">([^<]+)</a>', table) == codes
    for path in re.findall(r'href="([^"]+)"', table):
        assert requests.get(f"{emulator.base_url}{path}", timeout=5).status_code == 200
    assert "Sara" not in text
