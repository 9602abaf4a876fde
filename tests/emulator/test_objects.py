"""What holds for every kind of object: ids and keys, reply forms, lists, refusals, the state file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from django_sadadpay.emulator import Emulator
from tests.emulator.conftest import Merchant

if TYPE_CHECKING:
    from pathlib import Path

#: Group → a body that an insert takes, without what it refers to.
BODIES: dict[str, dict[str, Any]] = {
    "ProductCategory": {"nameEn": "Sweets", "nameAr": "حلويات", "sort": 2},
    "Product": {"categoryId": 1, "nameEn": "Baklava", "price": "1.250"},
    "ProductLink": {"nameEn": "Shop", "nameAr": "متجر", "products": [1]},
    "PaymentLink": {"title": "Donation", "amount": "5"},
    "Customer": {"name": "Sara", "mobile": "+96550000001", "ref_Number": "C-1"},
}
KEYED = ("ProductLink", "PaymentLink")
BY_ID = ("ProductCategory", "Product", "Customer")
EVERY_GROUP = pytest.mark.parametrize("group", BODIES)


@pytest.fixture
def stocked(merchant: Merchant) -> Merchant:
    """A merchant with one object of each kind; each has the id 1."""
    for group, body in BODIES.items():
        assert merchant.make(group, **body)["id"] == 1
    return merchant


def listed(merchant: Merchant, group: str, **query: Any) -> list[dict[str, Any]]:
    """The rows of getall, [] for EmptyResult."""
    reply = merchant.ask("GET", f"{group}/getall", params=query)
    assert reply["isValid"] is True
    assert reply["errorKey"] == (None if reply["response"] else "EmptyResult")
    return reply["response"] or []


def read(merchant: Merchant, group: str, number: int = 1) -> Any:
    if group not in KEYED:
        return merchant.ask("GET", f"{group}/getbyid", params={"id": number})
    rows = merchant.emulator.control.objects(group)
    key = next((row["key"] for row in rows if row["id"] == number), "1234567899")
    return merchant.ask("GET", f"{group}/getbykey", params={"key": key})


@EVERY_GROUP
def test_insert_read_and_list_agree(stocked: Merchant, group: str) -> None:
    found = read(stocked, group)["response"]
    (row,) = listed(stocked, group)

    assert found["id"] == row["id"] == 1
    assert {name: found[name] for name in row if name in found} == row
    told = {name: value for name, value in BODIES[group].items() if name in found}
    assert told
    for name, value in told.items():
        assert found[name] == value or found[name] == float(value)


@EVERY_GROUP
def test_update_replaces_what_is_read_and_listed(stocked: Merchant, group: str) -> None:
    name = {"PaymentLink": "title", "Customer": "name"}.get(group, "nameEn")
    body = {**BODIES[group], name: "Changed", "id": 1}

    reply = stocked.ask("PUT", f"{group}/update", json=body)

    assert reply == {"isValid": True, "errorKey": None, "response": True}
    assert read(stocked, group)["response"][name] == listed(stocked, group)[0][name] == "Changed"


@EVERY_GROUP
def test_deleted_is_gone_for_everybody(merchant: Merchant, group: str) -> None:
    for needed in ("ProductCategory", "Product"):
        if needed != group and group in ("Product", "ProductLink"):
            merchant.make(needed, **BODIES[needed])
    merchant.make(group, **BODIES[group])

    reply = merchant.ask("DELETE", f"{group}/delete", params={"id": 1})

    assert reply == {"isValid": True, "errorKey": None, "response": None}
    assert listed(merchant, group) == []
    gone = "InvalidKey" if group in KEYED else "UnauthorizedAccess"
    assert read(merchant, group) == {"isValid": False, "errorKey": gone, "response": None}
    assert merchant.error("DELETE", f"{group}/delete", params={"id": 1}) == "UnauthorizedAccess"
    update = {**BODIES[group], "id": 1}
    assert merchant.error("PUT", f"{group}/update", json=update) == "UnauthorizedAccess"
    assert merchant.make(group, **BODIES[group])["id"] == 2


@EVERY_GROUP
@pytest.mark.parametrize("number", [None, "", "0", "-3", "x", "9" * 30])
def test_missing_id_is_refused_with_a_valid_envelope(stocked: Merchant, group: str, number: Any) -> None:
    expected = {"isValid": True, "errorKey": "IdRequired", "response": None}

    assert stocked.ask("DELETE", f"{group}/delete", params={"id": number}) == expected
    if group in BY_ID:
        assert stocked.ask("GET", f"{group}/getbyid", params={"id": number}) == expected
    assert stocked.ask("PUT", f"{group}/update", json={**BODIES[group], "id": 0}) == expected
    assert stocked.ask("PUT", f"{group}/update", json=BODIES[group]) == expected


@EVERY_GROUP
def test_foreign_id_is_refused(stocked: Merchant, group: str) -> None:
    assert stocked.error("DELETE", f"{group}/delete", params={"id": 99}) == "UnauthorizedAccess"
    body = {**BODIES[group], "id": 99}
    assert stocked.error("PUT", f"{group}/update", json=body) == "UnauthorizedAccess"
    if group in BY_ID:
        assert stocked.error("GET", f"{group}/getbyid", params={"id": 99}) == "UnauthorizedAccess"


@pytest.mark.parametrize("group", KEYED)
@pytest.mark.parametrize("name", ["getbykey", "getforpayment"])
def test_missing_and_unknown_keys_are_told_apart(stocked: Merchant, group: str, name: str) -> None:
    assert stocked.error("GET", f"{group}/{name}") == "KeyRequired"
    assert stocked.error("GET", f"{group}/{name}", params={"key": " "}) == "KeyRequired"
    assert stocked.error("GET", f"{group}/{name}", params={"key": "123456781"}) == "InvalidKey"
    assert stocked.error("GET", f"{group}/{name}", params={"key": "x"}) == "InvalidKey"


@pytest.mark.parametrize("group", KEYED)
def test_keys_are_eight_digits_and_the_id(merchant: Merchant, group: str) -> None:
    fields = {**BODIES[group], "products": []}
    first, second = merchant.make(group, **fields), merchant.make(group, **fields)

    for made in (first, second):
        assert made["key"].isdigit()
        assert made["key"][8:] == str(made["id"])
    assert first["key"] != second["key"]


@pytest.mark.parametrize(("form", "expected"), [("id", 1), ("text", "1"), ("true", True)])
def test_insert_answers_in_the_form_that_is_set(merchant: Merchant, form: str, expected: Any) -> None:
    merchant.emulator.control.settings(insert_reply=form)
    answer = merchant.make("Customer", name="Sara")
    assert (answer, type(answer)) == (expected, type(expected))


def test_insert_answers_an_object_with_the_key_where_there_is_one(merchant: Merchant) -> None:
    assert merchant.make("Customer", name="Sara") == {"id": 1}
    link = merchant.make("PaymentLink", title="x", amount=1)
    assert set(link) == {"id", "key"}


def test_update_and_delete_answer_what_is_set(merchant: Merchant) -> None:
    merchant.emulator.control.settings(update_reply=None, delete_reply=True)
    merchant.make("Customer", name="Sara")

    assert merchant.ask("PUT", "Customer/update", json={"id": 1, "name": "Noura"})["response"] is None
    assert merchant.ask("DELETE", "Customer/delete", params={"id": 1})["response"] is True


def test_a_form_of_reply_that_is_none_is_told(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="insert_reply is one of object, id, text, true"):
        emulator.control.settings(insert_reply="xml")


@EVERY_GROUP
def test_lists_are_paged_and_sorted_like_invoices(merchant: Merchant, group: str) -> None:
    if group in ("Product", "ProductLink"):
        merchant.make("ProductCategory", **BODIES["ProductCategory"])
    if group == "ProductLink":
        merchant.make("Product", **BODIES["Product"])
    for _ in range(3):
        merchant.make(group, **BODIES[group])

    def page(**options: Any) -> list[dict[str, Any]]:
        return listed(merchant, group, listOptions=json.dumps(options))

    assert [row["id"] for row in listed(merchant, group)] == [3, 2, 1]
    assert "totalCount" not in listed(merchant, group)[0]
    assert [(row["id"], row["totalCount"]) for row in page(skip=1, take=1)] == [(2, 3)]
    assert [row["id"] for row in page(sort={"selector": "Id", "desc": False})] == [1, 2, 3]
    assert page(skip=3, take=1) == []


def test_lists_sort_by_their_own_columns(merchant: Merchant) -> None:
    for name in ("b", "c", "a"):
        merchant.make("Customer", name=name)

    def names(selector: str) -> list[str]:
        options = json.dumps({"sort": {"selector": selector, "desc": True}})
        return [row["name"] for row in listed(merchant, "Customer", listOptions=options)]

    assert names("Name") == ["c", "b", "a"]
    assert names("createDate") == ["a", "c", "b"]
    assert names("colour") == ["a", "c", "b"]


@EVERY_GROUP
def test_faults_make_every_list_lie(stocked: Merchant, group: str) -> None:
    faults = stocked.emulator.control.faults
    query = {"title": "zz", "name": "zz"}

    if group != "ProductLink":
        assert listed(stocked, group, **query) == []
    faults.add(f"{group}/getall", "ignore_filter", times=1)
    assert [row["id"] for row in listed(stocked, group, **query)] == [1]
    faults.add("*", "ignore_paging", times=1)
    (row,) = listed(stocked, group, listOptions=json.dumps({"skip": 5, "take": 1}))
    assert (row["id"], "totalCount" in row) == (1, False)


def test_refund_list_can_ignore_its_filter(merchant: Merchant) -> None:
    number = merchant.insert()
    merchant.emulator.control.pay(number)
    merchant.refund(number, "1")

    assert listed(merchant, "Refund", invoice_Id=number + 1) == []
    merchant.emulator.control.faults.add("Refund/getall", "ignore_filter", times=1)
    assert len(listed(merchant, "Refund", invoice_Id=number + 1)) == 1


@EVERY_GROUP
def test_a_body_that_is_no_object_is_http_400(stocked: Merchant, group: str) -> None:
    bodies: tuple[Any, ...] = ([], "x", {"nameEn": {}, "name": {}, "title": {}})
    for body in bodies:
        reply = stocked.send("POST", f"{group}/insert", json=body)
        assert (reply.status_code, reply.json()["errorKey"]) == (400, "WrongObject")


@EVERY_GROUP
@pytest.mark.parametrize("name", ["insert", "update", "delete", "getall"])
def test_merchants_calls_need_a_token(merchant: Merchant, group: str, name: str) -> None:
    verb = {"insert": "POST", "update": "PUT", "delete": "DELETE"}.get(name, "GET")
    reply = merchant.send(verb, f"{group}/{name}", token="x", json=BODIES[group])
    assert (reply.status_code, reply.json()["errorKey"]) == (401, "InvalidToken")


@EVERY_GROUP
def test_names_of_fields_are_read_in_any_case(merchant: Merchant, group: str) -> None:
    if group in ("Product", "ProductLink"):
        merchant.make("ProductCategory", **BODIES["ProductCategory"])
    if group == "ProductLink":
        merchant.make("Product", **BODIES["Product"])
    assert merchant.make(group, **{name.upper(): value for name, value in BODIES[group].items()})["id"] == 1


def test_names_of_parameters_are_read_in_any_case(stocked: Merchant) -> None:
    key = stocked.emulator.control.objects("PaymentLink")[0]["key"]
    assert stocked.ask("GET", "PaymentLink/getbykey", params={"Key": key})["response"]["key"] == key
    assert stocked.ask("GET", "Customer/getbyid", params={"ID": 1})["response"]["name"] == "Sara"


def test_servers_own_fields_are_ignored_on_insert(merchant: Merchant) -> None:
    made = merchant.make("PaymentLink", title="x", amount=1, id=77, key="1", code="z", createDate="z")
    assert made["id"] == 1
    assert read(merchant, "PaymentLink")["response"]["code"] == "PL-00001"


def test_objects_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    with Emulator(deliver="manual", state_file=file, seed=3) as first:
        merchant = Merchant(first)
        for group, body in BODIES.items():
            merchant.make(group, **body)
        merchant.ask("DELETE", "Customer/delete", params={"id": 1})
        before = {group: first.control.objects(group) for group in BODIES}

    with Emulator(deliver="manual", state_file=file) as second:
        assert {group: second.control.objects(group) for group in BODIES} == before
        assert before["Customer"] == []
        assert Merchant(second).make("Customer", name="Noura")["id"] == 2


def test_a_state_file_from_before_there_were_objects_still_loads(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    first = Emulator(state_file=file)
    number = first.control.create(3)["id"]
    data = json.loads(file.read_text("utf-8"))
    del data["objects"]
    for row in data["invoices"]:
        for name in ("order_status", "order_session_id", "origin", "origin_id", "part"):
            del row[name]
    file.write_text(json.dumps(data), "utf-8")

    again = Emulator(state_file=file)

    assert again.control.invoice(number) == first.control.invoice(number)
    assert again.control.objects("Product") == []


def test_control_makes_objects_as_the_panel_does(emulator: Emulator) -> None:
    made = emulator.control.create_object("PaymentLink", title="Rent", amount="120.500")

    assert (made["id"], made["title"], made["amount"]) == (1, "Rent", 120.5)
    assert emulator.control.objects("PaymentLink") == [made]
    with pytest.raises(ValueError, match="no kind 'Nothing'; there are"):
        emulator.control.objects("Nothing")
    emulator.control.reset()
    assert emulator.control.objects("PaymentLink") == []


def test_control_over_http_makes_and_shows_objects(emulator: Emulator) -> None:
    def post(what: str, /, **body: Any) -> requests.Response:
        return requests.post(f"{emulator.base_url}/control/{what}", json=body, timeout=5)

    made = post("create_object", kind="Customer", name="Sara").json()["result"]
    assert post("objects", kind="Customer").json() == {"result": [made]}
    refused = post("create_object", kind="Customer")
    assert (refused.status_code, refused.json()) == (409, {"error": "CustomerNameRequired"})
    assert post("objects", kind="Nothing").status_code == 400


def test_personal_data_is_not_in_the_representation_of_an_object(merchant: Merchant) -> None:
    merchant.make("Customer", **BODIES["Customer"])
    shown = repr(merchant.emulator.world.objects)
    assert "Sara" not in shown
    assert "+965" not in shown
