"""The emulator's control API: what Sadad knows, and what is to go wrong. Needs no Django."""

from __future__ import annotations

from typing import Any

import requests


class Sadad:
    """The emulator, from behind."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/control/"
        self._session = requests.Session()
        self._session.trust_env = False

    def see(self, what: str) -> Any:
        """``invoices``, ``refunds``, ``webhooks``, ``log`` …"""
        answer = self._session.get(self._url + what, timeout=10)
        return self._result(answer)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """``Product``, ``PaymentLink`` … as they stand there now, without what was deleted."""
        found: list[dict[str, Any]] = self._post("objects", {"kind": kind})
        return found

    def make(self, kind: str, **values: Any) -> dict[str, Any]:
        """As staff do in Sadad's panel."""
        made: dict[str, Any] = self._post("create_object", {"kind": kind, **values})
        return made

    def fault(self, endpoint: str, kind: str, **options: Any) -> None:
        self._post("faults", {"endpoint": endpoint, "kind": kind, **options})

    def no_more_faults(self) -> None:
        self._post("faults/clear", {})

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        return self._result(self._session.post(self._url + what, json=body, timeout=10))

    @staticmethod
    def _result(answer: requests.Response) -> Any:
        answer.raise_for_status()
        return answer.json()["result"]
