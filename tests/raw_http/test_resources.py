"""Insert, read, update, delete and list agree with each other, for every group of objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.raw_http import groups
from tests.raw_http.shapes import amiss, differing

if TYPE_CHECKING:
    from tests.raw_http.groups import Group
    from tests.raw_http.wire import Api

every_group = pytest.mark.parametrize("group", groups.GROUPS, ids=str)
by_id = pytest.mark.parametrize("group", [row for row in groups.GROUPS if row.reads_by == "id"], ids=str)
by_key = pytest.mark.parametrize("group", [row for row in groups.GROUPS if row.reads_by == "key"], ids=str)


def insert(api: Api, group: Group, **fields: Any) -> tuple[dict[str, Any], Any]:
    """(what was sent, what the insert answered)."""
    body = {**group.make(api), **fields}
    return body, api.post(f"{group.name}/insert", body).ok()


def echoed(group: Group, body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in group.unechoed}


@every_group
def test_an_insert_names_what_it_made(api: Api, group: Group) -> None:
    _, made = insert(api, group)
    assert type(made["id"]) is int
    if group.keyed:
        assert made["key"][8:] == str(made["id"])
        assert made["key"][:8].isdigit()


@every_group
def test_a_read_gives_back_what_was_inserted(api: Api, group: Group) -> None:
    body, made = insert(api, group)
    got = group.read(api, made).ok()
    assert amiss(group.shape, got) == []
    assert differing(echoed(group, body), got) == {}
    assert got["id"] == made["id"]
    assert got.get("key") == made.get("key")


@every_group
def test_the_list_shows_the_same_values_as_the_read(api: Api, group: Group) -> None:
    _, made = insert(api, group)
    (row,) = [row for row in api.rows(group.name) if row["id"] == made["id"]]
    got = group.read(api, made).ok()
    assert [name for name in group.row if name not in row] == []
    shared = set(row) & set(got)
    assert {name: row[name] for name in shared} == {name: got[name] for name in shared}


@every_group
def test_an_update_changes_what_it_names_in_read_and_list(api: Api, group: Group) -> None:
    body, made = insert(api, group)
    before = group.read(api, made).ok()
    changed = {**body, **group.change}
    assert api.put(f"{group.name}/update", {**changed, "id": made["id"]}).ok() is True
    after = group.read(api, made).ok()
    assert differing(echoed(group, changed), after) == {}
    for own in ("id", "key", "code", "createDate"):
        assert after.get(own) == before.get(own)
    (row,) = api.rows(group.name)
    assert {name: row[name] for name in set(row) & set(after)} == {
        name: after[name] for name in set(row) & set(after)
    }


@every_group
def test_an_update_touches_nothing_else(api: Api, group: Group) -> None:
    _, other = insert(api, group)
    body, made = insert(api, group)
    before = group.read(api, other).ok()
    api.put(f"{group.name}/update", {**body, **group.change, "id": made["id"]}).ok()
    assert group.read(api, other).ok() == before


@every_group
def test_a_deleted_object_is_gone_from_list_and_read(api: Api, group: Group) -> None:
    _, kept = insert(api, group)
    _, made = insert(api, group)
    assert api.delete(f"{group.name}/delete", id=made["id"]).ok() in (None, True)
    assert [row["id"] for row in api.rows(group.name)] == [kept["id"]]
    gone = "InvalidKey" if group.reads_by == "key" else "UnauthorizedAccess"
    assert group.read(api, made).error_key == gone
    assert api.delete(f"{group.name}/delete", id=made["id"]).refused() == "UnauthorizedAccess"
    assert (
        api.put(f"{group.name}/update", {**group.make(api), "id": made["id"]}).refused()
        == "UnauthorizedAccess"
    )


@every_group
def test_an_empty_list_says_so(api: Api, group: Group) -> None:
    assert api.get(f"{group.name}/getall").remark() == "EmptyResult"


@every_group
def test_a_list_comes_in_pages_newest_first(api: Api, group: Group) -> None:
    ids = [insert(api, group)[1]["id"] for _ in range(3)]

    def page(skip: int, take: int, *, desc: bool = True) -> Any:
        sort = {"selector": "Id", "desc": desc}
        options = {"loadingAll": False, "skip": skip, "take": take, "sort": sort}
        return api.rows(group.name, listOptions=json.dumps(options))

    assert [row["id"] for row in page(0, 2)] == [ids[2], ids[1]]
    assert [row["id"] for row in page(2, 2)] == [ids[0]]
    assert [row["id"] for row in page(0, 3, desc=False)] == ids
    assert {row["totalCount"] for row in page(0, 2)} == {3}
    assert [row["id"] for row in api.rows(group.name)] == [ids[2], ids[1], ids[0]]


@every_group
def test_a_page_behind_the_end_is_empty(api: Api, group: Group) -> None:
    insert(api, group)
    options = json.dumps(
        {"loadingAll": False, "skip": 5, "take": 5, "sort": {"selector": "Id", "desc": True}}
    )
    assert api.get(f"{group.name}/getall", listOptions=options).remark() == "EmptyResult"


@pytest.mark.parametrize(
    ("group", "query", "field"),
    [
        pytest.param(group, query, field, id=f"{group}-{query}")
        for group in groups.GROUPS
        for query, field in group.find.items()
    ],
)
def test_a_list_can_be_searched(api: Api, group: Group, query: str, field: str) -> None:
    _, made = insert(api, group)
    value = group.read(api, made).ok()[field]
    assert [row["id"] for row in api.rows(group.name, **{query: value})] == [made["id"]]
    nowhere = 999999 if isinstance(value, int) else "Nobody"
    assert api.get(f"{group.name}/getall", **{query: nowhere}).remark() == "EmptyResult"


@pytest.mark.parametrize("verb", ["insert", "update"])
@pytest.mark.parametrize(
    ("group", "field", "key"),
    [
        pytest.param(group, field, key, id=f"{group}-{field}")
        for group in groups.GROUPS
        for field, key in group.required.items()
    ],
)
def test_what_is_required_is_asked_for_by_its_own_key(
    api: Api, group: Group, field: str, key: str, verb: str
) -> None:
    body, made = insert(api, group)
    before = group.read(api, made).ok()
    for lacking in without(body, field):
        sent = lacking if verb == "insert" else {**lacking, "id": made["id"]}
        answer = api.ask("POST" if verb == "insert" else "PUT", f"{group.name}/{verb}", sent)
        assert answer.refused() == key
    assert len(api.rows(group.name)) == 1
    assert group.read(api, made).ok() == before


def without(body: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """The body with ``field`` missing, null, and empty."""
    empty = 0 if isinstance(body[field], int) or field == "amount" else ""
    return [{k: v for k, v in body.items() if k != field}, {**body, field: None}, {**body, field: empty}]


@every_group
def test_keys_of_a_body_are_read_in_any_case_and_strangers_ignored(api: Api, group: Group) -> None:
    body = group.make(api)
    shouted = {name.upper(): value for name, value in body.items()}
    strange = {"callback_url": "https://x.example", "vendor_Id": 9, "createDate": "01/01/2001 00:00:00"}
    made = api.post(f"{group.name}/insert", {**shouted, **strange}).ok()
    got = group.read(api, made).ok()
    assert differing(echoed(group, body), got) == {}
    assert "callback_url" not in got
    assert not got.get("createDate", "").startswith("01/01/2001")


@pytest.mark.parametrize(
    ("group", "field"),
    [
        pytest.param(group, field, id=f"{group}-{field}")
        for group in groups.GROUPS
        for field in group.required
    ],
)
def test_a_field_of_another_shape_does_not_bind(api: Api, group: Group, field: str) -> None:
    body, made = insert(api, group)
    before = group.read(api, made).ok()
    for shape in ({"a": 1}, [1, 2]):
        wrong = {**body, field: shape}
        for answer in (
            api.post(f"{group.name}/insert", wrong),
            api.put(f"{group.name}/update", {**wrong, "id": made["id"]}),
        ):
            assert (answer.status, answer.envelope["isValid"], answer.error_key) == (
                400,
                False,
                "WrongObject",
            )
    assert len(api.rows(group.name)) == 1
    assert group.read(api, made).ok() == before


@by_id
def test_words_for_an_id_find_nothing(api: Api, group: Group) -> None:
    insert(api, group)
    answer = api.get(f"{group.name}/getbyid", id="seven")
    assert answer.status in (200, 400)
    assert answer.error_key
    assert not answer.envelope["isValid"] or answer.envelope["response"] is None


@every_group
def test_a_reply_that_drifts_would_be_noticed(api: Api, group: Group) -> None:
    """This suite's own eyes: a field that is gone, and one of another type."""
    _, made = insert(api, group)
    first, last = next(iter(group.shape)), list(group.shape)[-1]
    read = f"{group.name}/getby{group.reads_by}"
    api.emulator.control.faults.add(read, "reply_field", path=first, remove=True, times=1)
    assert amiss(group.shape, group.read(api, made).ok()) == [first]
    api.emulator.control.faults.add(read, "reply_field", path=last, value={"other": 1}, times=1)
    assert amiss(group.shape, group.read(api, made).ok()) == [last]


@pytest.mark.parametrize(("style", "answer"), [("object", dict), ("id", int), ("text", str), ("true", bool)])
@every_group
def test_an_insert_is_done_whatever_it_answers(api: Api, group: Group, style: str, answer: type) -> None:
    """What an insert answers is unknown (contract 10): each guess can be had."""
    body = group.make(api)
    api.emulator.control.settings(insert_reply=style)
    assert type(api.post(f"{group.name}/insert", body).ok()) is answer
    assert len(api.rows(group.name)) == 1


@by_id
def test_an_id_must_be_told(api: Api, group: Group) -> None:
    insert(api, group)
    path = f"{group.name}/getbyid"
    for answer in (api.get(path), api.get(path, id=""), api.get(path, id=0), api.get(path, id=-4)):
        assert answer.remark() == "IdRequired"
    assert api.get(path, id=999999).refused() == "UnauthorizedAccess"


@every_group
def test_nothing_is_deleted_or_changed_without_an_id(api: Api, group: Group) -> None:
    body, made = insert(api, group)
    before = group.read(api, made).ok()
    path = f"{group.name}/delete"
    for answer in (api.delete(path), api.delete(path, id=0), api.delete(path, id=-4)):
        assert answer.remark() == "IdRequired"
    nameless: tuple[dict[str, int], ...] = ({}, {"id": 0}, {"id": -4})
    for body_id in nameless:
        assert api.put(f"{group.name}/update", {**body, **body_id}).remark() == "IdRequired"
    assert api.delete(path, id=999999).refused() == "UnauthorizedAccess"
    assert api.put(f"{group.name}/update", {**body, "id": 999999}).refused() == "UnauthorizedAccess"
    assert group.read(api, made).ok() == before


@by_key
def test_a_key_must_be_told_and_known(api: Api, group: Group) -> None:
    insert(api, group)
    for path in (f"{group.name}/getbykey", f"{group.name}/getforpayment"):
        assert api.get(path).error_key == "KeyRequired"
        assert api.get(path, key="123456789999").error_key == "InvalidKey"
        assert api.get(path, key="words").error_key == "InvalidKey"


@pytest.mark.parametrize(
    "path", ["InstallmentPlan/getforpayment", "Subscription/getforpayment", "SubscriptionLink/getlinkdetail"]
)
def test_the_other_keyed_reads_ask_for_a_known_key_too(api: Api, path: str) -> None:
    assert api.get(path).error_key == "KeyRequired"
    assert api.get(path, key="123456789999").error_key == "InvalidKey"


# What is in use stays


def test_a_category_with_products_stays(api: Api) -> None:
    category = groups.a_category(api)
    item = groups.a_product(api, categoryId=category)
    assert api.delete("ProductCategory/delete", id=category).refused() == "ProductCategoryCannotBeDeleted"
    assert api.get("ProductCategory/getbyid", id=category).ok()["nameEn"] == "Sweets"
    api.delete("Product/delete", id=item).ok()
    api.delete("ProductCategory/delete", id=category).ok()


def test_a_product_on_a_link_stays(api: Api) -> None:
    item = groups.a_product(api)
    link = api.add("ProductLink", groups.product_link(api, products=[item]))
    assert api.delete("Product/delete", id=item).refused() == "ProductCannotBeDeleted"
    assert api.get("Product/getbyid", id=item).ok()["nameEn"] == "Dates"
    api.delete("ProductLink/delete", id=link).ok()
    api.delete("Product/delete", id=item).ok()


def test_a_template_with_subscriptions_stays(api: Api) -> None:
    template = groups.a_template(api)
    made = api.add("Subscription", groups.subscription(api, templateId=template))
    assert (
        api.delete("SubscriptionTemplate/delete", id=template).refused()
        == "SubscriptionTemplateCannotBeDeleted"
    )
    assert api.get("SubscriptionTemplate/getbyid", id=template).ok()["nameEn"] == "Gym"
    api.delete("Subscription/delete", id=made).ok()
    api.delete("SubscriptionTemplate/delete", id=template).ok()


def test_a_customer_with_an_active_subscription_stays(api: Api) -> None:
    customer = api.add("Customer", groups.customer(api))
    body = groups.subscription(api, customerId=customer)
    made = api.add("Subscription", body)
    assert api.delete("Customer/delete", id=customer).refused() == "CustomerCannotBeDeleted"
    api.put("Subscription/update", {**body, "id": made, "status": "Closed"}).ok()
    api.delete("Customer/delete", id=customer).ok()


def test_a_product_needs_a_category_that_exists(api: Api) -> None:
    body = {**groups.product(api), "categoryId": 999999}
    assert api.post("Product/insert", body).refused() == "UnauthorizedAccess"


def test_an_update_replaces_the_products_of_a_link(api: Api) -> None:
    first, second = groups.a_product(api), groups.a_product(api, nameEn="Honey")
    body = groups.product_link(api, products=[first])
    made = api.post("ProductLink/insert", body).ok()
    api.put("ProductLink/update", {**body, "id": made["id"], "products": [second]}).ok()
    categories = api.get("ProductLink/getbykey", key=made["key"]).ok()["categories"]
    assert [row["nameEn"] for category in categories for row in category["products"]] == ["Honey"]
    api.delete("Product/delete", id=first).ok()
    assert api.delete("Product/delete", id=second).refused() == "ProductCannotBeDeleted"


def test_products_are_listed_by_category_and_with_its_names(api: Api) -> None:
    sweets, fruit = groups.a_category(api), groups.a_category(api, nameEn="Fruit", nameAr="فواكه")
    groups.a_product(api, categoryId=sweets)
    apple = groups.a_product(api, categoryId=fruit, nameEn="Apple", descEn="Green")
    (row,) = api.rows("Product", categoryId=fruit)
    assert (row["id"], row["categoryNameEn"], row["categoryNameAr"]) == (apple, "Fruit", "فواكه")
    assert [row["id"] for row in api.rows("Product", desc="Green")] == [apple]
