"""The Invoice endpoints that a merchant uses (contract 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import drafts, ledger, listing, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.entities import Invoice
from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_sadadpay.emulator.drafts import Draft
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World


def find(world: World, number: int) -> Invoice:
    """The merchant's invoice. Raises ``Refusal``: see contract 3.2 for both keys."""
    if number <= 0:
        raise Refusal("InvoiceIdRequired", is_valid=True)
    if number not in world.invoices:
        raise Refusal("UnauthorizedAccess")
    return world.invoices[number]


def by_key(world: World, key: str) -> Invoice | None:
    """The invoice of a pay link: the key is 8 digits and the id (contract 3.2)."""
    is_key = key.isascii() and key.isdigit() and 8 < len(key) < 30
    found = world.invoices.get(int(key[8:])) if is_key else None
    return found if found and found.key == key else None


def create(world: World, draft: Draft, **more: Any) -> Invoice:
    """Store a checked draft with an id and a key of its own; ``more`` are further fields of ``Invoice``."""
    number = world.next_id("invoice")
    invoice = Invoice(
        id=number,
        key=world.digits("key", number, 8) + str(number),
        created_at=world.now(),
        items=_numbered(world, draft),
        **{**draft.values, **more},
    )
    world.invoices[number] = invoice
    return invoice


def _numbered(world: World, draft: Draft) -> list[Any]:
    return [replace(item, id=world.next_id("item")) for item in draft.items]


def draft_for_payer(world: World, fields: Fields, more: Mapping[str, Any]) -> Draft:
    """What a payer wrote into a link's form, with ``more`` fields of Invoice/insert. Raises ``Refusal``.

    Unlike a merchant's invoice it must name a telephone number (contract 3.7).
    """
    names = ("Name", "Mobile", "Email")
    customer = {f"customer_{name}": fields.text(f"customer{name}") for name in names}
    if not customer["customer_Name"].strip():
        raise Refusal("CustomerNameRequired")
    if not customer["customer_Mobile"].strip():
        raise Refusal("CustomerMobileRequired")
    return drafts.read(world, {**customer, "comment": fields.text("comment"), **more})


def insert(world: World, request: ApiRequest) -> dict[str, str]:
    """All or none are stored; the reply names the last one (contract 3.1)."""
    rows = Fields(request.body).rows("Invoices")
    if not rows:
        raise Refusal("ObjectIsEmpty")
    checked = [drafts.read(world, row) for row in rows]
    stored = [create(world, draft) for draft in checked]
    return {"invoiceId": str(stored[-1].id)}


def getbyid(world: World, request: ApiRequest) -> dict[str, Any]:
    return wire.invoice(world, find(world, request.query_id()))


def update(world: World, request: ApiRequest) -> bool | None:
    """One whole invoice object with its id, without the wrapper; only while Unpaid (contract 3.5)."""
    invoice = find(world, Fields(request.body).integer("id"))
    if invoice.status != "Unpaid" or invoice.origin:  # what came from a link or plan is its (assumed)
        raise Refusal("InvoiceCannotBeUpdated")
    draft = drafts.read(world, request.body, "$")
    ledger.remember(world, invoice)
    invoice.items = _numbered(world, draft)
    for name, value in draft.values.items():
        setattr(invoice, name, value)
    return world.settings.update_reply


def delete(world: World, request: ApiRequest) -> bool | None:
    ledger.cancel(world, find(world, request.query_id()))
    return world.settings.delete_reply


def getall(world: World, request: ApiRequest) -> list[dict[str, Any]]:
    return listing.invoices(world, request)


def getbytypekey(world: World, request: ApiRequest) -> dict[str, Any]:
    """``?type=`` (Invoice when left out) and ``?key=``, the key of a pay link (contract 3.9; assumed)."""
    wanted = listing.parameters(request.query)
    if "key" not in wanted:
        raise Refusal("KeyRequired")
    invoice = by_key(world, wanted["key"].strip())
    if invoice is None or invoice.type.lower() != wanted.get("type", "Invoice").strip().lower():
        raise Refusal("InvalidKey")
    return wire.invoice(world, invoice)


ROUTES = (
    Route("Invoice/getall", "GET", handler=getall),
    Route("Invoice/getbyid", "GET", handler=getbyid, evidence="doc"),
    Route("Invoice/insert", "POST", handler=insert, reads_body=True, evidence="doc"),
    Route("Invoice/update", "PUT", handler=update, reads_body=True),
    Route("Invoice/delete", "DELETE", handler=delete),
    Route("Invoice/GetByTypeKey", "GET", handler=getbytypekey),
)
