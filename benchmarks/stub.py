"""Sadad without HTTP: answers in memory, as JSON that our gateway reads as it reads the real one's."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

from django_sadadpay.gateway import envelope
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.transport import Outgoing, Transport

#: What the token calls answer.
TOKENS: dict[str, dict[str, Any]] = {
    "User/GenerateRefreshToken": {"refreshToken": "refresh"},
    "User/GenerateAccessToken": {"accessToken": "access", "expiredAfterSeconds": 86_400},
}


class Sadad:
    """The calls of a checkout, a settlement and a refund; no more."""

    def __init__(self) -> None:
        self.invoices: dict[str, dict[str, Any]] = {}
        self._ids = itertools.count(70_000)
        self._answers: dict[str, Callable[[Outgoing], Any]] = {
            **{name: partial(_always, answer) for name, answer in TOKENS.items()},
            "Invoice/insert": self._insert,
            "Invoice/getbyid": lambda outgoing: self.invoices[outgoing.query["id"]],
            "Refund/insert": self._refund,
        }

    def answer(self, outgoing: Outgoing) -> Reply:
        response = self._answers[outgoing.endpoint.name](outgoing)
        body = json.dumps({"isValid": True, "errorKey": None, "response": response}, default=str)
        return envelope.read(200, {}, body.encode())

    def pay(self, sadad_id: str) -> None:
        attempt = {"id": int(sadad_id), "status": "Success", "amount": self.invoices[sadad_id]["amount"]}
        self.invoices[sadad_id] |= {
            "status": "Paid",
            "payment_Date": "04/01/2026 12:50:00",
            "transactionId": f"T{sadad_id}",
            "paymentGateway": "KNET",
            "transactions": [attempt],
        }

    def _insert(self, outgoing: Outgoing) -> dict[str, str]:
        (asked,) = json.loads(outgoing.body or b"{}")["Invoices"]
        number = str(next(self._ids))
        key = f"95653912{number}"
        self.invoices[number] = {
            **asked,
            "id": int(number),
            "key": key,
            "code": f"INV-{number}",
            "type": "Invoice",
            "url": f"http://127.0.0.1:9/pay/{key}",
            "status": "Unpaid",
            "refunded_Amount": 0,
            "createDate": "04/01/2026 12:42:48",
            "transactions": [],
        }
        return {"invoiceId": number}

    def _refund(self, outgoing: Outgoing) -> dict[str, str]:
        asked = json.loads(outgoing.body or b"{}")
        invoice = self.invoices[str(asked["invoice_Id"])]
        before = Decimal(str(invoice["refunded_Amount"]))
        invoice["refunded_Amount"] = str(before + Decimal(str(asked["amount"])))
        return {"refund_Id": str(next(self._ids))}


def _always(answer: Any, _: Outgoing) -> Any:
    return answer


@contextmanager
def installed() -> Iterator[Sadad]:
    """Every call of this process is answered by a fresh one; the guard against open transactions stays."""
    sadad = Sadad()

    def send(self: Transport, outgoing: Outgoing, **_: Any) -> Reply:
        if self._before_call is not None:
            self._before_call(outgoing.endpoint.name)
        return sadad.answer(outgoing)

    with mock.patch.object(Transport, "send", send):
        yield sadad
