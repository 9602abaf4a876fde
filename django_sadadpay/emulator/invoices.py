"""The Invoice endpoints that a merchant uses (contract 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import drafts, ledger, listing, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.entities import Invoice
from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
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
    found = world.invoices.get(int(key[8:])) if key.isascii() and key.isdigit() and len(key) > 8 else None
    return found if found and found.key == key else None


def create(world: World, draft: Draft) -> Invoice:
    """Store a checked draft with an id and a key of its own."""
    number = world.next_id("invoice")
    invoice = Invoice(
        id=number,
        key=world.digits("key", number, 8) + str(number),
        created_at=world.now(),
        items=_numbered(world, draft),
        **draft.values,
    )
    world.invoices[number] = invoice
    return invoice


def _numbered(world: World, draft: Draft) -> list[Any]:
    return [replace(item, id=world.next_id("item")) for item in draft.items]


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
    if invoice.status != "Unpaid":
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


ROUTES = (
    Route("Invoice/getall", "GET", handler=getall),
    Route("Invoice/getbyid", "GET", handler=getbyid, evidence="doc"),
    Route("Invoice/insert", "POST", handler=insert, reads_body=True, evidence="doc"),
    Route("Invoice/update", "PUT", handler=update, reads_body=True),
    Route("Invoice/delete", "DELETE", handler=delete),
)
