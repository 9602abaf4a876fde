"""Product links, and the orders that payers make from them (contract 3.8, 10; every body is assumed)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import catalogue, invoices, ledger, objects, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.objects import Shape
from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Invoice, Stored
    from django_sadadpay.emulator.objects import Values
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World


def _of_known_products(world: World, values: Values, old: Stored | None) -> Values:
    known = {row.id for row in objects.rows(world, "Product")}
    if not known.issuperset(values["products"]):
        raise Refusal("ProductNotExist")
    return {**values, "products": list(dict.fromkeys(values["products"]))}


def _by_category(world: World, row: Stored, shown: Values) -> Values:
    """``products`` is what a merchant sends; a reader gets them under their categories (contract 10)."""
    if "products" not in shown:
        return shown
    rest = {name: value for name, value in shown.items() if name != "products"}
    return {**rest, "categories": [_category(*shelf) for shelf in shelves(world, row)]}


def _category(category: Stored, products: list[Stored]) -> Values:
    names = objects.written(catalogue.CATEGORY, category, ("nameEn", "nameAr"))
    return {"id": category.id, **names, "products": [catalogue.brief(row) for row in products]}


def shelves(world: World, link: Stored) -> list[tuple[Stored, list[Stored]]]:
    """The link's products under their categories, by the categories' ``sort``; none is empty."""
    categories = sorted(objects.rows(world, "ProductCategory"), key=lambda row: (row.values["sort"], row.id))
    found = [
        (
            category,
            [row for row in catalogue.products_of(world, category) if row.id in link.values["products"]],
        )
        for category in categories
    ]
    return [(category, products) for category, products in found if products]


PRODUCT_LINK = Shape(
    name="ProductLink",
    prefix="PRL",
    columns=(
        Column("nameEn", required="NameEnRequired"),
        Column("nameAr", required="NameArRequired"),
        Column("termsConditionEnabled", "flag"),
        Column("termsCondition"),
        Column("products", "ids"),
        Column("inActive", "flag", later=True),
    ),
    keyed=True,
    finish=_of_known_products,
    view=_by_category,
    listed=frozenset({"nameEn", "nameAr", "inActive"}),
    filters={"name": objects.contains("nameEn", "nameAr")},
)


def create_order(world: World, body: Any) -> Invoice:
    """A payer's invoice of type Order. Raises ``Refusal`` with the keys of contract 3.8."""
    fields = Fields(body)
    link = objects.for_payer(world, "ProductLink", fields.text("productLinkKey"), "ProductLinkKeyRequired")
    total = fields.fils("totalAmount", "TotalAmountRequired")
    lines = _lines(world, link, fields)
    language = fields.text("lang") or "ar"
    more = {
        "amount": wire.decimal_text(total),
        "lang": language,
        "items": [_item(product, quantity, language) for product, quantity in lines],
        "terms_Condition_Enabled": link.values["termsConditionEnabled"],
        "terms_Condition": link.values["termsCondition"],
    }
    draft = invoices.draft_for_payer(world, fields, more)
    for item, (product, _) in zip(draft.items, lines, strict=True):
        item.product_id = product.id
    return invoices.create(
        world, draft, type="Order", order_status="Pending", origin="ProductLink", origin_id=link.id
    )


def _lines(world: World, link: Stored, fields: Fields) -> list[tuple[Stored, int]]:
    """The products with their quantities, each on the link, at its price, and in stock all together."""
    sent = fields.rows("products")
    if not sent:
        raise Refusal("ProductsRequired")
    lines = [_line(world, link, Fields(row, "products")) for row in sent]
    wanted: Counter[int] = Counter()
    for product, quantity in lines:
        wanted[product.id] += quantity
        if product.values["stockable"] and wanted[product.id] > product.values["quantity"]:
            raise Refusal("YouExceededAvailableQuantity")
    return lines


def _line(world: World, link: Stored, row: Fields) -> tuple[Stored, int]:
    number, quantity = row.integer("productId"), row.integer("quantity")
    if quantity < 1:
        raise Refusal("ProductQuantityRequired")
    fils = row.fils("amount", "ProductAmountRequired")
    if number not in link.values["products"]:
        raise Refusal("ProductNotExist")
    product = objects.find(world, "Product", number)
    if fils != product.values["price"]:
        raise Refusal("InvalidProductAmount")
    return product, quantity


def _item(product: Stored, quantity: int, language: str) -> dict[str, Any]:
    values = product.values
    arabic = values["nameAr"] if language.lower() == "ar" else ""
    return {
        "name": arabic or values["nameEn"],
        "quantity": quantity,
        "amount": wire.decimal_text(values["price"]),
    }


def take_from_stock(world: World, invoice: Invoice) -> None:
    """What was paid leaves the stock; it may fall below nothing, for two may have ordered the last piece."""
    for item in invoice.items:
        product = world.objects["Product"][item.product_id]
        if product.values["stockable"]:
            product.values["quantity"] -= item.quantity


ledger.ON_PAID["Order"] = take_from_stock


def createproductlinkinvoice(world: World, request: ApiRequest) -> int:
    """The new invoice's id."""
    return create_order(world, request.body).id


SHAPES = (PRODUCT_LINK,)

ROUTES = (
    *objects.routes(PRODUCT_LINK, "getall", "getbykey", "getforpayment", "insert", "update", "delete"),
    Route(
        "Invoice/createproductlinkinvoice", "POST", "none", handler=createproductlinkinvoice, reads_body=True
    ),
)
