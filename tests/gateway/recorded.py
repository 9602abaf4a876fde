"""The documented exchanges: what was asked, and the bytes that were answered (``data/documented``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tests.gateway import server as s
from tests.gateway.conftest import DATA

if TYPE_CHECKING:
    from tests.gateway.server import Request, Server

DOCUMENTED = DATA / "documented"
EXCHANGES = sorted(file.stem for file in DOCUMENTED.glob("*.json") if not file.stem.startswith("webhook"))


@dataclass(frozen=True)
class Exchange:
    verb: str
    path: str
    query: dict[str, str]
    authorization: str
    body: Any
    status: int
    reply: bytes

    @property
    def endpoint(self) -> str:
        return self.path.removeprefix("/api/")

    @property
    def response(self) -> Any:
        return json.loads(self.reply)["response"]

    def play(self, server: Server) -> Exchange:
        """Answer its endpoint with its bytes, whatever is asked."""
        server.on(self.endpoint, s.status(self.status, self.reply))
        return self

    def differs_from(self, request: Request) -> dict[str, tuple[Any, Any]]:
        """Where the client's request is not the documented one: part → (documented, ours)."""
        pairs = {
            "verb": (self.verb, request.verb),
            "path": (self.path, request.path),
            "query": (self.query, request.query),
            "authorization": (self.authorization, request.headers.get("authorization", "")),
            "body": (plain(self.body), plain(json.loads(request.body)) if request.body else None),
            "type": (
                "application/json" if self.body is not None else None,
                request.headers.get("content-type"),
            ),
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def exchange(name: str) -> Exchange:
    kept = json.loads((DOCUMENTED / f"{name}.json").read_text("utf-8"))
    asked, reply = kept["request"], kept["reply"]
    return Exchange(
        asked["verb"],
        asked["path"],
        asked["query"],
        asked["authorization"],
        asked.get("body"),
        reply["status"],
        reply["text"].encode(),
    )


def webhook(name: str) -> bytes:
    text: str = json.loads((DOCUMENTED / f"webhook-{name}.json").read_text("utf-8"))["body"]
    return text.encode()


def plain(value: Any) -> Any:
    """A body without what Sadad does not look at: letter case of names (contract 1.2), amounts as text or
    number with any zeros behind the point (3.1), and En for en (3.1)."""
    if isinstance(value, dict):
        return {name.lower(): _word(name.lower(), item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _word(name: str, value: Any) -> Any:
    if name == "lang":
        return value.lower()
    if name in ("amount", "id", "quantity", "supplierid"):
        return _number(value)
    return plain(value)


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value
