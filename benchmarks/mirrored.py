"""A merchant's customers at Sadad, in memory: the answers of ``Customer/getall`` as bytes, page by page."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from benchmarks.stub import TOKENS
from django_sadadpay.gateway import envelope
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.paging import TAKE
from django_sadadpay.gateway.transport import Outgoing, Transport


class Customers:
    """So many customers, newest first, as Sadad's relative lists them (contract 3.4, 10).

    :param kept: pages are made once: what is measured is not how fast this makes them.
    """

    def __init__(self, count: int, *, kept: bool = True) -> None:
        self.count, self.word, self._kept = count, "", kept
        self._pages: dict[tuple[str, int], bytes] = {}

    def answer(self, outgoing: Outgoing) -> Reply:
        name = outgoing.endpoint.name
        if name in TOKENS:
            return _reply(_body(TOKENS[name]))
        return _reply(self.page(json.loads(outgoing.query["listOptions"])["skip"]))

    def page(self, skip: int) -> bytes:
        page = self._pages.get((self.word, skip))
        if page is None:
            numbers = range(self.count - skip, max(self.count - skip - TAKE, 0), -1)
            page = _body([self._row(number) for number in numbers])
            if self._kept:
                self._pages[self.word, skip] = page
        return page

    def make_all(self) -> None:
        for skip in range(0, self.count + TAKE, TAKE):
            self.page(skip)

    def _row(self, number: int) -> dict[str, Any]:
        return {
            "id": number,
            "code": f"CUS-{number}",
            "createDate": "04/01/2026 12:42:48",
            "name": f"Customer {number}{self.word}",
            "ref_Number": f"K-{number}",
            "mobile": f"+9655{number:07}",
            "email": f"customer{number}@shop.example",
            "bank_Id": None,
            "account_Holder_Name": "",
            "account_Number": "",
            "iban": "",
            "other": "",
            "totalCount": self.count,
        }


@contextmanager
def installed(sadad: Any, latency: float = 0.0) -> Iterator[None]:
    """Every call of this process is answered by ``sadad``; the guard against open transactions stays.

    :param latency: seconds that each call takes.
    """

    def send(self: Transport, outgoing: Outgoing, **_: Any) -> Reply:
        if self._before_call is not None:
            self._before_call(outgoing.endpoint.name)
        if latency:
            time.sleep(latency)
        reply: Reply = sadad.answer(outgoing)
        return reply

    with mock.patch.object(Transport, "send", send):
        yield


def _body(response: Any) -> bytes:
    return json.dumps({"isValid": True, "errorKey": None, "response": response}).encode()


def _reply(body: bytes) -> Reply:
    return envelope.read(200, {}, body)


class Inserts:
    """Takes every customer, and tells its id."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def answer(self, outgoing: Outgoing) -> Reply:
        name = outgoing.endpoint.name
        return _reply(_body(TOKENS[name] if name in TOKENS else {"id": next(self._ids)}))
