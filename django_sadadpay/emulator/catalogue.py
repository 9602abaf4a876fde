"""Product categories and products (contract 10; every body is assumed)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import objects
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.objects import Shape

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Stored
    from django_sadadpay.emulator.objects import Values
    from django_sadadpay.emulator.state import World


def products_of(world: World, category: Stored) -> list[Stored]:
    """The products that stand in a category."""
    return [row for row in objects.rows(world, "Product") if row.values["categoryId"] == category.id]


def _has_products(world: World, category: Stored) -> bool:
    return bool(products_of(world, category))


CATEGORY = Shape(
    name="ProductCategory",
    prefix="CAT",
    columns=(
        Column("nameEn", required="NameEnRequired"),
        Column("nameAr"),
        Column("sort", "integer"),
        Column("inActive", "flag", later=True),
    ),
    in_use=_has_products,
    filters={"name": objects.contains("nameEn", "nameAr")},
)


def _in_a_category(world: World, values: Values, old: Stored | None) -> Values:
    """A category that is not the merchant's is refused as any foreign id."""
    objects.find(world, "ProductCategory", values["categoryId"])
    return values


def _with_its_category(world: World, row: Stored, shown: Values) -> Values:
    """With its category's names; of products alone no date of creation is known (contract 10)."""
    category = world.objects["ProductCategory"][row.values["categoryId"]].values
    dateless = {name: value for name, value in shown.items() if name != "createDate"}
    return {**dateless, "categoryNameEn": category["nameEn"], "categoryNameAr": category["nameAr"]}


def _is_on_a_link(world: World, product: Stored) -> bool:
    return any(product.id in link.values["products"] for link in objects.rows(world, "ProductLink"))


PRODUCT = Shape(
    name="Product",
    prefix="PRD",
    columns=(
        Column("categoryId", "integer", required="CategoryIdRequired"),
        Column("nameEn", required="NameEnRequired"),
        Column("nameAr"),
        Column("descEn"),
        Column("descAr"),
        Column("quantity", "integer"),
        Column("price", "kwd"),
        Column("stockable", "flag"),
        Column("stockableShow", "flag"),
        Column("attachments", "texts"),
    ),
    finish=_in_a_category,
    view=_with_its_category,
    listed=frozenset({"nameEn", "nameAr", "quantity", "price", "stockable"}),
    in_use=_is_on_a_link,
    filters={
        "categoryid": objects.equals("categoryId"),
        "name": objects.contains("nameEn", "nameAr"),
        "desc": objects.contains("descEn", "descAr"),
    },
)


def brief(product: Stored) -> dict[str, Any]:
    """A product as a payer sees it on a link."""
    names = ("nameEn", "nameAr", "descEn", "descAr", "price", "quantity", "stockable")
    return {"id": product.id, "code": product.code, **objects.written(PRODUCT, product, names)}


SHAPES = (CATEGORY, PRODUCT)

ROUTES = tuple(
    route
    for shape in SHAPES
    for route in objects.routes(shape, "getall", "getbyid", "insert", "update", "delete")
)
