"""A Sadad for tests: the emulator over real HTTP, with the webhook delivered by the test's own thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.test import Client
from django.urls import reverse

from django_sadadpay import conf

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator
    from django_sadadpay.models import Invoice


@dataclass
class Sadad:
    """What a test does at Sadad's side. ``control`` is the emulator's; its ids are ``Invoice.sadad_id``."""

    emulator: Emulator

    @property
    def control(self) -> Any:
        return self.emulator.control

    def calls(self, endpoint: str = "") -> list[str]:
        """Endpoints called so far, token calls too; only those named, if given."""
        return [call.endpoint for call in self.control.log if endpoint in ("", call.endpoint)]

    def pay(self, invoice: Invoice, method: str = "knet") -> None:
        """The buyer pays on Sadad's page. The webhook waits for :meth:`deliver`."""
        self.control.pay(self._id(invoice), method)

    def fail(self, invoice: Invoice) -> None:
        """The bank refuses the buyer's card; the invoice stays payable."""
        self.control.fail(self._id(invoice))

    def deliver(self, *, times: int = 1) -> list[int]:
        """Deliver the waiting webhooks to the shop's view, each ``times`` times; the statuses it answered."""
        answers: list[int] = []

        def send(payload: dict[str, Any]) -> int:
            answers.extend(self.post(payload) for _ in range(times))
            return answers[-1]

        self.control.deliver_webhooks(send)
        return answers

    def post(self, body: Any, account: str = "default") -> int:
        """One webhook call with any body; the status."""
        secret = conf.current().accounts[account].webhook_secrets[0]
        url = reverse("sadadpay:webhook", args=[account, secret])
        return Client().post(url, data=body, content_type="application/json").status_code

    def _id(self, invoice: Invoice) -> str:
        invoice.refresh_from_db(fields=["sadad_id"])
        if invoice.sadad_id is None:
            raise AssertionError(f"invoice {invoice} has not reached Sadad")
        return invoice.sadad_id


def account_settings(emulator: Emulator, base: dict[str, Any]) -> dict[str, Any]:
    """``SADADPAY`` with every account pointing at the emulator."""
    there = {
        "CLIENT_KEY": emulator.client_key,
        "CLIENT_SECRET": emulator.client_secret,
        "API_URL": emulator.api_url,
        "PAY_URL": emulator.pay_url,
    }
    default = {"ENVIRONMENT": "sandbox", "WEBHOOK_SECRET": "webhook-secret-of-a-test"}
    accounts = base.get("ACCOUNTS") or {"default": default}
    return {**base, "ACCOUNTS": {name: {**account, **there} for name, account in accounts.items()}}
