"""What the tests of subscriptions share: templates, subscriptions and links over raw HTTP, days to come."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator.recurrence import kuwait_date
from tests.emulator.conftest import Merchant

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator

DAY = 86400


def at_noon(emulator: Emulator) -> Merchant:
    """A merchant whose clock stands at noon in Kuwait, so that no test runs over midnight."""
    emulator.control.advance(-((emulator.world.now() - 9 * 3600) % DAY))
    return Merchant(emulator)


def today(merchant: Merchant) -> date:
    return kuwait_date(merchant.emulator.world.now())


def move_to(merchant: Merchant, day: date) -> None:
    """Noon of a day to come, with a fresh token."""
    merchant.emulator.control.advance((day - today(merchant)).days * DAY)
    merchant.log_in()


def template(merchant: Merchant, **fields: Any) -> int:
    """A template of 5 KWD a month without end; gives its id."""
    sent = {"nameEn": "Magazine", "nameAr": "مجلة", "amount": "5", "billPeriod": "Monthly", **fields}
    return int(merchant.ask("POST", "SubscriptionTemplate/insert", json=sent)["response"]["id"])


def subscribe(merchant: Merchant, template_id: int, **fields: Any) -> int:
    sent = {"templateId": template_id, "customerName": "Sara", "ref_Number": "S-1", "lang": "en", **fields}
    return int(merchant.ask("POST", "Subscription/insert", json=sent)["response"]["id"])


def read(merchant: Merchant, number: int) -> dict[str, Any]:
    reply = merchant.ask("GET", "Subscription/getbyid", params={"id": number})
    assert reply["errorKey"] is None
    found: dict[str, Any] = reply["response"]
    return found


def update(merchant: Merchant, number: int, **fields: Any) -> Any:
    """The envelope of an update that leaves all but ``fields`` as it is."""
    now = read(merchant, number)
    kept = {name: now[name] for name in ("id", "templateId", "customerName", "ref_Number", "lang")}
    return merchant.ask("PUT", "Subscription/update", json={**kept, **fields})


def schedule(merchant: Merchant, number: int) -> list[dict[str, Any]]:
    reply = merchant.ask("GET", "Subscription/generatesubscriptionschedule", params={"id": number})
    rows: list[dict[str, Any]] = reply["response"]
    return rows


def refused(merchant: Merchant, verb: str, name: str, **options: Any) -> str:
    reply = merchant.ask(verb, name, **options)
    assert (reply["isValid"], reply["response"]) == (False, None)
    return str(reply["errorKey"])


def wire_date(day: date) -> str:
    return f"{day:%m/%d/%Y} 00:00:00"


def link_of(merchant: Merchant, template_id: int, **fields: Any) -> dict[str, Any]:
    sent = {"templateId": template_id, "nameEn": "Read <us>", "nameAr": "اقرأ", **fields}
    made = merchant.ask("POST", "SubscriptionLink/insert", json=sent)["response"]
    shown: dict[str, Any] = merchant.ask("GET", "SubscriptionLink/getbyid", params={"id": made["id"]})[
        "response"
    ]
    return shown
