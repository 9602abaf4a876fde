"""HTTP, JSON and the contract: nothing of the package's client or tables has a say here."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator

DATA = Path(__file__).parent / "data"
#: The vendor's list (verb, path), and the one that its library calls beside it (contract 9).
LISTED = [tuple(row.split("\t")[1:]) for row in (DATA / "endpoints.tsv").read_text().splitlines()[1:]]
CURRENCIES = ("GET", "/api/Common/getcurrencies")
ENDPOINTS: list[tuple[str, str]] = [(verb, path) for verb, path in LISTED] + [CURRENCIES]

DAY = 86400
MOMENT = "%m/%d/%Y %H:%M:%S"


@dataclass(frozen=True)
class Answer:
    """A reply whose envelope has been looked at: exactly three keys (contract 1.3)."""

    status: int
    envelope: Any

    @property
    def error_key(self) -> Any:
        return self.envelope["errorKey"]

    def ok(self) -> Any:
        """The response of a call that went well."""
        assert (self.status, self.envelope["isValid"]) == (200, True), self
        assert self.error_key in (None, ""), self
        return self.envelope["response"]

    def refused(self) -> Any:
        """The error key of a business refusal: HTTP 200, not valid, nothing in it (contract 1.4)."""
        assert (self.status, self.envelope["isValid"], self.envelope["response"]) == (200, False, None), self
        return self.error_key

    def remark(self) -> Any:
        """The error key of a call that is "valid" and yet carries one (contract 1.3)."""
        assert (self.status, self.envelope["isValid"], self.envelope["response"]) == (200, True, None), self
        return self.error_key

    def shut_out(self) -> Any:
        """The error key of a call whose token was not taken (contract 1.4)."""
        assert (self.status, self.envelope["isValid"], self.envelope["response"]) == (401, False, None), self
        return self.error_key


@dataclass
class Api:
    """A merchant with sockets. ``seen`` holds each (verb, path) that answered well."""

    emulator: Emulator
    token: str = ""
    refresh: str = ""
    seen: set[tuple[str, str]] = field(default_factory=set)

    def send(
        self, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own; ``path`` as on the wire."""
        connection = HTTPConnection("127.0.0.1", self.emulator.port, timeout=10)
        try:
            connection.request(verb, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def ask(
        self,
        verb: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        token: str | None = None,
        authorization: str | None = None,
        content_type: str = "application/json",
        **query: Any,
    ) -> Answer:
        """Call "Invoice/insert" and the like; ``token`` "" sends none."""
        credential = self.token if token is None else token
        headers = {"Content-Type": content_type}
        if authorization or credential:
            headers["Authorization"] = authorization or f"Bearer {credential}"
        sent = raw if raw is not None or body is None else json.dumps(body).encode()
        target = f"/api/{path}" + (f"?{urlencode(query)}" if query else "")
        status, said, data = self.send(verb, target, sent, headers)
        assert said["content-type"].startswith("application/json"), (status, data)
        answer = Answer(status, json.loads(data))
        assert set(answer.envelope) == {"isValid", "errorKey", "response"}
        assert isinstance(answer.envelope["isValid"], bool)
        if status == 200 and answer.envelope["isValid"] and not answer.error_key:
            self.seen.add((verb, f"/api/{path}"))
        return answer

    def get(self, path: str, **query: Any) -> Answer:
        return self.ask("GET", path, **query)

    def post(self, path: str, body: Any, *, token: str | None = None) -> Answer:
        return self.ask("POST", path, body, token=token)

    def put(self, path: str, body: Any) -> Answer:
        return self.ask("PUT", path, body)

    def delete(self, path: str, **query: Any) -> Answer:
        return self.ask("DELETE", path, **query)

    # Tokens (contract 2)

    def basic(self, key: str | None = None, secret: str | None = None) -> str:
        pair = f"{key or self.emulator.client_key}:{secret or self.emulator.client_secret}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    def log_in(self) -> None:
        reply = self.ask("POST", "User/GenerateRefreshToken", authorization=self.basic())
        self.refresh = reply.ok()["refreshToken"]
        self.token = self.ask("POST", "User/GenerateAccessToken", token=self.refresh).ok()["accessToken"]

    # The merchant's everyday

    def invoice(self, **fields: Any) -> int:
        """A plain invoice of 12.500 KWD; gives its id."""
        body = {"amount": "12.500", "customer_Name": "Sara", "lang": "en", **fields}
        return int(self.post("Invoice/insert", {"Invoices": [body]}).ok()["invoiceId"])

    def read(self, invoice_id: int | str) -> Any:
        return self.get("Invoice/getbyid", id=invoice_id).ok()

    def add(self, group: str, body: Any) -> int:
        """Insert an object of a group; gives its id."""
        return int(self.post(f"{group}/insert", body).ok()["id"])

    def rows(self, group: str, **query: Any) -> Any:
        return self.get(f"{group}/getall", **query).ok()

    def refund(self, invoice_id: int, amount: str, **fields: Any) -> Answer:
        body = {"invoice_Id": str(invoice_id), "amount": amount, "refund_Type": "DeductFromBalance"}
        return self.post("Refund/insert", {**body, "currency_Code": "KWD", **fields})

    # The payer

    def browse(self, url: str, **form: str) -> tuple[int, str, str]:
        """(status, where it sends the browser, text); with ``form`` a POST of a form."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        sent = urlencode(form).encode() if form else None
        status, said, data = self.send("POST" if form else "GET", target, sent, headers)
        return status, said.get("location", ""), data.decode()

    def pay(self, invoice_id: int | str, outcome: str = "success") -> str:
        """The payer opens the invoice's page and chooses; gives where the browser is sent."""
        url = self.read(invoice_id)["url"]
        assert self.browse(url)[0] == 200
        status, location, _ = self.browse(url, method="knet", outcome=outcome)
        assert status in (302, 303)
        return location

    # The clock

    def advance(self, seconds: float) -> None:
        """Time passes for the stand-in; its day-long tokens are fetched anew."""
        self.emulator.control.advance(seconds)
        self.log_in()

    def clock(self) -> datetime:
        """The stand-in's time in Kuwait, as it writes it on a new invoice."""
        return datetime.strptime(self.read(self.invoice())["createDate"], MOMENT)  # noqa: DTZ007 (no zone on the wire)

    def noon(self) -> date:
        """Move to the next noon, far from where a day ends; gives the day."""
        now = self.clock()
        then = datetime.combine(now.date() + timedelta(days=1), datetime.min.time()) + timedelta(hours=12)
        self.advance((then - now).total_seconds())
        return then.date()


def moment(text: str) -> datetime:
    return datetime.strptime(text, MOMENT)  # noqa: DTZ007 (no zone on the wire)


def sample(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))
