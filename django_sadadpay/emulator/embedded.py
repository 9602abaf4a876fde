"""Embedded payment: a session for the widget, and the invoice that the payer makes with it (contract 8)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django_sadadpay.emulator import drafts, invoices, ledger
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.drafts import Draft
from django_sadadpay.emulator.entities import Invoice, Item, Stored
from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World

SESSION, DOMAIN = "OrderSession", "AllowedDomain"

#: The gateway codes that this merchant has (contract 8.2) → how the payer pays.
CODES = {way.code: name for name, way in ledger.METHODS.items()}


def allow_domain(world: World, request: ApiRequest) -> bool:
    """Keep a site's domain, once; body and reply are assumed, and no session asks for it."""
    domain = Fields(request.body).text("domain").strip().lower()
    if not domain:
        raise Refusal("DomainRequired")
    kept = world.objects.setdefault(DOMAIN, {})
    if domain not in [row.key for row in kept.values()]:
        number = world.next_id(DOMAIN)
        kept[number] = Stored(DOMAIN, number, domain, "", world.now(), {})
    return True


def intiate_order_session(world: World, request: ApiRequest) -> dict[str, str]:
    """Sadad's own spelling. The fields are checked as those of an invoice, which comes when the payer acts.

    Raises ``Refusal``: also InvalidPaymentMethod for a gateway code that the merchant has not (assumed).
    """
    fields = Fields(request.body)
    draft = drafts.read(world, request.body, "$")
    draft.values["type"] = _type(draft)
    code = fields.text("PaymentGatewayCode")
    if code not in CODES:
        raise Refusal("InvalidPaymentMethod")
    number = world.next_id(SESSION)
    items = [item.to_json() for item in draft.items]
    values = {"method": CODES[code], "invoice": 0, "draft": draft.values, "items": items}
    row = Stored(SESSION, number, secrets.token_hex(16), "", world.now(), values)
    world.objects.setdefault(SESSION, {})[number] = row
    return {"session_Id": row.key}


def _type(draft: Draft) -> str:
    """A supplier on a line makes it a multi-supplier invoice; then every line needs one (contract 7, 8.2)."""
    suppliers = [item.supplier_id > 0 for item in draft.items]
    if any(suppliers) and not all(suppliers):
        raise Refusal("SupplierIdRequired")  # the key is assumed
    return "MultiVendorInvoice" if any(suppliers) else "Invoice"


def find(world: World, session_id: str) -> Stored | None:
    """The session of this id; how long one lives is unknown, here for ever."""
    rows = world.objects.get(SESSION, {}).values()
    return next((row for row in rows if row.key == session_id), None)


def pay(world: World, session: Stored) -> Invoice:
    """The payer pays in the widget, by the session's own method. Raises ``Refusal`` when it is paid."""
    invoice = _invoice(world, session)
    ledger.pay(world, invoice, session.values["method"])
    return invoice


def fail(world: World, session: Stored, answer: str) -> Invoice:
    """The bank refuses with ``answer``; the payer may try again in the same widget."""
    invoice = _invoice(world, session)
    ledger.fail(world, invoice, session.values["method"], answer)
    return invoice


def _invoice(world: World, session: Stored) -> Invoice:
    """The session's invoice, made when the payer first acts; its days to be paid count from then."""
    made = session.values["invoice"]
    if made:
        return world.invoices[made]
    items = [Item.from_json(row) for row in session.values["items"]]
    draft = Draft({**session.values["draft"], "expires_at": drafts.expiry(world, "")}, items)
    invoice = invoices.create(world, draft, order_session_id=session.id)
    session.values["invoice"] = invoice.id
    return invoice


ROUTES = (
    Route("EmbeddedPayment/allow_domain", "POST", handler=allow_domain, reads_body=True),
    Route(
        "EmbeddedPayment/intiate_order_session",
        "POST",
        handler=intiate_order_session,
        reads_body=True,
        evidence="doc",
    ),
)
