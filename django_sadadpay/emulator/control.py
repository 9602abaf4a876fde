"""The hand behind the scenes: pay, fail, expire, deposit, refund as if at Sadad, and see what happened.

Every method may be called from any thread; invoices are named by their id, as number or text.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import drafts, embedded, invoices, ledger, objects, routes, webhooks, wire
from django_sadadpay.emulator.entities import Currency
from django_sadadpay.emulator.protocol import Refusal

if TYPE_CHECKING:
    from django_sadadpay.emulator.api import Api, Call
    from django_sadadpay.emulator.entities import Invoice, Stored, WebhookMessage
    from django_sadadpay.emulator.faults import Faults
    from django_sadadpay.emulator.objects import Shape
    from django_sadadpay.emulator.state import World
    from django_sadadpay.emulator.webhooks import Send

SECRET_SETTINGS = ("client_key", "client_secret")


class UnknownInvoice(LookupError):
    """No invoice has this id."""


class Control:
    """The control API in Python; ``/control/...`` is the same over HTTP."""

    def __init__(self, world: World, api: Api) -> None:
        self._world = world
        self._api = api

    # What happens to an invoice

    def pay(self, invoice_id: int | str, method: str = "knet", *, force: bool = False) -> dict[str, Any]:
        """The buyer pays with "knet" or "card"; gives the invoice as getbyid shows it.

        ``force`` also pays a cancelled or expired one (the buyer had its page open). Raises ``Refusal``.
        """
        with self._world.transaction():
            invoice = self._find(invoice_id)
            ledger.pay(self._world, invoice, method, force=force)
            return wire.invoice(self._world, invoice)

    def fail(
        self, invoice_id: int | str, method: str = "knet", answer: str = "NOT CAPTURED"
    ) -> dict[str, Any]:
        """The bank refuses with ``answer``; the invoice stays payable. Raises ``Refusal``."""
        with self._world.transaction():
            invoice = self._find(invoice_id)
            ledger.fail(self._world, invoice, method, answer)
            return wire.invoice(self._world, invoice)

    def cancel_payment(self, invoice_id: int | str, method: str = "knet") -> dict[str, Any]:
        """The buyer gives up at the bank's page; the invoice stays payable. Raises ``Refusal``."""
        return self.fail(invoice_id, method, "CANCELED")

    def expire(self, invoice_id: int | str) -> dict[str, Any]:
        """Its date has passed and its page was opened. Raises ``Refusal`` unless Unpaid."""
        with self._world.transaction():
            invoice = self._find(invoice_id)
            ledger.expire(self._world, invoice)
            return wire.invoice(self._world, invoice)

    def deposit(self, invoice_id: int | str) -> dict[str, Any]:
        """Sadad settles it to the merchant's bank. Raises ``Refusal`` unless Paid."""
        with self._world.transaction():
            invoice = self._find(invoice_id)
            ledger.deposit(self._world, invoice)
            return wire.invoice(self._world, invoice)

    def cancel(self, invoice_id: int | str) -> dict[str, Any]:
        """Staff cancel it in the panel. Raises ``Refusal`` unless Unpaid."""
        with self._world.transaction():
            invoice = self._find(invoice_id)
            ledger.cancel(self._world, invoice)
            return wire.invoice(self._world, invoice)

    def refund(self, invoice_id: int | str, amount: Decimal | int | str) -> dict[str, Any]:
        """Staff refund ``amount`` KWD in the panel. Raises ``Refusal`` for what Sadad would refuse."""
        with self._world.transaction():
            invoice = self._find(invoice_id)
            ledger.refund(self._world, invoice, _fils(amount), "panel")
            return wire.invoice(self._world, invoice)

    def complete_refunds(self) -> int:
        """Let every refund that waits (setting ``refund_delay``) take effect now; gives how many."""
        with self._world.transaction():
            return ledger.complete_due_refunds(self._world, everything=True)

    def set_status(self, invoice_id: int | str, status: str) -> dict[str, Any]:
        """Write any word as the status, also one that nobody has documented."""
        with self._world.transaction():
            invoice = self._find(invoice_id)
            ledger.remember(self._world, invoice)
            invoice.status = status
            return wire.invoice(self._world, invoice)

    def create(self, amount: Decimal | int | str, **fields: Any) -> dict[str, Any]:
        """An invoice made in the panel or at a till, with fields of Invoice/insert. Raises ``Refusal``."""
        body = {"customer_Name": "Panel", **fields, "amount": str(amount)}
        with self._world.transaction():
            invoice = invoices.create(self._world, drafts.read(self._world, body))
            return wire.invoice(self._world, invoice)

    def pay_session(self, session_id: str) -> dict[str, Any]:
        """The payer pays in the widget of an embedded session; gives the invoice that came of it.

        Raises ``UnknownInvoice`` for an unknown session, or ``Refusal`` when it is paid.
        """
        with self._world.transaction():
            invoice = embedded.pay(self._world, self._session(session_id))
            return wire.invoice(self._world, invoice)

    def fail_session(self, session_id: str, answer: str = "NOT CAPTURED") -> dict[str, Any]:
        """The bank refuses with ``answer`` in the widget; the payer may try again. Raises as above."""
        with self._world.transaction():
            invoice = embedded.fail(self._world, self._session(session_id), answer)
            return wire.invoice(self._world, invoice)

    def create_object(self, kind: str, **body: Any) -> dict[str, Any]:
        """An object made in the panel, with the fields of ``<kind>/insert``; gives it as ``objects`` does.

        ``kind`` is the API's group ("Product", "PaymentLink"). Raises ``Refusal``, ValueError for no kind.
        """
        shape = _shape(kind)
        with self._world.transaction():
            row = objects.create(self._world, shape, body)
            return objects.shown(self._world, shape, row)

    # What there is

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Every object of a kind that is not deleted, oldest first, with all of its fields."""
        shape = _shape(kind)
        with self._world.transaction():
            kept = objects.rows(self._world, shape.name)
            return [objects.shown(self._world, shape, row) for row in kept]

    def invoice(self, invoice_id: int | str) -> dict[str, Any]:
        """The invoice as getbyid shows it. Raises ``UnknownInvoice``."""
        with self._world.transaction():
            return wire.invoice(self._world, self._find(invoice_id))

    def invoices(self) -> list[dict[str, Any]]:
        """Every invoice as getbyid shows it, oldest first."""
        with self._world.transaction():
            return [wire.invoice(self._world, row) for row in self._world.invoices.values()]

    def refunds(self) -> list[dict[str, Any]]:
        """Every refund, oldest first: id, invoice_id, fils, amount (KWD), status, source ("api", "panel")."""
        with self._world.transaction():
            return [{**row.to_json(), "amount": wire.number(row.fils)} for row in self._world.refunds]

    @property
    def log(self) -> list[Call]:
        """Every API call, oldest first (the last 10,000)."""
        return list(self._api.log)

    def clear_log(self) -> None:
        self._api.log.clear()

    @property
    def faults(self) -> Faults:
        return self._world.faults

    @property
    def webhooks(self) -> list[WebhookMessage]:
        """The messages that still wait, in the order in which they will go."""
        return [row for row in self.webhook_history if row.state == "waiting"]

    @property
    def webhook_history(self) -> list[WebhookMessage]:
        """Every message, also those accepted, given up or dropped."""
        with self._world.transaction():
            return [replace(row) for row in sorted(self._world.webhooks, key=lambda row: row.order)]

    def deliver_webhooks(self, send: Send | None = None) -> int:
        """Send every message that is due in this thread; gives how many were sent.

        ``send`` (payload → HTTP status) stands in for the POST to the shop.
        """
        return webhooks.deliver_due(self._world, send)

    # Clock, money, keys, settings

    def advance(self, seconds: float) -> None:
        """Move the stand-in's clock: tokens, expiry dates, webhook tries and waiting refunds follow it."""
        with self._world.transaction():
            self._world.offset += float(seconds)
            self._world.touch()
        self._world.wake.set()

    @property
    def balance(self) -> Decimal:
        """The merchant's balance at Sadad, KWD."""
        return Decimal(self._world.balance_fils) / 1000

    @balance.setter
    def balance(self, amount: Decimal | int | str) -> None:
        fils = _fils(amount)
        with self._world.transaction():
            self._world.balance_fils = fils
            self._world.touch()

    def set_rate(self, code: str, rate: float, decimals: int = 2) -> None:
        """``rate`` × one unit of ``code`` = KWD, for invoices made from now on."""
        if float(rate) <= 0:
            raise ValueError("a rate is above 0")
        with self._world.transaction():
            self._world.currencies[code.upper()] = Currency(code.upper(), float(rate), decimals)
            self._world.touch()

    def revoke_tokens(self, kind: str | None = None) -> int:
        """Forget the "access" or "refresh" tokens, or all; gives how many."""
        with self._world.transaction():
            tokens = self._world.tokens
            gone = [value for value, token in tokens.items() if kind in (None, token.kind)]
            for value in gone:
                del tokens[value]
            self._world.touch()
        return len(gone)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings (see ``state.Settings``) and give them all, without the keys.

        Raises TypeError for one that does not exist, ValueError for a choice that does not.
        """
        with self._world.transaction():
            self._world.settings = replace(self._world.settings, **changes)
            shown = asdict(self._world.settings)
        return {name: value for name, value in shown.items() if name not in SECRET_SETTINGS}

    def reset(self) -> None:
        """Forget everything but the settings: invoices, tokens, faults, log and counts, clock."""
        self._world.faults.clear()
        self._api.forget()
        with self._world.transaction():
            self._world.clear()

    def _session(self, session_id: str) -> Stored:
        session = embedded.find(self._world, session_id)
        if session is None:
            raise UnknownInvoice("no such session, so no invoice")
        return session

    def _find(self, invoice_id: int | str) -> Invoice:
        try:
            return self._world.invoices[int(invoice_id)]
        except (KeyError, ValueError):
            raise UnknownInvoice(f"no invoice {invoice_id!r}") from None


def _shape(kind: str) -> Shape:
    if kind not in routes.SHAPES:
        raise ValueError(f"no kind {kind!r}; there are: {', '.join(routes.SHAPES)}")
    return routes.SHAPES[kind]


def _fils(amount: Decimal | int | str) -> int:
    """Raises ``Refusal`` InvalidRefundAmount for what is finer than a fils."""
    value = Decimal(amount) * 1000
    if value != value.to_integral_value():
        raise Refusal("InvalidRefundAmount")
    return int(value)
