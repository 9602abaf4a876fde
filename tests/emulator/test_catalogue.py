"""Product categories and products: fields, filters, refusals, what is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant


@pytest.fixture
def category(merchant: Merchant) -> int:
    return int(merchant.make("ProductCategory", nameEn="Sweets", nameAr="حلويات", sort=2)["id"])


@pytest.fixture
def product(merchant: Merchant, category: int) -> int:
    return int(
        merchant.make(
            "Product",
            categoryId=category,
            nameEn="Baklava",
            nameAr="بقلاوة",
            descEn="With nuts",
            descAr="بالمكسرات",
            quantity=10,
            price="1.250",
            stockable=True,
            stockableShow=True,
            attachments=["iVBORw0KGgo="],
        )["id"]
    )


def read(merchant: Merchant, group: str, number: int) -> Any:
    return merchant.ask("GET", f"{group}/getbyid", params={"id": number})["response"]


def ids(merchant: Merchant, group: str, **query: Any) -> list[int]:
    reply = merchant.ask("GET", f"{group}/getall", params=query)
    return [row["id"] for row in reply["response"] or []]


def test_category_has_the_fields_of_the_contract(merchant: Merchant, category: int) -> None:
    found = read(merchant, "ProductCategory", category)

    created = found.pop("createDate")
    assert len(created) == len("04/06/2026 00:00:00")
    assert found == {
        "id": category,
        "code": "CAT-00001",
        "nameEn": "Sweets",
        "nameAr": "حلويات",
        "sort": 2,
        "inActive": False,
    }


def test_only_an_update_sets_a_category_inactive(merchant: Merchant, category: int) -> None:
    other = merchant.make("ProductCategory", nameEn="x", inActive=True)["id"]
    assert read(merchant, "ProductCategory", other)["inActive"] is False

    merchant.ask("PUT", "ProductCategory/update", json={"id": category, "nameEn": "y", "inActive": True})
    assert read(merchant, "ProductCategory", category)["inActive"] is True
    merchant.ask("PUT", "ProductCategory/update", json={"id": category, "nameEn": "z"})
    found = read(merchant, "ProductCategory", category)
    assert (found["nameEn"], found["nameAr"], found["sort"], found["inActive"]) == ("z", "", 0, True)
    merchant.ask("PUT", "ProductCategory/update", json={"id": category, "nameEn": "z", "inActive": False})
    assert read(merchant, "ProductCategory", category)["inActive"] is False


def test_product_has_the_fields_of_the_contract(merchant: Merchant, category: int, product: int) -> None:
    (row,) = merchant.ask("GET", "Product/getall")["response"]
    brief = {
        "id": product,
        "code": "PRD-00001",
        "nameEn": "Baklava",
        "nameAr": "بقلاوة",
        "categoryNameEn": "Sweets",
        "categoryNameAr": "حلويات",
        "quantity": 10,
        "price": 1.25,
        "stockable": True,
    }
    assert row == brief
    assert read(merchant, "Product", product) == {
        **brief,
        "categoryId": category,
        "descEn": "With nuts",
        "descAr": "بالمكسرات",
        "stockableShow": True,
        "attachments": ["iVBORw0KGgo="],
    }


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"categoryId": None}, "CategoryIdRequired"),
        ({"categoryId": 0}, "CategoryIdRequired"),
        ({"categoryId": 99}, "UnauthorizedAccess"),
        ({"nameEn": " "}, "NameEnRequired"),
        ({"price": -1}, "InvalidPrice"),
        ({"price": "1.2345"}, "InvalidPrice"),
        ({"quantity": -1}, "InvalidQuantity"),
    ],
)
def test_product_that_sadad_would_refuse(
    merchant: Merchant, category: int, product: int, fields: dict[str, Any], key: str
) -> None:
    body = {"categoryId": category, "nameEn": "x", **fields}

    assert merchant.error("POST", "Product/insert", json=body) == key
    assert merchant.error("PUT", "Product/update", json={**body, "id": product}) == key
    assert ids(merchant, "Product") == [product]
    assert read(merchant, "Product", product)["nameEn"] == "Baklava"


@pytest.mark.parametrize(
    "fields", [{"attachments": [1]}, {"attachments": "x"}, {"quantity": "1.5"}, {"stockable": "yes"}]
)
def test_product_of_impossible_types_is_http_400(
    merchant: Merchant, category: int, fields: dict[str, Any]
) -> None:
    body = {"categoryId": category, "nameEn": "x", **fields}
    assert merchant.send("POST", "Product/insert", json=body).status_code == 400


def test_category_needs_a_name(merchant: Merchant, category: int) -> None:
    assert merchant.error("POST", "ProductCategory/insert", json={"nameAr": "x"}) == "NameEnRequired"
    assert merchant.error("PUT", "ProductCategory/update", json={"id": category}) == "NameEnRequired"


def test_products_are_filtered_by_category_name_and_description(
    merchant: Merchant, category: int, product: int
) -> None:
    drinks = merchant.make("ProductCategory", nameEn="Drinks")["id"]
    tea = merchant.make("Product", categoryId=drinks, nameEn="Tea", descEn="Hot")["id"]

    assert ids(merchant, "Product") == [tea, product]
    assert ids(merchant, "Product", categoryId=drinks) == [tea]
    assert ids(merchant, "Product", category_Id=category) == [product]
    assert ids(merchant, "Product", name="TEA") == [tea]
    assert ids(merchant, "Product", name="بقلا") == [product]
    assert ids(merchant, "Product", desc="nuts") == [product]
    assert ids(merchant, "Product", name="tea", categoryId=category) == []
    assert ids(merchant, "ProductCategory", name="drink") == [drinks]


def test_category_with_products_is_not_deleted(merchant: Merchant, category: int, product: int) -> None:
    path, query = "ProductCategory/delete", {"id": category}
    assert merchant.error("DELETE", path, params=query) == "ProductCategoryCannotBeDeleted"
    assert read(merchant, "ProductCategory", category)["id"] == category

    merchant.ask("DELETE", "Product/delete", params={"id": product})
    assert merchant.ask("DELETE", path, params=query)["errorKey"] is None


def test_product_on_a_link_is_not_deleted(merchant: Merchant, product: int) -> None:
    link = merchant.make("ProductLink", nameEn="a", nameAr="b", products=[product])["id"]
    path, query = "Product/delete", {"id": product}
    assert merchant.error("DELETE", path, params=query) == "ProductCannotBeDeleted"

    merchant.ask("DELETE", "ProductLink/delete", params={"id": link})
    assert merchant.ask("DELETE", path, params=query)["errorKey"] is None


def test_moving_a_product_shows_its_new_category(merchant: Merchant, product: int) -> None:
    other = merchant.make("ProductCategory", nameEn="Gifts")["id"]
    body = {"id": product, "categoryId": other, "nameEn": "Baklava"}

    merchant.ask("PUT", "Product/update", json=body)

    assert read(merchant, "Product", product)["categoryNameEn"] == "Gifts"
