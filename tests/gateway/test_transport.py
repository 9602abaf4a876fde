"""Cut, slow, endless and lying answers, on real sockets."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.util import connection

from django_sadadpay.gateway import transport, wire
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.errors import (
    OutcomeUnknown,
    RateLimited,
    ReplyTooLarge,
    SadadError,
    Unavailable,
)
from django_sadadpay.gateway.hidden import Hidden
from django_sadadpay.gateway.transport import Outgoing
from tests.gateway import server as s
from tests.gateway.conftest import ClockedStore, make_client
from tests.gateway.server import Server

READ = "Product/getall"
WRITE = "Product/insert"
GOOD = json.dumps({"isValid": True, "errorKey": None, "response": [1]}).encode()


def packed(body: bytes) -> bytes:
    return s.reply(200, gzip.compress(body), Content_Encoding="gzip")


LOST = {
    "cut before an answer": s.cut,
    "reset": s.reset,
    "cut in the headers": s.raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "cut in the body": s.raw(s.reply(200, GOOD[:9], length=str(len(GOOD)))),
    "not HTTP": s.raw(b"SSH-2.0-hello\r\n"),
    "not JSON": s.status(200, b"<html>login</html>"),
    "no envelope": s.status(200, b'{"message": "hi"}'),
    "no object": s.status(200, b"[1]"),
    "empty": s.status(200),
    "nothing at all": s.status(204),
    "500": s.status(500, b"oops"),
    "500 in an envelope": s.error("Error ", 500),
    "502": s.status(502, b"<html>"),
    "success with a 400": s.envelope({"a": 1}, code=400),
    "redirect": s.status(302, GOOD, Location="http://127.0.0.1:9/elsewhere"),
    "unasked packing": s.status(200, GOOD, Content_Encoding="br"),
    "broken packing": s.status(200, b"not gzip", Content_Encoding="gzip"),
    "half of a packed body": s.status(200, gzip.compress(GOOD)[:-9], Content_Encoding="gzip"),
    "endless chunk size": s.endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"f" * 65536),
    "unreadable 404": s.status(404, b"nothing here"),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_a_lost_answer_to_a_write_is_unknown_and_the_write_is_sent_once(
    server: Server, client: SadadClient, answer: s.Answer
) -> None:
    server.on(WRITE, answer)
    with pytest.raises(OutcomeUnknown) as caught:
        client.call(WRITE, body={"a": 1})
    assert caught.value.may_have_acted
    assert len(server.to(WRITE)) == 1


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_a_lost_answer_to_a_read_is_asked_again_and_then_unavailable(
    server: Server, client: SadadClient, answer: s.Answer
) -> None:
    server.on(READ, answer)
    with pytest.raises(Unavailable) as caught:
        client.call(READ)
    assert not caught.value.may_have_acted
    assert len(server.to(READ)) == 3


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_a_read_succeeds_when_asked_again(server: Server, client: SadadClient, answer: s.Answer) -> None:
    server.on(READ, answer, s.ok([1]))
    assert client.call(READ) == [1]


@pytest.mark.parametrize(
    "answer",
    [
        s.hang,
        s.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000),
        s.drip(s.reply(200, b" " * 10_000)),
        s.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        s.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 1000),
    ],
    ids=["silence", "headers", "body", "continue", "chunks"],
)
@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_the_deadline_holds_against_a_slow_drip(
    server: Server, store: ClockedStore, answer: s.Answer, endpoint: str
) -> None:
    server.on(endpoint, answer)
    began = time.monotonic()
    with pytest.raises(SadadError, match="no answer in time") as caught:
        make_client(server, store, deadline=0.6).call(endpoint, body={})
    assert time.monotonic() - began < 5  # the shortest of these drips would take 20 s
    assert caught.value.may_have_acted is (endpoint == WRITE)


def test_a_call_may_have_its_own_deadline(server: Server, client: SadadClient) -> None:
    server.on("Invoice/getbyid", s.hang)
    with pytest.raises(Unavailable):
        client.invoices.getbyid("1", deadline=0.6)
    assert len(server.to("Invoice/getbyid")) == 1


def test_a_deadline_that_has_passed_sends_nothing(server: Server, client: SadadClient) -> None:
    with pytest.raises(Unavailable, match="no connection"):
        client.call(WRITE, body={}, deadline=0)
    assert server.calls == []


@pytest.mark.parametrize(
    "answer",
    [
        s.endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536),
        s.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        s.endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 9000),
        s.status(200, b" " * 400_000),
        s.raw(packed(b" " * 60_000_000)),
    ],
    ids=["endless body", "endless continue", "endless chunks", "long body", "packed bomb"],
)
def test_the_cap_on_bytes_holds_while_streaming(
    server: Server, client: SadadClient, answer: s.Answer
) -> None:
    server.on(READ, answer).on(WRITE, answer)
    client.transport.max_bytes = 100_000
    with pytest.raises(ReplyTooLarge):
        client.call(READ, deadline=20)
    assert len(server.to(READ)) == 1  # asking again would not help
    server.on("Common/getcurrencies", s.ok([]))
    assert client.common.getcurrencies() == ()  # what is left of that reply is not taken for the next one
    with pytest.raises(OutcomeUnknown):
        client.call(WRITE, body={}, deadline=20)


def test_a_reply_may_have_four_megabytes_and_not_a_byte_more(server: Server, client: SadadClient) -> None:
    cap = 4 * 1024 * 1024
    server.on(READ, s.status(200, GOOD.ljust(cap)), s.status(200, GOOD.ljust(cap + 1)))
    assert client.call(READ) == [1]
    with pytest.raises(ReplyTooLarge):
        client.call(READ)


def test_a_packed_answer_is_read(server: Server, client: SadadClient) -> None:
    server.on(READ, s.raw(packed(GOOD)))
    assert client.call(READ) == [1]
    assert server.to(READ)[0].headers["accept-encoding"] == "gzip"


def test_a_bomb_is_never_unpacked_beyond_the_cap(server: Server, client: SadadClient) -> None:
    client.transport.max_bytes = 100_000
    server.on(READ, s.raw(packed(b" " * 60_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(ReplyTooLarge):
            client.call(READ)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000  # 16 KB of it would unpack to 16 MB
    finally:
        tracemalloc.stop()


def test_a_write_to_a_server_that_does_not_read_ends_with_the_deadline(store: ClockedStore) -> None:
    with Server(silent=True) as silent:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            make_client(silent, store, deadline=0.6).call(WRITE, body={"comment": "x" * 30_000_000})
        assert time.monotonic() - began < 5


def test_dead_addresses_share_the_deadline(client: SadadClient, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def dead(address: object, timeout: float, **options: object) -> None:
        given.append(timeout)
        time.sleep(0.05)
        raise TimeoutError

    row = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [row] * 100)
    monkeypatch.setattr(wire, "create_connection", dead)
    with pytest.raises(Unavailable):
        client.call(WRITE, body={}, deadline=0.3)
    assert 0 < max(given, default=0) <= 0.3
    assert len(given) < 10


def test_a_redirect_is_not_followed_and_its_body_not_unpacked(
    server: Server, client: SadadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacks(response: requests.Response) -> bytes:
        raise AssertionError("requests read a body by itself, with no cap")

    monkeypatch.setattr(requests.Response, "content", property(unpacks))
    target = server.url + "/Product/getbyid"
    bomb = gzip.compress(b" " * 60_000_000)
    server.on(WRITE, s.status(307, bomb, Location=target, Content_Encoding="gzip"))
    with pytest.raises(OutcomeUnknown):
        client.call(WRITE, body={})
    assert server.to("Product/getbyid") == []


@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_a_refused_connection_is_tried_again_and_is_surely_not_done(
    store: ClockedStore, endpoint: str
) -> None:
    with Server() as gone:
        port = gone.port
    calls: list[str] = []
    client = SadadClient("k", "s", api_url=f"http://127.0.0.1:{port}", store=store, before_call=calls.append)
    client.transport._pause = 0.001
    with pytest.raises(Unavailable, match=r"no connection \(ConnectionRefusedError\)"):
        client.call(endpoint, body={})
    assert calls == [endpoint] * 3


def test_a_write_goes_out_once_the_connection_can_be_opened(
    server: Server, client: SadadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = connection.create_connection
    refusals = [ConnectionRefusedError(), TimeoutError()]

    def sometimes(*args: object, **kwargs: object) -> socket.socket:
        if refusals:
            raise refusals.pop()
        return real(*args, **kwargs)  # type: ignore[arg-type]  # handed through as it came

    monkeypatch.setattr(wire, "create_connection", sometimes)
    server.on(WRITE, s.ok(5))
    assert client.call(WRITE, body={}) == 5
    assert len(server.to(WRITE)) == 1


def test_the_second_address_of_a_host_is_tried(
    server: Server, client: SadadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def two(host: str, port: int, *args: int, **kwargs: int) -> list[Any]:
        found = real(host, port, *args, **kwargs)
        dead = (*found[0][:4], ("127.0.0.1", 9))
        return [dead, *found] if port == server.port else found

    monkeypatch.setattr(socket, "getaddrinfo", two)
    server.on(WRITE, s.ok(5))
    assert client.call(WRITE, body={}) == 5


def test_a_host_without_an_address_is_unavailable(
    client: SadadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [])
    with pytest.raises(Unavailable, match="no connection"):
        client.call(WRITE, body={})


def test_a_name_that_does_not_resolve_is_unavailable(
    store: ClockedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    client = SadadClient("k", "s", api_url="http://sadad.invalid/api", store=store)
    client.transport._pause = 0.001
    with pytest.raises(Unavailable, match="gaierror"):
        client.call(WRITE, body={})


def test_a_handshake_that_fails_or_hangs_has_sent_nothing(server: Server, store: ClockedStore) -> None:
    plain = server.url.replace("http:", "https:")
    client = SadadClient("k", "s", api_url=plain, store=store, deadline=2)
    client.transport._pause = 0.001
    with pytest.raises(Unavailable, match="no connection"):
        client.call(WRITE, body={})
    with Server(silent=True) as silent:
        client.transport.api_url = silent.url.replace("http:", "https:")
        client.transport.connect_timeout = 0.2
        with pytest.raises(Unavailable, match="no connection"):
            client.call(WRITE, body={})


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    store: ClockedStore, certificate: ssl.SSLContext
) -> None:
    with Server(tls=certificate) as server:
        client = make_client(server, store)
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            client.call(WRITE, body={})
        assert server.calls == []


def test_over_tls_a_drip_is_late_and_a_cut_write_unknown(
    store: ClockedStore, certificate: ssl.SSLContext, certificate_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate_file))
    with Server(tls=certificate) as server:
        client = make_client(server, store)
        server.on(WRITE, s.ok(5), s.cut).on(READ, s.drip(s.reply(200, b" " * 10_000)))
        assert client.call(WRITE, body={}) == 5
        with pytest.raises(OutcomeUnknown):
            client.call(WRITE, body={})
        with pytest.raises(Unavailable, match="no answer in time"):
            client.call(READ, deadline=1.5)


def test_connections_are_reused(server: Server, client: SadadClient) -> None:
    server.on(READ, s.ok([1])).on(WRITE, s.ok(5))
    for _ in range(3):
        client.call(READ)
        client.call(WRITE, body={})
    assert server.connections == 1


def test_a_write_never_goes_over_a_connection_that_has_been_idle(
    server: Server, client: SadadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on(READ, s.ok([1])).on(WRITE, s.ok(5))
    client.call(READ)
    monkeypatch.setattr(wire, "WRITE_REUSE_SECONDS", -1.0)
    client.call(READ)
    assert server.connections == 1
    client.call(WRITE, body={})
    assert server.connections == 2


def test_a_write_on_a_connection_that_the_server_closes_meanwhile_is_unknown(
    server: Server, client: SadadClient
) -> None:
    server.on(READ, s.ok([1])).on(WRITE, s.cut)
    client.call(READ)
    with pytest.raises(OutcomeUnknown):
        client.call(WRITE, body={})
    assert server.to(WRITE)[0].connection == 1


def test_too_many_calls(server: Server, client: SadadClient) -> None:
    server.on(WRITE, s.status(429, b"slow down", Retry_After="7"))
    with pytest.raises(RateLimited) as caught:
        client.call(WRITE, body={})
    assert caught.value.retry_after == 7.0
    assert not caught.value.may_have_acted
    server.on(WRITE, s.status(429, b"slow down", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"))
    with pytest.raises(RateLimited) as caught:
        client.call(WRITE, body={})
    assert caught.value.retry_after is None


def test_the_guard_runs_before_every_http_call_and_may_refuse(server: Server, store: ClockedStore) -> None:
    def guard(endpoint: str) -> None:
        raise RuntimeError(f"a transaction is open: {endpoint}")

    client = SadadClient("k", "s", api_url=server.url, store=store, before_call=guard)
    with pytest.raises(RuntimeError, match="a transaction is open: Product/insert"):
        client.call(WRITE, body={})
    assert server.calls == []


def test_no_netrc_no_cookies(
    server: Server, client: SadadClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.on(READ, s.status(200, GOOD, Set_Cookie="session=1; Path=/"))
    server.on("Common/getcurrencies", s.ok([]))
    client.call(READ)
    client.call(READ)
    client.common.getcurrencies()
    assert [call.headers.get("cookie") for call in server.calls] == [None] * 3
    assert [call.headers.get("authorization") for call in server.calls] == ["Bearer access-0"] * 2 + [None]


def test_a_proxy_is_used_and_a_lost_answer_behind_it_still_unknown(
    server: Server, store: ClockedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    client = SadadClient("k", "s", api_url="http://sadad.invalid/api", store=store)
    server.on(WRITE, s.cut)
    with pytest.raises(OutcomeUnknown):
        client.call(WRITE, body={})
    assert server.to(WRITE)[0].headers["host"] == "sadad.invalid"


def test_a_proxy_that_refuses_the_tunnel_has_not_let_the_write_out(
    server: Server, store: ClockedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.port}")
    client = SadadClient("k", "s", api_url="https://sadad.invalid/api", store=store)
    client.transport._pause = 0.001
    with pytest.raises(Unavailable, match="no connection"):
        client.call(WRITE, body={})
    assert {call.verb for call in server.calls} == {"CONNECT"}


def test_a_socks_proxy_is_refused(store: ClockedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    client = SadadClient("k", "s", api_url="http://sadad.invalid/api", store=store)
    client.transport._pause = 0.001
    with pytest.raises(Unavailable, match="InvalidProxyURL"):
        client.call(WRITE, body={})


def test_errors_name_neither_secrets_nor_people(
    server: Server, client: SadadClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.on(WRITE, s.error("Customer Ahmad +96550000000 is unknown"))
    server.on(READ, s.cut)
    with pytest.raises(SadadError) as rejected:
        client.call(WRITE, body={"customer_Mobile": "+96550000000"})
    with pytest.raises(SadadError) as broken:
        client.call(READ, query={"customerMobile": "+96550000000"})
    for caught in (rejected, broken):
        shown = str(caught.value) + repr(caught.value) + "".join(map(str, caught.value.args))
        assert not any(word in shown for word in ("access-0", "50000000", "Bearer", "127.0.0.1"))
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_broken_api_address_is_unavailable(store: ClockedStore) -> None:
    client = SadadClient("k", "s", api_url="http://[broken/api", store=store)
    client.transport._pause = 0.001
    with pytest.raises(Unavailable, match="no connection"):
        client.call(WRITE, body={"amount": Decimal(1)})


def test_a_call_does_not_show_what_it_carries(server: Server) -> None:
    carried = Outgoing(ENDPOINTS[WRITE], {"id": "5"}, b'{"customer_Mobile": "+9655"}', Hidden("Bearer t"))
    assert repr(carried) == "<POST Product/insert>"


def test_a_chain_of_causes_is_not_followed_for_ever() -> None:
    error = ValueError("first")
    error.args = (error,)
    server_row = ENDPOINTS[READ]
    exchange = wire.Exchange(until=time.monotonic() + 60, max_bytes=1, writes=False)
    assert str(transport._broken(server_row, exchange, error)) == f"{READ}: no connection (ValueError)"


def test_requests_itself_never_repeats_a_call() -> None:
    adapter = wire._new_session().get_adapter("https://api.sadadpay.net")
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    assert adapter.max_retries.total == 0
