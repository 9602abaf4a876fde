"""Rules that hold for all 66 listed endpoints and for getcurrencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from django_sadadpay.emulator import Emulator
from tests.raw_http import groups
from tests.raw_http.wire import CURRENCIES, DAY, ENDPOINTS, Api

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Contract 2.3: the payer's side, and the rates.
FREE = {CURRENCIES} | {
    (verb, path)
    for verb, path in ENDPOINTS
    if path.endswith(("/createpaymentlinkinvoice", "/createproductlinkinvoice", "/getforpayment"))
}
OWN_CREDENTIAL = {(verb, path) for verb, path in ENDPOINTS if path.startswith("/api/User/")}
GUARDED = [pair for pair in ENDPOINTS if pair not in FREE | OWN_CREDENTIAL]
READING_BODIES = [pair for pair in ENDPOINTS if pair[0] in ("POST", "PUT") and pair not in OWN_CREDENTIAL]
WRONG_VERBS = {"GET": "POST", "POST": "GET", "PUT": "POST", "DELETE": "GET"}


@pytest.fixture(scope="module")
def door() -> Iterator[Api]:
    """A stand-in of its own, logged in once: nothing that is asked at the door changes it."""
    with Emulator(deliver="manual", seed=12) as emulator:
        made = Api(emulator)
        made.log_in()
        yield made


def short(path: str) -> str:
    return path.removeprefix("/api/")


def named(pairs: Iterable[tuple[str, str]]) -> pytest.MarkDecorator:
    ordered = sorted(pairs, key=ENDPOINTS.index)
    return pytest.mark.parametrize(("verb", "path"), ordered, ids=[short(path) for _, path in ordered])


def test_the_list_has_the_66_endpoints_of_the_vendor() -> None:
    assert len(ENDPOINTS) == len(set(ENDPOINTS)) == 66 + 1
    assert len(GUARDED) == 66 - 2 - len(FREE - {CURRENCIES})


@named(ENDPOINTS)
def test_another_verb_is_not_allowed(door: Api, verb: str, path: str) -> None:
    status, _, _ = door.send(WRONG_VERBS[verb], path, headers={"Authorization": f"Bearer {door.token}"})
    assert status == 405


@named(ENDPOINTS)
def test_letter_case_of_a_path_does_not_matter(door: Api, verb: str, path: str) -> None:
    body: dict[str, object] | None = None if verb in ("GET", "DELETE") else {}
    spelt, shouted = (
        door.ask(verb, at, body, authorization=door.basic() if "RefreshToken" in path else "")
        for at in (short(path), short(path).upper())
    )
    assert (shouted.status, shouted.error_key) == (spelt.status, spelt.error_key)
    assert door.send(verb, path.swapcase())[0] not in (404, 405)


@named(GUARDED)
def test_without_a_token_the_door_is_shut(door: Api, verb: str, path: str) -> None:
    assert door.ask(verb, short(path), token="").shut_out() == "UnauthorizedAccess"


@named(GUARDED)
def test_neither_an_invented_nor_the_refresh_token_opens_the_door(door: Api, verb: str, path: str) -> None:
    for wrong in ("made-up", door.refresh):
        assert door.ask(verb, short(path), token=wrong).shut_out() in ("InvalidToken", "UnauthorizedAccess")


def test_a_token_ends_after_a_day(api: Api) -> None:
    api.emulator.control.advance(DAY + 1)
    for verb, path in GUARDED:
        assert api.ask(verb, short(path)).shut_out() == "TokenExpired"


@named(FREE)
def test_the_payer_s_side_asks_for_no_token(door: Api, verb: str, path: str) -> None:
    body: dict[str, object] | None = None if verb == "GET" else {}
    free, known = (door.ask(verb, short(path), body, token=token) for token in ("", door.token))
    assert free.status == known.status == 200
    assert free.error_key == known.error_key


@named(READING_BODIES)
def test_a_body_that_does_not_bind_is_a_wrong_object(door: Api, verb: str, path: str) -> None:
    for body in (b'{"amount": ', b"plain", b"[1, 2]", b'"text"', b"\xff\xfe"):
        answer = door.ask(verb, short(path), raw=body)
        assert (answer.status, answer.envelope["isValid"], answer.error_key) == (400, False, "WrongObject")


@named(READING_BODIES)
def test_a_body_is_not_looked_at_before_the_token(door: Api, verb: str, path: str) -> None:
    if (verb, path) in FREE:
        assert door.ask(verb, short(path), raw=b"{", token="").status == 400
    else:
        assert door.ask(verb, short(path), raw=b"{", token="").shut_out() == "UnauthorizedAccess"


@pytest.mark.parametrize("path", ["Invoice/get", "Nothing/getall", "Invoice", "Wallet/insert"])
def test_a_path_that_nobody_listed_is_not_found(door: Api, path: str) -> None:
    assert door.send("GET", f"/api/{path}", headers={"Authorization": f"Bearer {door.token}"})[0] == 404


def test_getcurrencies_lists_rates_for_anyone(api: Api) -> None:
    rows = api.ask("GET", "Common/getcurrencies", token="").ok()
    for row in rows:
        assert len(row["code"]) == 3
        assert type(row["conversionRate"]) in (int, float)
        assert type(row["decimalPlacement"]) is int
    rates = {row["code"]: row["conversionRate"] for row in rows}
    assert rates["USD"] == 0.31  # contract 3.2: 5.58 KWD are 18 USD


def test_a_merchant_s_year_passes_through_every_endpoint(api: Api) -> None:
    """Each listed (verb, path) answers well at least once, and nothing else was called."""
    api.log_in()
    api.get("Common/getcurrencies").ok()
    _invoices_and_refunds(api)
    _links(api)
    _plans(api)
    _subscriptions(api)
    _embedded(api)
    _insert_read_update_delete(api, groups.CUSTOMER)
    assert api.seen == set(ENDPOINTS)


def _insert_read_update_delete(api: Api, group: groups.Group) -> None:
    body = group.make(api)
    made = api.post(f"{group.name}/insert", body).ok()
    assert made["id"] in [row["id"] for row in api.rows(group.name)]
    group.read(api, made).ok()
    api.put(f"{group.name}/update", {**body, **group.change, "id": made["id"]}).ok()
    api.delete(f"{group.name}/delete", id=made["id"]).ok()


def _invoices_and_refunds(api: Api) -> None:
    number = api.invoice(ref_Number="A-1")
    key = api.read(number)["key"]
    assert api.get("Invoice/GetByTypeKey", type="Invoice", key=key).ok()["id"] == number
    api.put("Invoice/update", {"id": number, "amount": "13.000", "customer_Name": "Sara"}).ok()
    api.pay(number)
    api.refund(number, "1.000").ok()
    assert len(api.rows("Refund")) == len(api.rows("Invoice")) == 1
    api.delete("Invoice/delete", id=api.invoice()).ok()


def _links(api: Api) -> None:
    for group in (groups.PAYMENT_LINK, groups.CATEGORY, groups.PRODUCT, groups.PRODUCT_LINK):
        _insert_read_update_delete(api, group)
    made = api.post("PaymentLink/insert", groups.payment_link(api)).ok()
    api.get("PaymentLink/getforpayment", key=made["key"]).ok()
    payer = {"customerName": "Ali", "customerMobile": "+96555111111"}
    order = {"paymentLinkKey": made["key"], "amount": "12.500", **payer}
    api.pay(api.post("Invoice/createpaymentlinkinvoice", order, token="").ok())
    item = groups.a_product(api, price="2.250")
    made = api.post("ProductLink/insert", groups.product_link(api, products=[item])).ok()
    api.get("ProductLink/getforpayment", key=made["key"]).ok()
    lines = [{"productId": item, "quantity": 2, "amount": "2.250"}]
    order = {"productLinkKey": made["key"], "totalAmount": "4.500", "products": lines, **payer}
    api.pay(api.post("Invoice/createproductlinkinvoice", order, token="").ok())


def _plans(api: Api) -> None:
    _insert_read_update_delete(api, groups.PLAN)
    today = api.noon()
    made = api.post("InstallmentPlan/insert", groups.plan(api, startDate=today.isoformat())).ok()
    api.get("InstallmentPlan/getforpayment", key=made["key"]).ok()
    first = api.get("InstallmentPlan/getbyid", id=made["id"]).ok()["installments"][0]
    order = {"installmentPlanKey": made["key"], "installmentId": first["id"]}
    api.pay(api.post("Invoice/createinstallmentplanlinkinvoice", order).ok())


def _subscriptions(api: Api) -> None:
    for group in (groups.TEMPLATE, groups.SUBSCRIPTION, groups.SUBSCRIPTION_LINK):
        _insert_read_update_delete(api, group)
    made = api.post("Subscription/insert", groups.subscription(api)).ok()
    api.get("Subscription/getforpayment", key=made["key"]).ok()
    assert api.get("Subscription/generatesubscriptionschedule", id=made["id"]).ok()
    made = api.post("SubscriptionLink/insert", groups.subscription_link(api)).ok()
    api.get("SubscriptionLink/getlinkdetail", key=made["key"]).ok()


def _embedded(api: Api) -> None:
    api.post("EmbeddedPayment/allow_domain", {"domain": "shop.example"}).ok()
    person = {"customer_Name": "Sara", "customer_Mobile": "+96555000000", "customer_Email": "s@example.com"}
    money = {"ref_Number": "E-1", "amount": "10", "currency_Code": "KWD", "PaymentGatewayCode": "Knet"}
    api.post("EmbeddedPayment/intiate_order_session", {**person, **money}).ok()
